"""Databases that were made while `orders_take` took more steps get the one of 0002 as it is now; what it answers and keeps is the same."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar, Final

from django.db import migrations

TAKE: Final = import_module("duecourse.web.orders.migrations.0002_take").TAKE


def renew(_apps: Any, schema_editor: Any) -> None:
    """Put it in the place of the one that is there."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(TAKE, params=None)


class Migration(migrations.Migration):
    """After 0002's."""

    dependencies: ClassVar = [("orders", "0002_take")]
    operations: ClassVar = [migrations.RunPython(renew, migrations.RunPython.noop)]
