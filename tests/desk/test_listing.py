"""The list of buyers says what the measures say, however it is filtered, sorted and cut into pages."""

from __future__ import annotations

import datetime as dt
import threading

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse import samples
from duecourse.desk import standing as standings
from duecourse.desk.listing import BuyersQuery, export_buyers, facets, list_buyers
from duecourse.desk.standing import BUCKETS, COLUMNS, MONEY, TOTALS, make, standing
from duecourse.engines.fused import refresh
from duecourse.engines.fused.scan import find, searchable
from duecourse.errors import OptionMisusedError
from duecourse.ledger.scope import Scope

ALL = 10_000


@pytest.fixture
def everything(book):
    """Every row as the measures and the profiles have it, by buyer and currency."""
    profile = {row["buyer_id"]: row for row in book.run(book.buyer).to_pylist()}
    kept = ("name", "name_local", "registration_number", "country", "city", "sector", "group_id", "group_name", "sales_owner", "legal_entity", "payment_terms_days", "customer_since")  # fmt: skip
    rows = [{**row, **{name: profile[row["buyer_id"]][name] for name in kept}} for row in refresh(book, engine="expressions").to_pylist()]
    return {(row["buyer_id"], row["currency"]): row for row in rows}


def keys(page):
    return [(row["buyer_id"], row["currency"]) for row in page.rows]


def test_its_rows_are_the_measures_and_the_profile(book, everything):
    page = list_buyers(book, BuyersQuery(limit=ALL))
    assert page.total == len(everything) == len(page.rows)
    assert page.buyers == len({buyer for buyer, _ in everything})
    for row in page.rows:
        should = everything[row["buyer_id"], row["currency"]]
        for name, value in should.items():
            assert row[name] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value), name
    before = {(r["buyer_id"], r["currency"]): r for r in refresh(type(book)(book.ledger, book.on - dt.timedelta(days=30))).to_pylist()}
    for row in page.rows:
        then = before.get((row["buyer_id"], row["currency"]), {"outstanding": 0, "overdue": 0})
        assert row["outstanding_change_30d"] == row["outstanding"] - then["outstanding"]
        assert row["overdue_change_30d"] == row["overdue"] - then["overdue"]


def test_the_largest_overdue_in_base_currency_come_first(book):
    rows = list_buyers(book, BuyersQuery(limit=ALL)).rows
    assert len({row["currency"] for row in rows}) > 1
    amounts = [row["overdue_base"] for row in rows]
    assert amounts == sorted(amounts, reverse=True)


@given(data=st.data())
@settings(max_examples=40)
def test_any_filter_sort_and_page_equal_plain_python(small_ledger, data):
    book = small_ledger.as_of(dt.date(2026, 10, 31))
    whole = list_buyers(book, BuyersQuery(sort="buyer_id", limit=ALL)).rows
    some = st.sampled_from(whole)

    def values(name):
        return frozenset(data.draw(some)[name] or "" for _ in range(data.draw(st.integers(0, 2))))

    chosen = {name: values(column) for name, column in (("countries", "country"), ("sectors", "sector"), ("sales_owners", "sales_owner"), ("currencies", "currency"), ("legal_entities", "legal_entity"))}  # fmt: skip
    word = data.draw(some)[data.draw(st.sampled_from(["name", "name_local", "buyer_id", "registration_number"]))] or ""
    start = data.draw(st.integers(0, max(len(word) - 1, 0)))
    text = data.draw(st.sampled_from(["", word[start : start + data.draw(st.integers(1, 5))].upper()]))
    figure = data.draw(st.sampled_from(["open_invoices", "dso_countback", "oldest_days_past_due", "last_payment_date", "days_beyond_terms_365d"]))  # fmt: skip
    limit = data.draw(some)[figure]
    bound = data.draw(st.sampled_from(["at_least", "at_most"]))
    bucket = data.draw(st.sampled_from(["", *BUCKETS]))
    overdue_only = data.draw(st.booleans())
    sort = data.draw(st.sampled_from([name for name in COLUMNS if name not in MONEY]))
    falls = data.draw(st.booleans())
    offset, size = data.draw(st.integers(0, 60)), data.draw(st.integers(0, 30))
    scope = Scope(sales_owners=values("sales_owner") - {""})
    limits = {bound: {figure: limit}} if limit is not None and data.draw(st.booleans()) else {}
    query = BuyersQuery(text=text, overdue_only=overdue_only, bucket=bucket, sort=sort, descending=falls, offset=offset, limit=size, **chosen, **limits)  # fmt: skip

    def fits(row):
        fields = [(row[name] or "").lower() for name in ("buyer_id", "name", "name_local", "registration_number")]
        columns = {"countries": "country", "sectors": "sector", "sales_owners": "sales_owner", "currencies": "currency", "legal_entities": "legal_entity"}  # fmt: skip
        of_value = row[figure]
        return (
            any(text.strip().lower() in one for one in fields)
            and all(not chosen[name] or (row[column] or "") in chosen[name] for name, column in columns.items())
            and (not overdue_only or row["overdue"] > 0)
            and (not bucket or row[bucket] > 0)
            and (not limits or (of_value is not None and (of_value >= limit if bound == "at_least" else of_value <= limit)))
            and (not scope.sales_owners or row["sales_owner"] in scope.sales_owners)
        )

    should = [row for row in whole if fits(row)]
    there = [row for row in should if row[sort] is not None]
    fold = (lambda value: value.lower()) if sort in ("name", "name_local") else (lambda value: value)
    there.sort(key=lambda row: fold(row[sort]), reverse=falls)
    if falls:  # Python keeps equal ones in order also when reversed
        assert sorted(there, key=lambda row: fold(row[sort]), reverse=True) == there
    should_rows = there + [row for row in should if row[sort] is None]
    page = list_buyers(book.limited(scope), query)
    assert page.total == len(should)
    assert keys(page) == [(row["buyer_id"], row["currency"]) for row in should_rows[offset : offset + size]]
    for one in page.totals:
        own = [row for row in should if row["currency"] == one["currency"]]
        assert one["rows"] == len(own)
        assert all(one[name] == sum(row[name] for row in own) for name in TOTALS)
    assert sum(one["rows"] for one in page.totals) == len(should)
    schema, batches = export_buyers(book.limited(scope), query, ("buyer_id", "currency", "overdue_base", "customer_since"), batch_rows=7)
    exported = pa.Table.from_batches(list(batches), schema).to_pylist()
    assert [(row["buyer_id"], row["currency"]) for row in exported] == [(row["buyer_id"], row["currency"]) for row in should_rows]
    for name, values_shown in facets(book.limited(scope), query).items():
        if name != "groups" and not chosen[name]:
            assert sum(count for _, count in values_shown) == len(should)


def test_limits_of_amounts_are_read_in_the_currency_filtered_by_else_in_base(book):
    one = list_buyers(book, BuyersQuery(currencies=frozenset({"JPY"}), at_least={"outstanding": 1_000_000}, limit=ALL))
    assert one.amounts_in == "JPY"
    assert all(row["outstanding"] >= 1_000_000 for row in one.rows)
    both = list_buyers(book, BuyersQuery(at_least={"outstanding": 1_000_000}, limit=ALL))
    assert both.amounts_in == both.base_currency == "CNY"
    assert min(row["outstanding_base"] for row in both.rows) >= 1_000_000
    rest = list_buyers(book, BuyersQuery(at_most={"outstanding": 999_999}, limit=ALL))
    assert both.total + rest.total == list_buyers(book, BuyersQuery()).total


def test_totals_in_base_are_each_currency_converted_once(book):
    page = list_buyers(book, BuyersQuery(limit=1))
    factors = standing(book).factors
    assert page.base["outstanding"] == sum(int(one["outstanding"] * factors[one["currency"]] + 0.5) for one in page.totals)


@pytest.mark.parametrize("bad", [{"sort": "nonsense"}, {"at_least": {"name": 1}}, {"bucket": "days_1_2"}, {"offset": -1}])
def test_what_there_is_not_is_refused(book, bad):
    with pytest.raises(OptionMisusedError):
        list_buyers(book, BuyersQuery(**bad))


def test_a_book_limited_to_a_company_has_figures_of_its_own(book):
    limited = book.limited(Scope(legal_entities=frozenset({"EU01"})))
    page = list_buyers(limited, BuyersQuery(limit=ALL))
    should = {(row["buyer_id"], row["currency"]): row["outstanding"] for row in refresh(limited).to_pylist()}
    assert {(row["buyer_id"], row["currency"]): row["outstanding"] for row in page.rows} == should
    assert 0 < page.total < list_buyers(book, BuyersQuery()).total


def test_an_empty_ledger_and_one_in_memory():
    empty = samples.book(dt.date(2025, 6, 30))
    page = list_buyers(empty, BuyersQuery(text="x", groups=frozenset({"g"})))
    assert (page.rows, page.total, page.buyers, page.totals, page.base) == ([], 0, 0, [], None)
    assert facets(empty, BuyersQuery())["countries"] == []


def test_processes_that_make_it_at_once_do_no_harm(book, tmp_path):
    made = make(book)
    target = tmp_path / "1" / "standing-x"
    threads = [threading.Thread(target=standings.answers.keep_folder, args=(target, standings.found_writer(made))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mapped = standings._mapped(target)
    assert str(mapped.rows.to_pydict()) == str(made.rows.to_pydict())
    assert [path.name for path in target.parent.iterdir()] == ["standing-x"]


@given(
    texts=st.lists(st.text("ab\u5317\u4eac", max_size=12), min_size=1, max_size=30),
    wanted=st.text("ab\u5317\u4eac", min_size=1, max_size=5),
)
@settings(max_examples=300)
def test_finding_a_text_equals_looking_at_each(texts, wanted):
    import numpy as np

    encoded = [text.encode() + b"\n" for text in texts]
    blob = np.frombuffer(b"".join(encoded), np.uint8)
    starts = np.concatenate(([0], np.cumsum([len(one) for one in encoded]))).astype(np.int64)
    found = find(searchable(blob), starts, wanted.encode(), np.bincount(blob, minlength=256))
    assert found.tolist() == [wanted in text for text in texts]
