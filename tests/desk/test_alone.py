"""What is asked of one buyer's facts more than once is answered once, and of other facts anew."""

from __future__ import annotations

import datetime as dt

from duecourse import samples
from duecourse.desk.alone import answered
from support.ledgers import ENGINE, invoice

DAY = dt.date(2025, 12, 31)


class Counting:
    """The engine, and how often it was asked of other than settings."""

    def __init__(self):
        self.asked = 0

    def run(self, expression, tables):
        self.asked += "setting" not in tables
        return ENGINE.run(expression, tables)


def owed(book):
    return book.invoice.aggregate(amount=book.invoice.amount_minor.sum())


def doubled(book, given):
    return given.mutate(amount=given.amount * 2)


def test_the_same_facts_are_asked_once():
    engine = Counting()

    def of(*amounts):
        book = samples.book(DAY, invoice=[invoice(number, amount) for number, amount in enumerate(amounts, 1)])
        book.ledger.engine = engine
        return book

    def sums(*amounts):
        own = of(*amounts)
        first = answered(own, "owed in a test", owed)
        return first["amount"][0].as_py(), answered(own, "doubled in a test", doubled, given=first)["amount"][0].as_py()

    assert sums(100, 50) == (150, 300)
    asked = engine.asked
    assert sums(100, 50) == (150, 300)
    assert engine.asked == asked
    assert sums(100, 51) == (151, 302)
    assert sums(100, 50, 7) == (157, 314)
    assert engine.asked == asked + 4
    assert sums(100, 50) == (150, 300)
    assert engine.asked == asked + 4
