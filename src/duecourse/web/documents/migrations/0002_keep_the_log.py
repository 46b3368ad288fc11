"""The database itself refuses to change or remove a row of the custody log, whoever asks."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from duecourse.web.guarding import guards

guard, release = guards("documents_custodyrow", "custody_keeps", "the custody log is append-only")


class Migration(migrations.Migration):
    """After the tables."""

    dependencies: ClassVar = [("documents", "0001_initial")]
    operations: ClassVar = [migrations.RunPython(guard, release)]
