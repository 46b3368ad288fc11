"""Screening everybody and deciding about what was found: a verdict is kept here and put out to the ledger in one transaction, and never asked for again."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from duecourse.web.accounts.audit import record
from duecourse.web.evidence.models import ListHit, ListVerdict, ScreeningRun
from duecourse.web.outbox.sending import put_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from duecourse.ledger.book import Book

SHOWN: Final = ("name", "other_names", "entity_kind", "country", "numbers", "programme", "listed_on", "text")
MOST_HITS: Final = 50_000


def screen_everybody(book: Book, progress: Callable[[float], None] | None = None) -> dict[str, int]:
    """Compare every buyer with every entry; what is found and not decided waits for a person. The same again changes nothing."""
    from duecourse.desk.screening import answer_of, buyers_of, entries_of, screen  # noqa: PLC0415 — heavy: only where the work is done

    entries, buyers = entries_of(book), list(buyers_of(book))
    decided = set(ListVerdict.objects.values_list("buyer_id", "list_name", "entry_id", "fingerprint"))
    found: dict[tuple[str, str, str], ListHit] = {}

    def told(each: list[Any]) -> Any:
        for number, buyer in enumerate(each):
            if progress and number % 500 == 0:
                progress(number / max(len(each), 1))
            yield buyer

    for hit in screen(told(buyers), entries):
        one = hit.entry
        key = hit.buyer.buyer_id, one.list_name, one.entry_id
        if (*key, one.fingerprint) in decided or len(found) >= MOST_HITS:
            continue
        shown = {name: str(one.row[name]) if one.row[name] is not None else "" for name in SHOWN}
        found[key] = ListHit(
            buyer_id=key[0], list_name=key[1], entry_id=key[2], fingerprint=one.fingerprint, score=hit.compared.score, outcome=hit.compared.outcome,
            answer=answer_of(hit.compared), entry=shown,
        )  # fmt: skip
    with transaction.atomic():
        ListHit.objects.all().delete()
        ListHit.objects.bulk_create(found.values(), batch_size=500)
        ScreeningRun.objects.create(ledger_version=book.version, buyers=len(buyers), entries=len(entries), hits=len(found))
    return {"buyers": len(buyers), "entries": len(entries), "hits": len(found)}


def decide(request: HttpRequest, book: Book, hit: ListHit, *, is_match: bool, reason: str) -> ListVerdict:
    """A person's verdict: remembered, put out as a decision, and where it is a match as a signal, too."""
    from duecourse.decisions.record import basis_of, decision_row  # noqa: PLC0415 — loads Arrow: only where something is decided
    from duecourse.desk.screening import RULE  # noqa: PLC0415

    now = timezone.now()
    person: Any = request.user
    decision_id = f"S{now:%Y%m%d}-{secrets.token_hex(6)}"
    with transaction.atomic():
        row = ListHit.objects.select_for_update().get(pk=hit.pk)
        verdict = ListVerdict.objects.create(
            buyer_id=row.buyer_id, list_name=row.list_name, entry_id=row.entry_id, fingerprint=row.fingerprint, is_match=is_match, reason=reason,
            answer=row.answer, entry=row.entry, decision_id=decision_id, by=person, at=now,
        )  # fmt: skip
        asked = {"list_name": row.list_name, "entry_id": row.entry_id, "fingerprint": row.fingerprint}
        put_out(
            "decision",
            decision_row(
                decision_id=decision_id, kind="list_verdict", basis=basis_of(book), rules={"screening": RULE}, inputs={**asked, "reason": reason},
                answer=row.answer, outcome="match" if is_match else "no_match", decided_on=now.date(), decided_at=now, made_by=person.username, buyer_id=row.buyer_id,
            ),
        )  # fmt: skip
        if is_match:
            put_out(
                "signal",
                {
                    "signal_id": f"list-{decision_id}", "buyer_id": row.buyer_id, "kind": "list_match", "severity": "red", "published_on": now.date(),
                    "provider": row.list_name, "reference": row.entry_id, "text": f"{row.entry['name']} · {row.answer['score']:.0%} · {reason}"[:500],
                },
            )  # fmt: skip
        row.delete()
        record(
            request,
            "screening.match" if is_match else "screening.no_match",
            "buyer",
            verdict.buyer_id,
            list=verdict.list_name,
            entry=verdict.entry_id,
            reason=reason,
        )
    return verdict


def names_told(text: str) -> str:
    """A JSON list of names as one line."""
    return " · ".join(json.loads(text)) if text else ""
