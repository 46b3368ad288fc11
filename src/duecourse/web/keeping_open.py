"""Connections that are kept from request to request must not outlive the file they opened.

A SQLite connection goes on reading and writing a file that has been moved away or replaced: after a restore beside a running server what people do would go
into the old one and be lost. So the file is looked at before each request, and a connection to another one is closed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.signals import request_started
from django.db import connections
from django.db.backends.signals import connection_created


def _file(connection: Any) -> tuple[int, int] | None:
    try:
        found = Path(connection.settings_dict["NAME"]).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _remember(connection: Any, **_: object) -> None:
    if connection.vendor == "sqlite":
        connection.opened_file = _file(connection)


def _let_go(**_: object) -> None:
    for connection in connections.all(initialized_only=True):
        if connection.vendor != "sqlite" or connection.connection is None or connection.in_atomic_block:
            continue
        if getattr(connection, "opened_file", None) != _file(connection):
            connection.close()


def watch() -> None:
    """From now on no request uses a connection to a database file that is no longer there."""
    connection_created.connect(_remember, dispatch_uid="duecourse.remember")
    request_started.connect(_let_go, dispatch_uid="duecourse.let_go")
