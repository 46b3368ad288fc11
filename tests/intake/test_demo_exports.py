"""The demo economy, written as an ERP exports it and read back, owes what it owed."""

from __future__ import annotations

import pytest

from duecourse.intake.importer import import_file
from duecourse.ledger.store import Ledger
from duecourse.measures.receivables import outstanding
from duecourse.samples.economy import write
from duecourse.samples.exports import write_exports
from duecourse.samples.parameters import Economy
from support.ledgers import ENGINE

ECONOMY = Economy(invoices=4_000, buyers=60, seed=11)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    return write_exports(ECONOMY, tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    ledger = Ledger.open(tmp_path_factory.mktemp("truth") / "ledger", engine=ENGINE, create=True)
    write(ledger, ECONOMY)
    return balances(ledger)


def balances(ledger):
    """Per currency: outstanding, unapplied credits, net."""
    book = ledger.as_of(ECONOMY.until)
    rows = book.run(outstanding(book)).to_pylist()
    return {row["currency"]: (row["outstanding"], row["unapplied_credits"], row["net"]) for row in rows if row["outstanding"] or row["net"]}


def test_line_items_customers_and_the_open_item_list_agree(exports, truth, tmp_path):
    ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    import_file(ledger, exports.line_items)
    after_items = balances(ledger)
    assert {currency: net for currency, (_out, _credits, net) in after_items.items()} == {c: net for c, (_o, _u, net) in truth.items()}
    for path in (exports.customers, exports.open_items):
        assert not import_file(ledger, path).quarantined
        assert balances(ledger) == after_items  # a profile owes nothing, and the list says what is known already


def test_the_open_item_list_alone_gives_what_is_outstanding(exports, truth, tmp_path):
    ledger = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    import_file(ledger, exports.open_items)
    assert {currency: out for currency, (out, _u, _n) in balances(ledger).items()} == {c: out for c, (out, _u, _n) in truth.items()}
