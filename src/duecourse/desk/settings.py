"""The firm's settings: kept in the ledger like any fact, so that an old figure can be drawn up as it was drawn up then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.desk.dates import FAR
from duecourse.errors import OptionMisusedError, SettingUnknownError
from duecourse.messages import say
from duecourse.money import exponent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.ledger.store import Ledger

DEFAULTS: Final[Mapping[str, Any]] = {"base_currency": "XXX", "ageing_buckets": [30, 60, 90, 180, 365], "company": ""}


def current(ledger: Ledger) -> dict[str, str]:
    """Every setting and its value as text, the defaults where nothing was set.  设置"""
    chosen = ledger.as_of(FAR).settings
    return {name: _text(chosen.get(name, default)) for name, default in DEFAULTS.items()}


def change(ledger: Ledger, values: Mapping[str, str]) -> None:
    """Set some settings. Raises SettingUnknownError, CurrencyUnknownError, OptionMisusedError."""
    decoded = {name: _decoded(name, value) for name, value in values.items()}
    rows = [{"name": name, "value": json.dumps(value, ensure_ascii=False)} for name, value in decoded.items()]
    with ledger.draft("post", note="settings") as draft:
        draft.put("setting", pa.Table.from_pylist(rows))
        draft.commit()


def _decoded(name: str, value: str) -> Any:
    if name not in DEFAULTS:
        raise SettingUnknownError(name=name, known=", ".join(DEFAULTS))
    if name == "base_currency":
        exponent(value.upper())
        return value.upper()
    if name == "ageing_buckets":
        try:
            days = [int(part) for part in value.replace("，", ",").split(",")]
        except ValueError:
            days = []
        if not days or days != sorted(set(days)) or days[0] < 1:
            raise OptionMisusedError(option="ageing_buckets", value=value, hint=say("cli.hint_buckets"))
        return days
    return value


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
