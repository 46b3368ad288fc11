"""Alerts without the labour of real figures: a book in memory, and what was seen of buyers said outright. The app has to be loaded."""

from __future__ import annotations

from datetime import date
from typing import Any

from duecourse.decisions.alert import Warned
from duecourse.desk.alerting import Looked
from duecourse.engines.duckdb import DuckDBEngine
from duecourse.ledger.memory import MemoryLedger
from duecourse.web.watch import keeping

DAY = date(2026, 3, 2)
ENGINE = DuckDBEngine()


def book_of(on: date = DAY, **settings: Any) -> Any:
    """An empty book of a day."""
    book = MemoryLedger({}, ENGINE).as_of(on)
    book.__dict__["settings"] = {"base_currency": "CNY", **settings}
    return book


def seen(buyer: str, score: float | None = 70.0, *codes: str, exposure: int = 1_000_00, **more: Any) -> Warned:
    """What is known of a buyer."""
    return Warned(buyer, more.pop("probability", None), score, exposure, reasons=dict.fromkeys(codes or ("PAY03",), "payment"), **more)


def look(on: date, *warned: Warned, whole: bool = True, cause: str = "", watched: int = 1_000, **settings: Any) -> keeping.Drawn:
    """One look at these buyers."""
    return keeping.draw_up(book_of(on, **settings), Looked(warned, watched), cause or f"day {on}", whole=whole)
