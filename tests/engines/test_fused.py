"""The fused pass gives what the expressions define, on any ledger and any day."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.desk.alone import answered
from duecourse.engines.duckdb import DuckDBEngine
from duecourse.engines.fused import MEASURES, FusedPassError, ensure, measure, measure_buyer, refresh
from duecourse.engines.fused import projection as projections
from duecourse.engines.fused.long_overdue import bounds, bounds_of_rows
from duecourse.engines.fused.paying import paying
from duecourse.engines.fused.projection import AmountsTooLargeError, build
from duecourse.ledger.entries import SETTLEMENT_KINDS
from duecourse.ledger.store import Ledger
from duecourse.measures.base import minor_rates
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.indicators.payment import oldest_unpaid, part_payments, payment_cycle
from duecourse.measures.long_overdue import long_overdue_course
from duecourse.risk.outcomes import default_events, defaults, definition, lasting
from duecourse.samples.book import memory_ledger
from duecourse.samples.economy import DEMO_UNTIL, Economy, write
from support.examples import examples

FIRST = date(2023, 1, 1)
BUYERS = ["A", "B", "C", "D", "E", "F", "É", "客户"]


def odd_ledger(random: Random, size: int):
    """Invoices and settlements in every odd relation: other buyers, currencies and instalments, before the invoice, of no invoice."""
    small = random.random() < 0.5  # few days, so that much falls on the same one

    def some_day() -> date:
        return FIRST + timedelta(days=random.randint(0, 40 if small and random.random() < 0.7 else 1100))

    def some_amount() -> int:
        return random.randint(1, random.choice([6, 10**7, 10**14]))

    invoices = []
    for number in range(size):
        issued = some_day()
        invoices.append(
            {
                "invoice_id": f"I{number // 2}", "instalment": number % 2 + 1, "buyer_id": random.choice(BUYERS), "issue_date": issued,
                "due_date": random.choice([issued + timedelta(days=random.randint(-5, 400))] * 9 + [None]), "amount_minor": some_amount(),
                "currency": random.choice(["CNY", "CNY", "CNY", "USD"]),
            }
        )  # fmt: skip
    settlements = []
    for _number in range(size):
        kind = random.choice([*SETTLEMENT_KINDS, "cash", "cash", "cash"])
        row = {"buyer_id": random.choice(BUYERS), "settle_date": some_day(), "amount_minor": some_amount() * random.choice([1, 1, 1, -1]),
               "currency": random.choice(["CNY", "USD"]), "kind": kind}  # fmt: skip
        if random.random() < 0.8:
            invoice = random.choice(invoices)
            row |= {"invoice_id": invoice["invoice_id"], "instalment": invoice["instalment"]}
            if random.random() < 0.8:
                row["currency"] = invoice["currency"]
            if random.random() < 0.5:
                row["buyer_id"] = invoice["buyer_id"]
            if random.random() < 0.5:
                row["amount_minor"] = random.choice([invoice["amount_minor"], -(-invoice["amount_minor"] // 2)])
        elif random.random() < 0.2:
            row |= {"invoice_id": "nowhere"}
        settlements.append(row)
    return {"invoice": invoices, "settlement": settlements}


def same(fused: pa.Table, defined: pa.Table) -> None:
    """Equal: whole numbers and dates to the unit, fractions to 1e-9."""
    keys = [("buyer_id", "ascending"), ("currency", "ascending")]
    assert fused.schema == MEASURES
    assert fused.num_rows == defined.num_rows
    fused, defined = fused.sort_by(keys), defined.sort_by(keys)
    for field in MEASURES:
        one, other = fused[field.name].to_pylist(), defined[field.name].to_pylist()
        if pa.types.is_floating(field.type):
            assert [x is None for x in one] == [x is None for x in other], field.name
            assert one == [None if x is None else pytest.approx(x, rel=1e-9, abs=1e-9) for x in other], field.name
        else:
            assert one == other, field.name


@contextmanager
def laid_out(facts, **how):
    """A ledger of these facts, and its columns."""
    ledger = memory_ledger(facts)
    with tempfile.TemporaryDirectory() as folder:
        yield ledger, build(ledger, Path(folder) / "columns", threads=1, **how)


def hold_equal(facts, days, chunk_rows):
    with laid_out(facts, chunk_rows=chunk_rows) as (ledger, columns):
        for on in days:
            book = ledger.as_of(on)
            defined = book.run(buyer_measures(book))
            same(measure(columns, on, threads=1), defined)
            same(measure(columns, on, threads=2), defined)
            for buyer in ("A", "É", "nobody"):
                same(measure_buyer(columns, buyer, on), defined.filter(pc.equal(defined["buyer_id"], buyer)))


def some_days(random: Random, count: int) -> list[date]:
    return [FIRST + timedelta(days=random.choice([random.randint(0, 45), random.randint(0, 1200)])) for _ in range(count)]


@settings(max_examples=3)
@given(seed=st.integers(0, 2**32), chunk_rows=st.sampled_from([1, 30, 1000]))
def test_it_gives_what_the_expressions_define(seed, chunk_rows):
    """Also when each buyer is a range of its own while building, so that settlements reach across ranges."""
    random = Random(seed)
    hold_equal(odd_ledger(random, random.choice([4, 30, 150])), some_days(random, 2), chunk_rows)


@pytest.mark.long
@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), chunk_rows=st.sampled_from([1, 30, 1000]))
def test_it_gives_what_the_expressions_define_on_many_ledgers(seed, chunk_rows):
    random = Random(seed)
    hold_equal(odd_ledger(random, random.choice([2, 4, 30, 150])), some_days(random, 3), chunk_rows)


@given(seed=st.integers(0, 2**32))
@examples(3, 60)
def test_how_paying_changes_is_as_the_expressions_define_it(seed):
    random = Random(seed)
    facts = odd_ledger(random, random.choice([4, 60, 300]))
    for row in (*facts["invoice"], *facts["settlement"]):  # so small that sums of floating point say the same in any order
        row["amount_minor"] = row["amount_minor"] // abs(row["amount_minor"]) * random.choice([1, 7, 600, 100_000])
    facts["setting"] = [{"name": "base_currency", "value": '"CNY"'}]
    if random.random() < 0.5:
        facts["exchange_rate"] = [
            {"provider": "own", "base_currency": "USD", "quote_currency": "CNY", "rate_date": FIRST + timedelta(days=day), "rate": 7.0} for day in range(0, 1300, 30)
        ]  # fmt: skip
    with laid_out(facts) as (ledger, columns):
        for on in some_days(random, 2):
            book = ledger.as_of(on)
            factors = {row["currency"]: row["factor"] for row in book.run(minor_rates(book)).to_pylist()}
            found = {row["buyer_id"]: row for row in paying(columns, on, factors, threads=2).to_pylist()}
            defined: dict[str, dict[str, float | None]] = {}
            for measure_of in (payment_cycle, oldest_unpaid, part_payments):
                for row in book.run(measure_of(book)).to_pylist():
                    defined.setdefault(row["buyer_id"], {}).update(row)
            assert set(found) == set(defined)
            for buyer, row in found.items():
                expected = defined[buyer]
                for name, value in row.items():
                    wanted = expected.get(name)
                    assert value == (wanted if wanted is None or name == "buyer_id" else pytest.approx(wanted, rel=1e-9, abs=1e-9)), (
                        buyer,
                        name,
                    )


@given(seed=st.integers(0, 2**32))
@examples(4, 120, deadline=None)
def test_who_is_in_default_is_the_same_where_the_columns_spare_most_pasts(seed):
    random = Random(seed)
    facts = odd_ledger(random, random.choice([4, 60, 150]))
    for row in (*facts["invoice"], *facts["settlement"]):
        row["amount_minor"] = row["amount_minor"] // abs(row["amount_minor"]) * random.choice([1, 60_000, 450_000])
    names = random.sample(BUYERS, 2)
    facts["signal"] = [
        {"signal_id": f"s{place}", "buyer_id": name, "kind": "insolvency", "published_on": FIRST + timedelta(days=random.randint(0, 900)),
         "ended_on": random.choice([None, FIRST + timedelta(days=900)])} for place, name in enumerate(names)
    ]  # fmt: skip
    share = random.choice([0.0, 0.05, 0.6])
    stated = {
        kind: {"share": share, "cure_days": random.choice([0, 1, 90]), "used": random.random() < 0.8} for kind in ("past_due", "write_off")
    }
    stated |= {kind: {"used": random.random() < 0.7} for kind in ("insolvency", "enforcement")}
    wording = definition(settings={"default_definitions": {"definitions": {"default": stated}}})
    age = wording["past_due"]["days_past_due"]
    with laid_out(facts) as (ledger, columns):
        for on in some_days(random, 3):
            book = ledger.as_of(on)
            events = defaults(default_events(book, wording))
            exact = events.filter(pc.is_null(events["cured_on"]))
            ask, buyers = partial(answered, book), pa.array(BUYERS)
            found = lasting(book, wording, buyers, ask, bounds=lambda days, on=on: bounds(columns, on, days_past_due=age, within_days=days))
            assert found.equals(exact) and lasting(book, wording, buyers, ask).equals(exact)
            billed, settled = (
                book.run(rows.filter(rows[name].notnull())) for rows, name in ((book.invoice, "buyer_id"), (book.settlement, "invoice_id"))
            )
            few = bounds_of_rows(billed, settled, on, days_past_due=age, within_days=90)
            mine = {(row["buyer_id"], row["currency"]): row for row in few.to_pylist()}
            assert all(
                mine.get((row["buyer_id"], row["currency"]), row) == row
                for row in bounds(columns, on, days_past_due=age, within_days=90).to_pylist()
            )
            course = book.run(long_overdue_course(book, days_past_due=age, leave_out_disputed=False)).to_pylist()
            since = (on - date(1970, 1, 1)).days - 90
            for row in bounds(columns, on, days_past_due=age, within_days=90).to_pylist():
                mine = sorted(
                    (one for one in course if (one["buyer_id"], one["currency"]) == (row["buyer_id"], row["currency"])),
                    key=itemgetter("moved_on"),
                )
                counts = [one for one in mine if one["moved_on"] >= since] + [one for one in mine if one["moved_on"] <= since][-1:]
                assert max([one["long_overdue"] for one in counts], default=0) <= row["most_long_overdue"]
                assert not counts or row["least_outstanding"] <= min(one["outstanding"] for one in counts)


def test_it_gives_what_the_expressions_define_at_the_edges():
    """An empty ledger; a day before the first fact and one long after the last; the day of the fact itself."""
    invoice = {"invoice_id": "1", "buyer_id": "A", "issue_date": FIRST, "due_date": FIRST + timedelta(days=30), "amount_minor": 100}
    settlement = {"invoice_id": "1", "buyer_id": "B", "settle_date": FIRST - timedelta(days=9), "amount_minor": 100}
    hold_equal({"invoice": [], "settlement": []}, [FIRST], 10)
    days = [FIRST - timedelta(days=10), FIRST - timedelta(days=9), FIRST - timedelta(days=1), FIRST, FIRST + timedelta(days=5000)]
    hold_equal({"invoice": [invoice], "settlement": [settlement]}, days, 1)
    # All that buyer B has belongs to A.
    hold_equal({"invoice": [invoice], "settlement": [settlement | {"settle_date": FIRST}]}, [FIRST], 1)


def test_amount_times_days_stays_exact_beyond_64_bits():
    """4e18 minor units, 3,000 days late: their product has 74 bits."""
    big = 4 * 10**18 - 7
    facts = {
        "invoice": [{"invoice_id": "1", "buyer_id": "A", "issue_date": FIRST, "due_date": FIRST, "amount_minor": big}],
        "settlement": [{"invoice_id": "1", "buyer_id": "A", "settle_date": FIRST + timedelta(days=2900), "amount_minor": big // 2}],
    }
    with laid_out(facts) as (_ledger, columns):
        row = measure(columns, FIRST + timedelta(days=3000)).to_pylist()[0]
    assert row["outstanding"] == big - big // 2
    assert row["weighted_days_late_open"] == pytest.approx(3000, rel=1e-15)
    assert row["days_beyond_terms_365d"] == pytest.approx(2900, rel=1e-15)


def test_amounts_that_cannot_be_added_exactly_are_refused(tmp_path):
    facts = {
        "invoice": [
            {"invoice_id": str(n), "buyer_id": "A", "issue_date": FIRST, "due_date": FIRST, "amount_minor": 9 * 10**18} for n in range(2)
        ],
        "settlement": [],
    }
    with pytest.raises(AmountsTooLargeError, match="buyer A in CNY"):
        build(memory_ledger(facts), tmp_path / "columns")


def test_it_gives_what_the_expressions_define_on_the_demo_economy(tmp_path):
    """From the ledger's own files: amid the history, before its last facts, and long after them."""
    demo = Ledger.open(tmp_path / "demo", engine=DuckDBEngine(threads=1), create=True)
    write(demo, Economy(invoices=3_000, seed=7))
    demo.compact()
    for on in (DEMO_UNTIL - timedelta(days=900), DEMO_UNTIL - timedelta(days=45), DEMO_UNTIL + timedelta(days=400)):
        book = demo.as_of(on)
        same(refresh(book, engine="fused"), refresh(book, engine="expressions"))


# In a ledger on disk


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger", engine=DuckDBEngine(threads=1), create=True)
    add(ledger, 1, 100)
    return ledger


def add(ledger: Ledger, number: int, amount: int) -> str:
    row = {"invoice_id": [f"I{number}"], "instalment": pa.array([1], pa.int32()), "buyer_id": [f"B{number}"], "issue_date": [FIRST],
           "due_date": [FIRST], "amount_minor": [amount], "currency": ["CNY"]}  # fmt: skip
    with ledger.draft() as draft:
        draft.put("invoice", pa.table(row))
        draft.commit()
    return draft.batch_id


def outstanding(table: pa.Table) -> dict[str, int]:
    return {row["buyer_id"]: row["outstanding"] for row in table.to_pylist()}


def folders(ledger: Ledger) -> list[Path]:
    return [path for path in (ledger.storage.folder / ".projection").iterdir() if path.is_dir()]


def test_a_projection_follows_the_ledger(ledger):
    """New facts, corrections and withdrawals each make a new projection and the old one goes; a compaction changes no figure."""
    on = FIRST + timedelta(days=5)
    assert outstanding(refresh(ledger.as_of(on), engine="fused")) == {"B1": 100}
    assert ensure(ledger).folder == ensure(ledger).folder
    second = add(ledger, 2, 50)
    assert projections.current(ledger) is None
    assert outstanding(refresh(ledger.as_of(on), engine="fused")) == {"B1": 100, "B2": 50}
    add(ledger, 1, 70)
    assert outstanding(refresh(ledger.as_of(on), engine="fused")) == {"B1": 70, "B2": 50}
    ledger.void(second, "wrong file")
    assert outstanding(refresh(ledger.as_of(on), engine="fused")) == {"B1": 70}
    ledger.compact()
    assert outstanding(refresh(ledger.as_of(on), engine="fused")) == {"B1": 70}
    assert len(folders(ledger)) == 1


def test_the_expressions_answer_where_the_pass_cannot(ledger):
    """No projection yet, a book as known earlier, a ledger at an earlier version."""
    on = FIRST + timedelta(days=5)
    before = ledger.state.last.recorded_at
    assert outstanding(refresh(ledger.as_of(on))) == {"B1": 100}
    assert not (ledger.storage.folder / ".projection").exists()
    earlier = ledger.at(ledger.version)
    add(ledger, 2, 50)
    ensure(ledger)
    assert outstanding(refresh(ledger.as_of(on))) == {"B1": 100, "B2": 50}
    assert outstanding(refresh(ledger.as_of(on, before))) == {"B1": 100}
    assert outstanding(refresh(earlier.as_of(on))) == {"B1": 100}
    with pytest.raises(FusedPassError, match="2023-01-06"):
        refresh(ledger.as_of(on, before), engine="fused")
    with pytest.raises(FusedPassError):
        refresh(memory_ledger({}).as_of(on), engine="fused")


def test_what_a_killed_build_left_is_neither_used_nor_kept(ledger):
    left = ledger.storage.folder / ".projection" / "building-0123"
    left.mkdir(parents=True)
    (left / "manifest.json").write_text("{}")
    damaged = ledger.storage.folder / ".projection" / projections.fingerprint(ledger)
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    assert projections.current(ledger) is None
    assert outstanding(refresh(ledger.as_of(FIRST), engine="fused")) == {"B1": 100}
    assert folders(ledger) == [damaged]
