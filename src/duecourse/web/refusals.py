"""What a person asked for cannot be done, or not now, or not by this person: the one refusal that every room of the app raises and every form shows."""

from __future__ import annotations


class NotNowError(Exception):
    """It cannot be done, or not by this person; `code` names the sentence that says why."""

    def __init__(self, code: str, **args: object) -> None:
        self.code, self.args_ = code, args
        super().__init__(code)
