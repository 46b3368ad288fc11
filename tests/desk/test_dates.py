"""The last day a ledger speaks of, and whether its past is long enough: answered from what was added, and as if the whole had been asked."""

from __future__ import annotations

import datetime as dt
import shutil

from hypothesis import given
from hypothesis import strategies as st

from duecourse.desk import answers, dates, watched
from duecourse.ledger.store import Ledger
from support.examples import examples
from support.ledgers import ENGINE, add, invoice

ACTS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.integers(1, 4), st.integers(0, 900)), min_size=1, max_size=3, unique_by=lambda one: one[0]),
        st.integers(0, 5),
        st.just("sort"),
    ),
    min_size=1,
    max_size=6,
)
BEGIN = dt.date(2023, 1, 1)


def bill(number, day):
    return invoice(number, issue_date=BEGIN + dt.timedelta(days=day), due_date=BEGIN + dt.timedelta(days=day + 30))


@given(ACTS)
@examples(12, 150)
def test_what_was_added_is_answered_as_the_whole_is(tmp_path_factory, acts):
    ledger = Ledger.open(tmp_path_factory.mktemp("dates") / "ledger", engine=ENGINE, create=True)
    batches = []
    for act in acts:
        if act == "sort":
            ledger.compact()
        elif isinstance(act, int):
            if batches:
                ledger.void(batches.pop(act % len(batches)), "wrong")
        else:
            batches.append(add(ledger, [bill(number, day) for number, day in act]).batch_id)
        book = ledger.as_of(BEGIN + dt.timedelta(days=901))
        days = book.run(book.invoice.select("issue_date"))["issue_date"].to_pylist()
        assert dates.last_day(ledger) == max(days, default=None)
        assert watched.short_history(book) == (not days or (book.on - min(days)).days < watched.SHORT_HISTORY_DAYS)


def test_another_ledger_in_the_same_folder_is_asked_anew(tmp_path):
    for day in (800, 5):
        ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
        add(ledger, [bill(1, day)])
        assert dates.last_day(ledger) == BEGIN + dt.timedelta(days=day)
        add(ledger, [bill(2, day - 1)])
        assert dates.last_day(ledger) == BEGIN + dt.timedelta(days=day)
        shutil.rmtree(tmp_path / "ledger")


def test_only_the_batches_of_the_tables_asked_for_are_told(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    begun = ledger.version
    first = add(ledger, [bill(1, 1)]).batch_id
    add(ledger, [{"buyer_id": "b1", "name": "One"}], "buyer")
    assert answers.added_since(ledger, begun, "invoice", "settlement") == {"invoice": [first]}
    middle = ledger.version
    add(ledger, [bill(1, 2)])
    assert answers.added_since(ledger, begun, "invoice") is None
    assert answers.added_since(ledger, begun, "settlement") == {}
    assert answers.added_since(ledger, middle, "buyer") == {}
    assert answers.added_since(ledger, ledger.version + 1, "buyer") is None
