"""A rule set is data (规则集): what the firm states of it is laid over what is shipped, and what is unknown or cannot be is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from duecourse.errors import RuleInvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def laid_over(base: Mapping[str, Any], own: Any, possible: Callable[[str, Any], bool], path: str = "") -> dict[str, Any]:
    """The whole rule set with the firm's parts in it; parts it leaves out are as in `base`.

    possible  (path such as `budget.analysts`, value) -> can it be?
    Raises RuleInvalidError naming the first part that is unknown or cannot be.
    """
    if not isinstance(own, dict):
        raise RuleInvalidError(rule=path.rstrip("."), value=json.dumps(own, ensure_ascii=False))
    for name in own:
        if name not in base:
            raise RuleInvalidError(rule=f"{path}{name}", value=json.dumps(own[name], ensure_ascii=False))
    whole = {}
    for name, value in base.items():
        mine = own.get(name, value)
        if isinstance(value, dict):
            mine = laid_over(value, mine, possible, f"{path}{name}.")
        elif not possible(f"{path}{name}", mine):
            raise RuleInvalidError(rule=f"{path}{name}", value=json.dumps(mine, ensure_ascii=False))
        whole[name] = mine
    return whole


def is_number(value: Any, low: float, high: float, *, whole: bool = False) -> bool:
    """Is it a number (a whole one) from low to high?"""
    return not isinstance(value, bool) and isinstance(value, int if whole else int | float) and low <= value <= high
