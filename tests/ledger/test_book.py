from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from duecourse import samples
from duecourse.ledger.scope import Scope
from duecourse.ledger.store import Ledger
from support.examples import examples
from support.ledgers import ENGINE, add, invoice, totals

DAYS = st.dates(dt.date(2025, 1, 1), dt.date(2025, 3, 31))


def test_it_hides_what_happened_later():
    facts = {
        "invoice": [
            {"invoice_id": "1", "buyer_id": "b", "issue_date": dt.date(2025, 1, 10), "due_date": dt.date(2025, 2, 10), "amount_minor": 100}
        ],
        "dispute": [
            {
                "dispute_id": "d",
                "buyer_id": "b",
                "invoice_id": "1",
                "raised_on": dt.date(2025, 1, 20),
                "resolved_on": dt.date(2025, 2, 1),
                "outcome": "rejected",
            }
        ],
        "buyer": [{"buyer_id": "b", "name": "B"}, {"buyer_id": "c", "name": "C", "effective_from": dt.date(2025, 2, 1)}],
    }
    early, middle, late = (samples.book(dt.date(2025, *day), **facts) for day in ((1, 9), (1, 31), (2, 28)))
    assert early.run(early.invoice).num_rows == 0
    assert early.run(early.dispute).num_rows == 0
    assert middle.run(middle.invoice).num_rows == 1
    assert middle.run(middle.dispute.select("resolved_on", "outcome")).to_pylist() == [{"resolved_on": None, "outcome": None}]
    assert late.run(late.dispute.select("resolved_on", "outcome")).to_pylist() == [
        {"resolved_on": dt.date(2025, 2, 1), "outcome": "rejected"}
    ]
    assert middle.run(middle.buyer).column("buyer_id").to_pylist() == ["b"]
    assert late.run(late.buyer).num_rows == 2


def test_its_months_end_with_the_day_of_the_book():
    book = samples.book(dt.date(2025, 3, 15))
    assert [
        (r["month_start"], r["month_end"], r["days"]) for r in sorted(book.run(book.months(3)).to_pylist(), key=lambda r: r["months_back"])
    ] == [
        (dt.date(2025, 3, 1), dt.date(2025, 3, 15), 15),
        (dt.date(2025, 2, 1), dt.date(2025, 2, 28), 28),
        (dt.date(2025, 1, 1), dt.date(2025, 1, 31), 31),
    ]


FACTS = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 1000), DAYS), min_size=1, max_size=30)


@given(batches=st.lists(FACTS, min_size=1, max_size=5), on=DAYS)
@examples(5, 15)
def test_a_book_never_changes_when_later_facts_arrive(tmp_path_factory, batches, on):
    ledger = Ledger.open(tmp_path_factory.mktemp("l") / "ledger", engine=ENGINE, create=True)
    seen = []
    for facts in batches:
        newest = {number: {**invoice(number, amount), "issue_date": day} for number, amount, day in facts}
        add(ledger, list(newest.values()))
        moment = ledger.journal()[-1].recorded_at
        seen.append((moment, totals(ledger, on)))
    ledger.compact()
    for moment, was in seen:
        assert totals(ledger, on, known_at=moment) == was


@given(
    facts=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 1000), DAYS), min_size=1, max_size=40, unique_by=lambda f: f[0]),
    data=st.data(),
    on=DAYS,
)
@examples(5, 15)
def test_pieces_in_any_order_give_the_same_book(tmp_path_factory, facts, data, on):
    rows = [{**invoice(number, amount), "issue_date": day} for number, amount, day in facts]
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    pieces = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True) if a < b]
    books = []
    for parts in ([rows], [*pieces, shuffled[: len(rows) // 2]]):  # the second with a part delivered twice
        ledger = Ledger.open(tmp_path_factory.mktemp("l") / "ledger", engine=ENGINE, create=True)
        for part in filter(None, parts):
            add(ledger, part)
        book = ledger.as_of(on)
        table = book.run(book.invoice.drop("recorded_at", "source", "source_row").order_by("invoice_id"))
        books.append(table)
    assert books[0].equals(books[1])
    assert isinstance(books[0], pa.Table)


def test_settings_are_asked_once_for_a_day_and_anew_when_something_was_written(ledger):
    def set_to(value):
        with ledger.draft("post") as draft:
            draft.put("setting", pa.Table.from_pylist([{"name": "language", "value": json.dumps(value)}]))
            draft.commit()

    set_to("en")
    old = ledger.at(ledger.version).as_of(dt.date(2026, 6, 30))
    assert ledger.as_of(dt.date(2026, 6, 30)).settings["language"] == old.settings["language"] == "en"
    assert ledger.as_of(dt.date(2026, 6, 30)).settings is ledger.as_of(dt.date(2026, 6, 30)).settings
    before = ledger.state.last.recorded_at
    set_to("zh")
    assert ledger.as_of(dt.date(2026, 6, 30)).settings["language"] == "zh"
    assert ledger.as_of(dt.date(2026, 6, 30), before).settings["language"] == "en", "as it was known then"
    assert old.settings["language"] == "en"
    assert ledger.as_of(dt.date(2026, 6, 30)).limited(Scope(groups=frozenset({"g"}))).settings["language"] == "zh"
