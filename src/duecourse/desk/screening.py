"""Does a buyer stand on a list of sanctioned or dishonest persons? Candidates by name, a rule that shows what agrees, a person who decides.  名单筛查

A list lies in the ledger, so that what it said when somebody decided can be asked for again; the question itself is worked out from the
buyer and the entry alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from duecourse.errors import ListEntryUnknownError
from duecourse.reference.identifiers import tidy
from duecourse.reference.names import LIGHT_WORDS, Parts, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from duecourse.ledger.book import Book

Outcome = Literal["likely", "look", "no"]

RULE: Final = "names_v1"
LIKELY: Final = 0.93
LOOK: Final = 0.80
"""From here on a person looks; from LIKELY on it is hardly another firm."""

COMMON: Final = 400
"""A key that so many entries share finds nothing by itself."""
MOST_CANDIDATES: Final = 40
LEAST_KEYS: Final = 0.34
"""An entry with fewer of a buyer's keys than this share of the best one's is another name."""

SAME_WORD: Final = 85.0
SHORT: Final = 2


@dataclass(frozen=True)
class Entry:
    """An entry of a list as it is compared."""

    list_name: str
    entry_id: str
    names: tuple[str, ...]
    country: str
    numbers: frozenset[str]
    row: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """Changes when what the entry says changes: a verdict holds as long as it does not."""
        told = [self.list_name, self.entry_id, *sorted(self.names), self.country, *sorted(self.numbers)]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Buyer:
    """A buyer as it is compared."""

    buyer_id: str
    names: tuple[str, ...]
    country: str
    numbers: frozenset[str]


@dataclass(frozen=True)
class Compared:
    """How alike a buyer and an entry are: score 0 to 1, outcome, and what agrees or not: [{part, agrees, of, with}]."""

    score: float
    outcome: Outcome
    name: str
    with_name: str
    evidence: Sequence[Mapping[str, str]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Hit:
    """A pair that a person should look at."""

    buyer: Buyer
    entry: Entry
    compared: Compared


def entries_of(book: Book) -> list[Entry]:
    """Every entry of every list as the book has them."""
    return [_entry(row) for row in book.run(book.list_entry).to_pylist()]


def _entry(row: Mapping[str, Any]) -> Entry:
    names = (row["name"], *json.loads(row["other_names"] or "[]"))
    numbers = frozenset(tidy(number) for number in json.loads(row["numbers"] or "[]"))
    return Entry(
        row["list_name"], row["entry_id"], tuple(dict.fromkeys(name for name in names if name)), row["country"] or "", numbers, row
    )


def buyers_of(book: Book) -> Iterator[Buyer]:
    """Every buyer of the book that has a name."""
    table = book.buyer
    names = ("buyer_id", "name", "name_local", "registration_number", "vat_number", "lei", "country")
    for row in book.run(table.select(*names)).to_pylist():
        yield buyer_from(row)


def buyer_from(row: Mapping[str, Any]) -> Buyer:
    """A buyer's profile as it is compared."""
    numbers = frozenset(tidy(row[name]) for name in ("registration_number", "vat_number", "lei") if row.get(name))
    return Buyer(row["buyer_id"], tuple(row[name] for name in ("name", "name_local") if row.get(name)), row.get("country") or "", numbers)


# Comparing two


def compare(buyer: Buyer, entry: Entry) -> Compared:
    """How alike are they, and by what?  名称比对

    A register's number in common decides. Otherwise the best pair of names of one script counts, less where country or numbers disagree.
    """
    shared = buyer.numbers & entry.numbers
    best = max(
        (compare_names(one, other) for one in buyer.names for other in entry.names),
        key=lambda found: found.score,
        default=Compared(0.0, "no", "", ""),
    )
    evidence = list(best.evidence)
    score = best.score
    if shared:
        number = min(shared)
        return Compared(1.0, "likely", best.name, best.with_name, (_told("number", "yes", number, number), *evidence))
    if buyer.numbers and entry.numbers and _same_kind(buyer.numbers, entry.numbers):
        score -= 0.12
        evidence.append(_told("number", "no", min(buyer.numbers), min(entry.numbers)))
    if buyer.country and entry.country:
        same = buyer.country == entry.country
        score += 0.02 if same else -0.06
        evidence.append(_told("country", "yes" if same else "no", buyer.country, entry.country))
    score = round(min(max(score, 0.0), 0.999), 4)
    outcome: Outcome = "likely" if score >= LIKELY else "look" if score >= LOOK else "no"
    return Compared(score, outcome, best.name, best.with_name, tuple(evidence))


def _same_kind(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    """Are there numbers of one register on both sides, so that they could have been the same?"""
    return bool({(len(one), one[:2].isalpha()) for one in ours} & {(len(one), one[:2].isalpha()) for one in theirs})


def compare_names(name: str, other: str) -> Compared:
    """Two names; of two scripts nothing can be said."""
    one, two = parts_of(name), parts_of(other)
    if one.script != two.script or not one.brand or not two.brand:
        return Compared(0.0, "no", name, other)
    score, evidence = _chinese(one, two) if one.script == "chinese" else _latin(one, two)
    return Compared(score, "no", name, other, tuple(evidence))


def _chinese(one: Parts, two: Parts) -> tuple[float, list[Mapping[str, str]]]:
    if one.whole == two.whole:
        return 0.97, [_told("name", "yes", one.whole, two.whole)]
    alike = Levenshtein.normalized_similarity(one.brand, two.brand)
    evidence = [_told("brand", "yes" if alike == 1 else "near" if alike >= 0.6 else "no", one.brand, two.brand)]
    score = 0.78 * alike
    for part, weight in (("region", 0.07), ("trade", 0.09), ("form", 0.03)):
        ours, theirs = getattr(one, part), getattr(two, part)
        if ours and theirs:
            same = ours == theirs or ours in theirs or theirs in ours
            score += weight if same else -weight
            evidence.append(_told(part, "yes" if same else "no", ours, theirs))
        else:
            score += weight / 3  # not said on one side
    if min(len(one.brand), len(two.brand)) <= SHORT and alike < 1:
        score -= 0.15  # of two signs one other is another name
    return max(score, 0.0), evidence


def _latin(one: Parts, two: Parts) -> tuple[float, list[Mapping[str, str]]]:
    if one.words == two.words:
        return (0.97 if len(one.words) > 1 or len(one.brand) > 5 else 0.9), [_told("name", "yes", one.brand, two.brand)]
    pairs, left = [], list(two.words)
    for word in sorted(one.words, key=len, reverse=True):
        best = max(left, key=lambda other: fuzz.ratio(word, other), default="")
        if best and fuzz.ratio(word, best) >= (SAME_WORD if min(len(word), len(best)) > 3 else 100):
            pairs.append((word, best))
            left.remove(best)
    matched = sum(_weight(word) * fuzz.ratio(word, other) / 100 for word, other in pairs)
    ours, theirs = sum(map(_weight, one.words)), sum(map(_weight, two.words))
    joined = fuzz.ratio("".join(one.words), "".join(two.words)) / 100
    sorted_ = fuzz.ratio("".join(sorted(one.words)), "".join(sorted(two.words))) / 100
    cover = matched * 2 / (ours + theirs) if pairs else 0.0
    score = max(0.96 * cover, 0.95 * joined if joined >= 0.9 else 0.0, 0.95 * sorted_ if sorted_ >= 0.92 else 0.0)
    evidence = [_told("word", "yes" if word == other else "near", word, other) for word, other in pairs]
    evidence += [_told("word", "no", word, "") for word in one.words if word not in {pair[0] for pair in pairs}]
    return score, evidence + [_told("word", "no", "", word) for word in left]


def _weight(word: str) -> float:
    return 0.4 if word in LIGHT_WORDS else 1.0 if len(word) > 3 else 0.7


def _told(part: str, agrees: str, ours: str, theirs: str) -> Mapping[str, str]:
    return {"part": part, "agrees": agrees, "of": ours, "with": theirs}


# Finding candidates among many


class Index:
    """The entries of lists by keys of their names, so that a buyer is compared with a few of them and not with all."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.by_number: dict[str, list[int]] = defaultdict(list)
        self.by_key: dict[str, list[int]] = defaultdict(list)
        for place, entry in enumerate(entries):
            for number in entry.numbers:
                self.by_number[number].append(place)
            for key in {key for name in entry.names for key in _keys(parts_of(name))}:
                self.by_key[key].append(place)

    def candidates(self, buyer: Buyer) -> list[int]:
        """The places of the entries worth comparing, those with most keys in common first."""
        found: dict[int, int] = {}
        for number in buyer.numbers:
            found |= dict.fromkeys(self.by_number.get(number, ()), 100)
        for name in buyer.names:  # each by itself: an entry may have but one of them
            for place, count in self._alike(name):
                found[place] = max(found.get(place, 0), count)
        return sorted(found, key=lambda place: -found[place])[:MOST_CANDIDATES]

    def _alike(self, name: str) -> list[tuple[int, int]]:
        found: Counter[int] = Counter()
        lists = sorted((self.by_key[key] for key in set(_keys(parts_of(name))) if key in self.by_key), key=len)
        for rank, places in enumerate(lists):
            if len(places) > COMMON and rank:
                break  # the rarer keys have found what there is
            found.update(places[: COMMON * 5])
        ranked = found.most_common(MOST_CANDIDATES)
        least = ranked[0][1] * LEAST_KEYS if ranked else 0
        return [one for one in ranked if one[1] >= least]


def _keys(parts: Parts) -> Iterator[str]:
    if parts.script == "chinese":
        brand = parts.brand
        yield f"c{brand}"
        for place in range(len(brand) - 1):
            yield f"b{brand[place : place + 2]}"
        return
    for word in parts.words:
        if len(word) > 1:
            yield f"p{word[:4]}"
            yield f"s{word[-4:]}"
    yield f"j{''.join(parts.words)[:6]}"


def screen(buyers: Iterable[Buyer], entries: Sequence[Entry]) -> Iterator[Hit]:
    """Every pair a person should look at.  批量筛查"""
    index = Index(entries)
    for buyer in buyers:
        for place in index.candidates(buyer):
            compared = compare(buyer, entries[place])
            if compared.outcome != "no":
                yield Hit(buyer, entries[place], compared)


# A verdict, made again


def answer_of(compared: Compared) -> dict[str, Any]:
    """What the comparison says, as a decision keeps it."""
    return {
        "score": compared.score,
        "outcome": compared.outcome,
        "name": compared.name,
        "with": compared.with_name,
        "evidence": [dict(one) for one in compared.evidence],
    }


def recompute(book: Book, decision: Mapping[str, Any]) -> dict[str, Any]:
    """The comparison a verdict was given on, worked out again from the buyer and the list as they were. Raises ListEntryUnknownError."""
    asked = decision["inputs"]
    table, buyers = book.list_entry, book.buyer
    rows = book.run(table.filter((table.list_name == asked["list_name"]) & (table.entry_id == asked["entry_id"]))).to_pylist()
    own = book.run(buyers.filter(buyers.buyer_id == decision["buyer_id"])).to_pylist()
    if not rows or not own:
        raise ListEntryUnknownError(list=asked["list_name"], entry=asked["entry_id"])
    return answer_of(compare(buyer_from(own[0]), _entry(rows[0])))


# What people said of it


@dataclass(frozen=True)
class Verdict:
    """What a person said of a pair, as the ledger keeps it. `fingerprint`: of the entry as it was then; it holds as long as that stays."""

    decision_id: str
    buyer_id: str
    list_name: str
    entry_id: str
    fingerprint: str
    is_match: bool
    reason: str
    score: float
    decided_on: date
    made_by: str


def verdicts_of(book: Book, buyer_id: str = "") -> list[Verdict]:
    """Every verdict by the book's day, of one buyer or all, the newest first.  筛查结论"""
    table = book.decision
    rows = table.filter(table.kind == "list_verdict")
    rows = rows.filter(rows.buyer_id == buyer_id) if buyer_id else rows
    found = []
    for row in book.run(rows).to_pylist():
        asked, answer = json.loads(row["inputs"] or "{}"), json.loads(row["answer"] or "{}")
        found.append(
            Verdict(
                row["decision_id"], row["buyer_id"], asked["list_name"], asked["entry_id"], asked["fingerprint"], row["outcome"] == "match",
                str(asked.get("reason", "")), float(answer.get("score", 0.0)), row["decided_on"], row["made_by"] or "",
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.decided_on, one.decision_id), reverse=True)


def undecided(book: Book, buyer_id: str = "") -> list[Hit]:
    """Every pair nobody has decided about yet, the likeliest first; of one buyer or all."""
    decided = {(one.buyer_id, one.list_name, one.entry_id, one.fingerprint) for one in verdicts_of(book, buyer_id)}
    buyers = [one for one in buyers_of(book) if not buyer_id or one.buyer_id == buyer_id]
    found = [
        hit
        for hit in screen(buyers, entries_of(book))
        if (hit.buyer.buyer_id, hit.entry.list_name, hit.entry.entry_id, hit.entry.fingerprint) not in decided
    ]
    return sorted(found, key=lambda hit: (-hit.compared.score, hit.buyer.buyer_id, hit.entry.list_name, hit.entry.entry_id))
