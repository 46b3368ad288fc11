"""Libraries that take long to load and that few requests need."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


class _Later:
    """Stands for a module and loads it when something of it is first used: whole, also when several threads want it at once."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


def lazily(name: str) -> Any:
    """The module, loaded when something of it is first used. Raises ModuleNotFoundError at once where it is not installed."""
    if find_spec(name) is None:
        raise ModuleNotFoundError(name)
    return _Later(name)
