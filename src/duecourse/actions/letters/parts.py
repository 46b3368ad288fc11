"""The parts letters are put together from; each says its own piece of the facts in the words it is given."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from duecourse.actions.letters.document import Block
from duecourse.actions.letters.rules import SETTLED_BY_LAW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duecourse.actions.letters.document import Texts
    from duecourse.actions.letters.facts import Invoice, LetterFacts, Party
    from duecourse.actions.letters.wording import Words


def head(text: str) -> Block:
    """A heading."""
    return Block("heading", (text,))


def text(said: str) -> Block:
    """A paragraph."""
    return Block("text", (said,))


def pairs(rows: Iterable[tuple[str, str]]) -> Block:
    """Labels and values."""
    return Block("pairs", rows=tuple(((label,), (value,)) for label, value in rows))


def items(said: Iterable[str]) -> Block:
    """A numbered list."""
    return Block("items", rows=tuple(((one,),) for one in said))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: tuple[int, ...], foot: int = 0) -> Block:
    """A table; `right` names the columns of figures."""
    cells: tuple[tuple[Texts, ...], ...] = tuple(tuple((cell,) for cell in row) for row in rows)
    return Block("table", rows=cells, head=tuple((one,) for one in heads), right=right, foot=foot)


# --- who ------------------------------------------------------------------------------------------------------------------------------------


def party(one: Party, w: Words) -> str:
    """A firm in full: names, number, address."""
    names = list(dict.fromkeys(name for name in (w.name(one), one.name, one.local_name) if name)) or ["–"]
    said = [names[0] + "".join(f" ({name})" for name in names[1:])]
    if one.registration_number:
        said.append(w("registration", number=one.registration_number))
    if one.representative:
        said.append(w("represented", name=one.representative))
    if one.address:
        said.append(flat(w.address(one)))
    return ("，" if w.language == "zh" else "、" if w.language == "ja" else ", ").join(said)


def flat(address: str) -> str:
    """An address in one line."""
    lines = [line.strip() for line in address.splitlines() if line.strip()]
    return ("，" if any("\u4e00" <= sign <= "\u9fff" for sign in address) else ", ").join(lines)


def parties(f: LetterFacts, w: Words) -> list[Block]:
    """(1) Full registered names, numbers, addresses."""
    rows = [(w("creditor"), party(f.creditor, w)), (w("debtor"), party(f.debtor, w))]
    if f.guarantee is not None and f.kind == "guarantor_demand":
        rows.append((w("guarantor"), party(f.recipient, w)))
    return [pairs(rows)]


# --- what is owed ---------------------------------------------------------------------------------------------------------------------------


def is_ahead(f: LetterFacts) -> bool:
    """Is it a reminder of what is not due yet?"""
    return f.kind == "reminder" and all(one.days_late <= 0 for one in f.invoices)


def facts(f: LetterFacts, w: Words) -> list[Block]:
    """(2) Contract and orders, (3) the table of invoices, (4) what proves delivery."""
    args = {"us": w.name(f.creditor), "you": w.name(f.debtor), "principal": w.principal(f)}
    what = "ahead" if is_ahead(f) else "facts"
    said = w(f"{what}_contract", contract=w.contract(f.contract), **args) if f.contract is not None else w(f"{what}_invoices", **args)
    orders = list(dict.fromkeys(one.order_number for one in f.invoices if one.order_number))
    found = [head(w("facts_head", day=w.day(f.dated))), text(said)]
    if orders:
        found.append(text(w("orders", orders=", ".join(orders))))
    if f.previous:
        found.append(text(w("previous_one" if len(f.previous) == 1 else "previous", days=w.listed(w.day(one) for one in f.previous))))
    return [*found, invoices(f, w)]


def invoices(f: LetterFacts, w: Words) -> Block:
    """A row for each invoice, and what they come to in each currency."""
    with_orders = any(one.order_number for one in f.invoices)
    with_interest = f.kind != "reminder" and any(one.interest_minor for one in f.invoices)
    heads = ["invoice", *(["order"] if with_orders else []), "issued", "due", "currency", "amount", "paid", "open", "days", *(["interest"] if with_interest else [])]  # fmt: skip
    right = tuple(place for place, name in enumerate(heads) if name in ("amount", "paid", "open", "days", "interest"))
    rows = [_row(one, w, with_orders=with_orders, with_interest=with_interest) for one in f.invoices]
    foot = []
    for currency in sorted({one.currency for one in f.invoices}):
        own = [one for one in f.invoices if one.currency == currency]
        sums = (sum(one.amount_minor for one in own), sum(one.paid_minor for one in own), sum(one.outstanding_minor for one in own))
        cells = [w("col_total"), *([""] if with_orders else []), "", "", currency, *(w.amount(one, currency) for one in sums), ""]
        foot.append([*cells, *([w.amount(sum(one.interest_minor for one in own), currency)] if with_interest else [])])
    return table([w(f"col_{name}") for name in heads], [*rows, *foot], right, len(foot))


def _row(one: Invoice, w: Words, *, with_orders: bool, with_interest: bool) -> list[str]:
    number = one.invoice_id if one.instalment <= 1 else w("instalment", invoice=one.invoice_id, number=one.instalment)
    money = [w.amount(minor, one.currency) for minor in (one.amount_minor, one.paid_minor, one.outstanding_minor)]
    return [
        number, *([one.order_number] if with_orders else []), w.short(one.issue_date), w.short(one.due_date), one.currency, *money, str(one.days_late),
        *([w.amount(one.interest_minor, one.currency) if one.basis else "–"] if with_interest else []),
    ]  # fmt: skip


def delivery(f: LetterFacts, w: Words) -> list[Block]:
    """(4) The documents that prove delivery; without any, who disputes it is to say so."""
    proofs = [one for one in f.documents if one.delivery]
    if not proofs:
        return [text(w("delivery_none"))]
    said = []
    for one in proofs:
        line = w("delivery_line", text=one.text, day=w.day(one.on)) if one.on is not None else one.text
        said.append(w("delivery_of", invoice=one.invoice_id, text=line) if one.invoice_id else line)
    return [text(w("delivery")), items(said)]


def _days(w: Words, count: str) -> str:
    """A day count in the letter's language; 30E/360 and its like have one name everywhere."""
    if count == "months":
        return w("days_months")
    kind, _, base = count.replace("effective ", "effective/").partition("/")
    return w(f"days_{kind}", base=base) if kind in ("actual", "effective") else count


def sums(f: LetterFacts, w: Words) -> list[Block]:
    """(5) Principal, interest with rate, basis and day count, compensation, what each further day costs; (6) the total."""
    rows: list[tuple[str, str]] = []
    for one in f.totals:
        rows.append((w("row_principal"), w.money(one.principal_minor, one.currency)))
        if one.interest_minor:
            rows.append((w("row_interest", day=w.day(f.until)), w.money(one.interest_minor, one.currency)))
        if one.compensation_minor:
            rows.append((w("row_compensation"), w.money(one.compensation_minor, one.currency)))
        rows.append((w("row_total"), w.whole(one.total_minor, one.currency)))
        if one.daily_minor:
            rows.append((w("row_daily", day=w.day(f.until)), w("per_day", amount=w.money(one.daily_minor, one.currency))))
    found = [pairs(rows)]
    bearing = [one for one in f.invoices if one.interest_minor or one.daily_minor]
    used = {name for one in bearing for name in (one.basis, *(part.basis for part in one.segments)) if name}
    for basis in f.bases:
        if basis.name in used:
            rates = list(dict.fromkeys(basis.rates))
            said = w.rate(rates[0]) if len(rates) == 1 else w("rates_from", first=w.rate(min(rates, key=Decimal)), last=w.rate(max(rates, key=Decimal)))  # fmt: skip
            found.append(
                text(
                    w(
                        "basis_contract" if basis.contract else "basis_law",
                        cite=w.cite(basis.cite),
                        rates=said,
                        day_count=_days(w, basis.day_count),
                    )
                )
            )
    if any(not one.basis for one in f.invoices):  # what could not be worked out is not given up
        found.append(text(w("interest_none")))
    return found


def demand(f: LetterFacts, w: Words) -> list[Block]:
    """(5), (6) and (7): what is to be paid, and until when: a date, never soon."""
    name = "demand_general" if f.guarantee is not None and not f.guarantee.joint and f.kind == "guarantor_demand" else "demand"
    said = w(name, deadline=w.day(f.deadline), days=f.deadline_days, principal=w.principal(f), day=w.day(f.until))
    return [head(w("demand_head")), text(said), *sums(f, w)]


def bank(f: LetterFacts, w: Words) -> list[Block]:
    """(6) Where to pay, and that a change of account is only to be believed after a call."""
    if not f.accounts:
        return []
    found = [text(w("bank", number=f.number))]
    for one in f.accounts:
        rows = [(w("bank_holder"), one.holder), (w("bank_name"), one.bank), (w("bank_number"), one.number)]
        for label, value in (("bank_bic", one.bic), ("bank_address", one.bank_address), ("bank_currency", one.currency)):
            if value:
                rows.append((w(label), value))
        found.append(pairs(rows))
    warned = w("call_back", phone=f.call_back) if f.call_back else w("call_back_bare")
    return [*found, Block("notice", (warned,))]


# --- what follows ---------------------------------------------------------------------------------------------------------------------------


def consequences(f: LetterFacts, w: Words) -> list[Block]:
    """(8) What follows, in order."""
    said = []
    for name in f.consequences:
        if name != "proceed":
            said.append(w(f"c_{name}"))
            continue
        forum = f.contract.forum if f.contract is not None else ""
        kind = "c_arbitrate" if f.contract is not None and f.contract.arbitration else "c_proceed"
        said.append(w(f"{kind}_at", forum=forum) if forum else w(kind))
    return [head(w("consequences_head")), text(w("consequences", deadline=w.day(f.deadline))), items(said)]


def answer(f: LetterFacts, w: Words) -> list[Block]:
    """(10) Confirm under seal, or dispute with reasons, by a date."""
    found = [head(w("answer_head")), text(w("answer", deadline=w.day(f.deadline)))]
    return [*found, text(w("settle"))] if w.has("settle") else found


def reserve(f: LetterFacts, w: Words) -> list[Block]:
    """(9) No waiver, how payments are applied; the threshold of an instalment sale; what a demand does to limitation, where it does anything."""
    found = [head(w("reserve_head")), text(w("reserve", deadline=w.day(f.deadline)))]
    if f.kind != "reminder":
        cited = "order_cn" if f.law == "CN" and w.has("order_cn") else "order_law"
        found.append(text(w(cited if f.law in SETTLED_BY_LAW else "order_ours")))
    if f.threshold is not None and f.kind not in ("reminder", "payment_plan", "acknowledgement_of_debt"):
        at = f.threshold
        share = (Decimal(at.due_minor) / Decimal(at.price_minor)).quantize(Decimal("0.0001"), ROUND_FLOOR)
        name = "threshold_reached" if at.reached else "threshold_named"
        found.append(
            text(w(name, due=w.money(at.due_minor, at.currency), price=w.money(at.price_minor, at.currency), share=w.rate(str(share)), deadline=w.day(f.deadline)))
        )  # fmt: skip
    if f.interrupts and f.kind in ("demand_letter", "letter_before_action", "guarantor_demand"):
        found.append(text(w(f.interrupts)))
    return found


def signed(f: LetterFacts, w: Words) -> list[Block]:
    """(11) Signatory, seal, enclosures."""
    who = " ".join(part for part in (f.signatory, f.signatory_title and f"({f.signatory_title})") if part)
    us = w.name(f.creditor)
    rows = ((w("signed_for", us=us), w("seal"), who, w.day(f.dated)),)
    found = [Block("sign", rows=tuple(tuple((one,) for one in row) for row in rows))]
    enclosed = [
        f"{one.text}, {w.day(one.on)}" if one.on is not None and w.language not in ("zh", "ja") else f"{one.text}（{w.day(one.on)}）" if one.on is not None else one.text
        for one in f.documents if one.enclosed
    ]  # fmt: skip
    if has_annex(f):
        enclosed.append(w("enclosure_interest"))
    return [*found, head(w("enclosures_head")), items(enclosed)] if enclosed else found


def has_annex(f: LetterFacts) -> bool:
    """Is there a calculation of interest to show?"""
    return f.kind != "reminder" and any(one.segments for one in f.invoices)


def annex(f: LetterFacts, w: Words) -> list[Block]:
    """Every stretch of days of every invoice, so that the debtor can work it out again."""
    if not has_annex(f):
        return []
    rows = [
        [one.invoice_id if one.instalment <= 1 else w("instalment", invoice=one.invoice_id, number=one.instalment), w.short(part.start), w.short(part.end), str(part.days), one.currency,
         w.amount(part.principal_minor, one.currency), w.rate(part.rate), w.amount(part.interest_minor, one.currency)]
        for one in f.invoices for part in one.segments
    ]  # fmt: skip
    heads = [w("col_invoice"), w("annex_from"), w("annex_to"), w("annex_days"), w("col_currency"), w("annex_principal"), w("annex_rate"), w("annex_interest")]  # fmt: skip
    return [Block("break"), head(w("annex_head")), table(heads, rows, (3, 5, 6, 7))]
