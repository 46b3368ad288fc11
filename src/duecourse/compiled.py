"""Machine code for the loops over whole columns, made when it is first needed and kept on disk."""

from __future__ import annotations

from functools import update_wrapper
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")

_making = RLock()


class Compiled:
    """A function that turns into machine code when it is first called: a program that calls none never loads the compiler, a second's work."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._machine: Callable[..., Any] | None = None
        update_wrapper(self, function)

    def __call__(self, *args: Any) -> Any:
        return (self._machine or self.machine())(*args)

    def machine(self) -> Callable[..., Any]:
        """The machine code, which runs without the interpreter's lock and is kept on disk where a folder for it can be written."""
        with _making:
            if self._machine is None:
                import numba  # noqa: PLC0415 — what this class is for

                names = self._function.__globals__
                for name in self._function.__code__.co_names:  # the compiler knows functions of its own kind alone
                    if isinstance(inner := names.get(name), Compiled):
                        names[name] = inner.machine()
                try:
                    self._machine = numba.njit(self._function, nogil=True, cache=True)
                except (
                    RuntimeError
                ):  # neither the package's folder nor a cache folder of the user's can be written: compile in each process
                    self._machine = numba.njit(self._function, nogil=True)
            return self._machine


def compiled(function: Function) -> Function:
    """Machine code for a function of whole columns."""
    return cast("Function", Compiled(function))
