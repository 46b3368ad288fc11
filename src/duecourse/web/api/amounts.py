"""Money in the API's types: a decimal string of the row's currency, or of the base currency."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

OWN: Final = "own currency"
BASE: Final = "base currency"

_FORM: Final = r"^-?[0-9]+(\.[0-9]+)?$"

Money = Annotated[str | None, Field(description="Decimal string, in `currency`", examples=["12500.00"], pattern=_FORM), OWN]
Base = Annotated[
    str | None, Field(description="Decimal string, in the base currency; null without a rate", examples=["12500.00"], pattern=_FORM), BASE
]
