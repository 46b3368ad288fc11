"""What bad thing does a report say of a firm? A lexicon of cues with what takes them back; the sentence that made it is kept.  负面事件识别

Plain rules, so that a person can see why: a cue in a sentence that names the firm, not denied, not about somebody else, and marked where it is
only feared. Words are data: `events.toml`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Script = Literal["zh", "en"]
Span = tuple[int, int]

TOLD: Final = ("negation", "negation_after", "elsewhere", "hypothetical", "others")
NEAR_SIGNS: Final = 14
NEAR_WORDS: Final = 6
CERTAIN: Final = 0.95
FEARED: Final = 0.6
FOLLOWING: Final = 0.75
"""How sure a cue is: in the firm's own sentence; only feared; in the sentence after, which says `the company`."""

LONGEST: Final = 1_000
ORDER: Final = ("info", "amber", "red")
MEANT: Final = re.compile(
    r"^\W*(该公司|该企业|公司|该集团|其|the (?:company|group|firm|manufacturer|supplier|business)|it|they)(?![a-z])", re.IGNORECASE
)
CLAUSE: Final = re.compile(r"[，,；;：:]|\bbut\b|\bwhile\b|\bwhereas\b|但是?|而")
CHOICE: Final = re.compile(r"\{([^{}]*)\}")
SOMEBODY: Final = re.compile(r"^\s+(?:of\s+(?:its\s+)?(?:[a-z]+\s+)?)?[A-Z][\w-]+")
ADJECTIVES: Final = frozenset({"bankrupt", "insolvent", "insolvency", "bankruptcy", "liquidation", "administration"})
"""Words of a failure that may be somebody else's: bankrupt Alba, the insolvency of Alba."""
STOP: Final = re.compile(r"[，；;]|\b(?:while|whereas|as)\b|但是?|而")
"""Parts the sentence more firmly than a comma between English words."""
SENTENCE: Final = re.compile(r"(?<=[。！？!?；\n])|(?<=[a-z0-9\"')]\.)\s+(?=[A-Z\"'(])")
SHORTENED: Final = re.compile(r"\b(?:Co|Ltd|Inc|Corp|Mr|Mrs|Ms|Dr|St|No|approx|S\.p\.A|S\.A|e\.g|i\.e)\.\s*$")


@dataclass(frozen=True)
class Event:
    """What a sentence says of a firm. `name` is the class, `kind` and `severity` as signals have them; `cue` the words that made it."""

    name: str
    kind: str
    severity: str
    sentence: str
    cue: str
    feared: bool
    confidence: float


@cache
def _lexicon() -> Mapping[str, Any]:
    said: Mapping[str, Any] = tomllib.loads(resources.files(__package__).joinpath("events.toml").read_text(encoding="utf-8"))
    return said


def classes() -> Sequence[str]:
    """The classes of bad news that are told apart."""
    return [name for name in _lexicon() if name not in TOLD]


@cache
def _pattern(script: Script, *path: str) -> re.Pattern[str] | None:
    """One pattern for the cues at a place of the lexicon, the longest first."""
    words = _lexicon()
    for step in path:
        words = words.get(step, {})
    cues = sorted({cue for one in words for cue in _variants(str(one))}, key=lambda cue: (-len(cue), cue)) if words else []
    if not cues:
        return None
    gap = r"[^，。；]{0,24}?" if script == "zh" else r"(?:\S+\s+){1,5}?"
    texts = [re.escape(cue).replace(re.escape("…") if script == "zh" else re.escape("… "), gap).replace(r"\ ", r"[\s-]+") for cue in cues]
    return re.compile(
        "|".join(texts) if script == "zh" else rf"(?<![\w'])(?:{'|'.join(texts)})(?![\w])|(?:{_apostrophes(cues)})", re.IGNORECASE
    )


def _variants(cue: str) -> Iterator[str]:
    """The cues that one with choices stands for: `{cut|cuts} jobs`."""
    match = CHOICE.search(cue)
    if match is None:
        yield " ".join(cue.split())
        return
    for one in match[1].split("|"):
        yield from _variants(cue[: match.start()] + one + cue[match.end() :])


def _apostrophes(cues: Iterable[str]) -> str:
    """Cues that begin in the middle of a word: 's customer."""
    return "|".join(rf"[’']{re.escape(cue[1:])}\b" for cue in cues if cue.startswith("'")) or r"(?!)"


def sentences(text: str) -> Iterator[Span]:
    """The sentences of a text, as places in it; an endless one in pieces, so that a hostile text costs no more than a long one."""
    for begin, end in _whole_sentences(text):
        for place in range(begin, end, LONGEST):
            yield place, min(place + LONGEST, end)


def _whole_sentences(text: str) -> Iterator[Span]:
    begin = 0
    for match in SENTENCE.finditer(text):
        if SHORTENED.search(text[begin : match.start()]):
            continue
        if text[begin : match.start()].strip():
            yield begin, match.start()
        begin = match.end()
    if text[begin:].strip():
        yield begin, len(text)


def events_in(text: str, names: Sequence[Span]) -> list[Event]:
    """What bad things does a text say of the firm named at these places?

    One event a class, the surest; the graver first. A sentence counts that names the firm, and the one after it that goes on with `the
    company`. A cue is left out where it is denied, taken back, or somebody else's.
    """
    best: dict[str, Event] = {}
    places = list(sentences(text))
    for number, (begin, end) in enumerate(places):
        own = [(max(first, begin) - begin, min(last, end) - begin) for first, last in names if first < end and last > begin]
        before = places[number - 1] if number else None
        follows = bool(
            not own and before and any(first < before[1] and last > before[0] for first, last in names) and MEANT.match(text[begin:end])
        )
        if own or follows:
            for event in _of_sentence(text[begin:end], own, CERTAIN if own else FOLLOWING):
                known = best.get(event.name)
                if known is None or (event.confidence, ORDER.index(event.severity)) > (known.confidence, ORDER.index(known.severity)):
                    best[event.name] = event
    return sorted(best.values(), key=lambda one: (-ORDER.index(one.severity), -one.confidence, one.name))


def _of_sentence(sentence: str, own: Sequence[Span], sure: float) -> Iterator[Event]:
    script: Script = "zh" if len(re.findall(r"[\u3400-\u9fff]", sentence)) >= 4 else "en"
    if _found(_pattern(script, "elsewhere", script), sentence):
        return
    own = [span for span in own if not _of_another(sentence, span, script)] if own else []
    if not own and sure == CERTAIN:
        return
    for name in classes():
        said = _lexicon()[name]
        for side in ("", "_before", "_after"):
            pattern = _pattern(script, name, f"{script}{side}")
            for match in pattern.finditer(sentence) if pattern else ():
                if not _stands(side, match.span(), own) or any(_overlap(match.span(), span) for span in own):
                    continue
                if own and side != "_after" and _before_its_subject(sentence, match.span(), own):
                    continue
                before, after = _around(sentence, match.span(), own, script)
                if script == "en" and match[0] in ADJECTIVES and SOMEBODY.match(after):
                    continue
                if _found(_pattern(script, "negation", script), before) or _found(_pattern(script, "negation_after", script), after):
                    continue
                feared = bool(_found(_pattern(script, "hypothetical", script), before))
                severity = "amber" if feared and said["severity"] == "red" else said["severity"]
                yield Event(name, said["kind"], severity, sentence.strip(), match[0].strip(), feared, sure * FEARED if feared else sure)


def _stands(side: str, cue: Span, own: Sequence[Span]) -> bool:
    """Does the firm stand where the cue wants it? In a sentence that says `the company` it is its subject."""
    if side == "_after":
        return any(first >= cue[0] for first, _ in own)
    return side != "_before" or not own or any(first <= cue[0] for first, _ in own)


def _overlap(cue: Span, name: Span) -> bool:
    """Is a cue a part of the firm's name? One that reaches around the name is not: cut the firm's rating."""
    around = cue[0] < name[0] and name[1] < cue[1]
    return cue[0] < name[1] and name[0] < cue[1] and not around


def _before_its_subject(sentence: str, cue: Span, own: Sequence[Span]) -> bool:
    """Does the cue stand in a part of the sentence before the one that first names the firm? That part speaks of somebody else."""
    first = min(span[0] for span in own)
    return cue[1] <= first and bool(STOP.search(sentence[cue[1] : first]))


def _found(pattern: re.Pattern[str] | None, text: str) -> bool:
    return bool(pattern and pattern.search(text))


def _around(sentence: str, cue: Span, own: Sequence[Span], script: Script) -> tuple[str, str]:
    """What stands close before and behind a cue, in its own clause, without the firm's own name: a firm may be called No Limits."""
    kept = list(sentence)
    for first, last in own:
        kept[first:last] = " " * (last - first)
    blank = "".join(kept)
    before, after = blank[: cue[0]], blank[cue[1] :]
    breaks = [match.end() for match in CLAUSE.finditer(before)]
    before = before[breaks[-1] :] if breaks else before
    stop = CLAUSE.search(after)
    after = after[: stop.start()] if stop and stop.start() > 1 else after
    if script == "zh":
        return before[-NEAR_SIGNS:], after[:NEAR_SIGNS]
    behind = re.match(rf"(?:\s*\S+){{0,{NEAR_WORDS}}}", after)
    return " ".join(before.split()[-NEAR_WORDS:]), behind[0] if behind else ""


def _of_another(sentence: str, span: Span, script: Script) -> bool:
    """Does the name only tell whose customer, rival or neighbour somebody else is?"""
    behind, ahead = sentence[span[1] :], sentence[: span[0]]
    after, before = _pattern(script, "others", f"{script}_after"), _pattern(script, "others", f"{script}_before")
    if after and after.match(behind.lstrip() if script == "en" else behind):
        return True
    return bool(before and any(match.end() >= len(ahead.rstrip()) for match in before.finditer(ahead)))
