"""Which buyers does a text name, and how surely? Whole names, names without their legal form, brands, abbreviations, former names.  企业名称识别

A short name says little by itself: a brand of two signs, one common word or initials need a second word that fits (city, region, group, trade, the
name in the other script). A brand inside the full name of another firm is that firm's.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from duecourse.reference.names import CHINESE, CHINESE_FORMS, LEGAL_FORMS, REGIONS, SIMPLIFIED, TRADES, Parts, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Span = tuple[int, int]

SURE: Final = {"whole": 0.98, "formless": 0.93, "traded": 0.85, "brand": 0.7, "word": 0.5, "short": 0.4, "initials": 0.35}
"""How surely a form of a name means the firm: all of it; without its legal form; brand and trade; a brand of three signs or two words; one word of
five letters or more; a shorter one; initials or a Chinese abbreviation. Judged, not fitted."""

SECOND: Final = 0.2
SECOND_MOST: Final = 2
CERTAIN_MOST: Final = 0.99
FORMER: Final = 0.95
SHARED: Final = 0.5
"""Factor where two buyers have the same form of name and nothing tells them apart."""
WEAK: Final = frozenset({"word", "short", "initials"})
LONG_WORD: Final = 5
BRAND_SIGNS: Final = 3
INITIALS: Final = 3
RUN: Final = 14
ENDINGS: Final = "|".join(sorted(CHINESE_FORMS, key=len, reverse=True))
FULL_TAIL: Final = re.compile(rf"^([\u3400-\u9fff（）()]{{0,{RUN}}}?)(?:{ENDINGS})")
COMMON: Final = frozenset(
    [
        "general",
        "national",
        "standard",
        "united",
        "first",
        "global",
        "universal",
        "express",
        "industrial",
        "industries",
        "pacific",
        "atlantic",
        "european",
        "american",
        "china",
        "china's",
        "royal",
        "summit",
        "delta",
        "alpha",
        "omega",
        "apple",
        "orange",
        "target",
        "shell",
        "gap",
        "next",
        "mars",
        "visa",
        "sun",
        "star",
        "steel",
        "power",
        "energy",
        "bank",
        "city",
        "north",
        "south",
        "east",
        "west",
        "central",
        "metro",
    ]
)
"""Words that are names and words: never enough by themselves."""


@dataclass(frozen=True)
class Known:
    """A firm as it can be named. `former`: names it had; `around`: what else tells it: its city, group, trade."""

    buyer_id: str
    names: Sequence[str]
    former: Sequence[str] = ()
    city: str = ""
    group: str = ""
    numbers: Sequence[str] = ()


@dataclass(frozen=True)
class Named:
    """A firm named in a text: how surely (0 to 1), at which places, as what (`form`), in these words, and the second words that fit."""

    buyer_id: str
    confidence: float
    spans: Sequence[Span]
    form: str
    words: str
    fits: Sequence[str] = ()


@dataclass
class _Form:
    buyer_id: str
    form: str
    parts: Parts
    former: bool


@dataclass
class Names:
    """The names of many buyers, ready to be looked for in texts."""

    known: Mapping[str, Known]
    chinese: dict[str, list[_Form]] = field(default_factory=lambda: defaultdict(list))
    latin: dict[tuple[str, ...], list[_Form]] = field(default_factory=lambda: defaultdict(list))
    lengths: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, buyers: Iterable[Known]) -> Names:
        """Take the names apart, once for all texts."""
        made = cls({one.buyer_id: one for one in buyers})
        for one in made.known.values():
            for former, names in ((False, one.names), (True, one.former)):
                for name in names:
                    made._add(one.buyer_id, parts_of(name), former=former)
        return made

    def _add(self, buyer_id: str, parts: Parts, *, former: bool) -> None:
        if parts.script == "chinese":
            for text, form in _chinese_forms(parts):
                self._put(self.chinese[text], _Form(buyer_id, form, parts, former))
                self.lengths[text[:2]].add(len(text))
            return
        for words, form in _latin_forms(parts):
            self._put(self.latin[words], _Form(buyer_id, form, parts, former))
            self.lengths[words[0]].add(len(words))

    @staticmethod
    def _put(forms: list[_Form], form: _Form) -> None:
        if all(one.buyer_id != form.buyer_id for one in forms):
            forms.append(form)

    def find(self, text: str) -> list[Named]:
        """Every buyer a text names, the surest first.

        Places are those in `text`. Of two that share a form of name the one whose second words fit is taken; where none fits or both do,
        both are told with half the confidence, for a person to look at.
        """
        seen = _Text(text)
        hits: dict[str, list[tuple[float, Span, str, tuple[str, ...]]]] = defaultdict(list)
        for span, forms in (*self._in_chinese(seen), *self._in_latin(seen)):
            scored = []
            for form in forms:
                found = self._scored(form, span, seen)
                if found is not None:
                    scored.append((form.buyer_id, *found))
            fitting = [one for one in scored if one[3]]
            kept = fitting if len(scored) > 1 and len(fitting) == 1 else scored
            factor = SHARED if len(kept) > 1 else 1.0
            for buyer_id, confidence, form_name, fits in kept:
                hits[buyer_id].append((confidence * factor, span, form_name, fits))
        named = []
        for buyer_id, found_here in hits.items():
            confidence, span, form_name, fits = max(found_here, key=lambda one: (one[0], -one[1][0]))
            places = tuple(sorted({seen.original(one[1]) for one in found_here}))
            begin, end = seen.original(span)
            named.append(Named(buyer_id, round(confidence, 4), places, form_name, text[begin:end], fits))
        return sorted(named, key=lambda one: (-one.confidence, one.buyer_id))

    def _in_chinese(self, seen: _Text) -> Iterator[tuple[Span, list[_Form]]]:
        end = 0
        for place in range(len(seen.plain) - 1):
            if place < end:
                continue
            for length in sorted(self.lengths.get(seen.plain[place : place + 2], ()), reverse=True):
                text = seen.plain[place : place + length]
                if len(text) == length and text in self.chinese:  # a slice at the text's end is shorter than asked for
                    end = place + length
                    yield (place, end), self.chinese[text]
                    break

    def _in_latin(self, seen: _Text) -> Iterator[tuple[Span, list[_Form]]]:
        words, end = seen.words, 0
        for place, (word, begin, _) in enumerate(words):
            if place < end:
                continue
            for length in sorted(self.lengths.get(word, ()), reverse=True):
                key = tuple(one[0] for one in words[place : place + length])
                if key in self.latin and len(key) == length:
                    end = place + length
                    yield (begin, words[end - 1][2]), self.latin[key]
                    break

    def _scored(self, form: _Form, span: Span, seen: _Text) -> tuple[float, str, tuple[str, ...]] | None:
        """How surely the words at this place mean this buyer; None where they are another firm's name."""
        if form.form != "whole" and (_inside_another(form, span, seen) if form.parts.script == "chinese" else _goes_on(form, span, seen)):
            return None
        confidence = SURE[form.form] * (SHARED if form.form == "whole" and _longer(form, span, seen) else 1.0)
        fits = self._fits(form, span, seen)
        confidence = (
            min(CERTAIN_MOST, confidence + SECOND * min(len(fits), SECOND_MOST))
            if form.form not in ("whole", "formless") or not fits
            else min(CERTAIN_MOST, confidence + 0.05)
        )
        return confidence * (FORMER if form.former else 1.0), form.form, fits

    def _fits(self, form: _Form, span: Span, seen: _Text) -> tuple[str, ...]:
        """Second words that fit: city or region, group, trade, the name in the other script, a register's number."""
        one = self.known[form.buyer_id]
        around = seen.plain[: span[0]] + "\n" + seen.plain[span[1] :]
        found = [number for number in one.numbers if number and number in re.sub(r"[\s.\-]", "", seen.plain.upper())]
        places = [one.city, *form.parts.region.split()]
        found += [place for place in dict.fromkeys(places) if place and _has(around, place)]
        group = parts_of(one.group) if one.group else None
        if group and group.brand != form.parts.brand and len(group.brand) > 1 and _has(around, group.brand):
            found.append(group.brand)
        if form.parts.trade and form.form in ("brand", "short", "initials") and form.parts.trade in around:
            found.append(form.parts.trade)
        for name in one.names:
            other = parts_of(name)
            if other.script != form.parts.script and _has(around, other.brand) and other.brand not in COMMON:
                found.append(other.brand)
        return tuple(dict.fromkeys(found))


class _Text:
    """A text as it is searched: narrowed, simplified, sign by sign, so that places stay the same where they can be."""

    def __init__(self, text: str) -> None:
        signs: list[str] = []
        self._at: list[int] = []
        for place, sign in enumerate(text):
            for one in unicodedata.normalize("NFKC", sign).translate(SIMPLIFIED) or " ":
                signs.append(one)
                self._at.append(place)
        self._at.append(len(text))
        self.cased = "".join(signs)
        self.plain = "".join(one if len(one) == 1 else sign for sign in signs for one in (sign.lower(),))
        self.words = [
            (_folded(match[0]), match.start(), match.end())
            for match in re.finditer(r"[^\W_\u3400-\u9fff]+(?:\.[^\W_](?![^\W_]))*|&", self.cased)
        ]

    def original(self, span: Span) -> Span:
        """A place in the text as it was given."""
        return self._at[span[0]], self._at[span[1] - 1] + 1


def _folded(word: str) -> str:
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", word) if not unicodedata.combining(sign)).casefold()
    plain = plain.replace("ß", "ss").replace("ø", "o").replace("æ", "ae").replace("ł", "l").replace(".", "")
    return "and" if plain == "&" else plain


def _has(text: str, words: str) -> bool:
    """Are these words in a text: Latin ones as whole words?"""
    folded = words.lower()
    if CHINESE.search(folded):
        return folded in text
    return bool(re.search(rf"(?<![^\W_]){re.escape(folded)}(?![^\W_])", _folded_text(text)))


def _folded_text(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).casefold()


def _chinese_forms(parts: Parts) -> Iterator[tuple[str, str]]:
    """The ways in which a Chinese name is written, the longest first."""
    yield parts.whole, "whole"
    if parts.brand == parts.whole:
        return
    region, first = parts.region.replace(" ", ""), parts.region.split()[0] if parts.region else ""
    formless = parts.whole.removesuffix(parts.form) if parts.form else parts.whole
    if len(formless) > len(parts.brand) and parts.form:
        yield formless, "formless"
    if parts.form.endswith("有限公司") and parts.form != "有限公司":
        yield f"{formless}公司", "formless"
    if parts.trade:
        yield parts.brand + parts.trade, "traded"
    if parts.form:
        yield f"{parts.brand}集团", "traded"
    if first:
        yield first + parts.brand, "traded"
    if parts.brand not in REGIONS and parts.brand not in TRADES and len(parts.brand) > 1:
        yield parts.brand, "brand" if len(parts.brand) >= BRAND_SIGNS else "short"
    chunks = [text[place : place + 2] for text in (region, parts.brand, parts.trade) for place in range(0, len(text), 2)]
    if len(chunks) >= INITIALS and first == "中国":
        yield "".join(chunk[0] for chunk in chunks[:INITIALS]), "initials"  # 中国石油化工 -> 中石化


def _latin_forms(parts: Parts) -> Iterator[tuple[tuple[str, ...], str]]:
    """The ways in which a Latin name is written, the longest first."""
    whole = tuple(parts.whole.split())
    kept = tuple(word for word in whole if word not in LEGAL_FORMS)
    if not whole:
        return
    if len(kept) < len(whole):
        yield whole, "whole"
    if len(kept) > 1:
        yield kept, "formless"
    if len(parts.words) > 1:
        yield parts.words, "formless" if parts.words == kept else "brand"
    first = parts.words[0] if parts.words else ""
    if len(parts.words) == 1 and first:
        long = len(first) >= LONG_WORD and first not in COMMON
        yield (first,), "brand" if long and len(first) > LONG_WORD + 1 else "word" if long else "short"
    elif len(parts.words) > 1 and len(first) > LONG_WORD and first not in COMMON:
        yield (first,), "word"
    if len(parts.words) >= INITIALS:
        yield ("".join(word[0] for word in parts.words),), "initials"


def _inside_another(form: _Form, span: Span, seen: _Text) -> bool:
    """Does a Chinese brand stand inside the full name of another firm: with another region before it, or another trade behind it?"""
    behind = seen.plain[span[1] : span[1] + RUN + 8]
    tail = FULL_TAIL.match(behind)
    ahead = seen.plain[max(0, span[0] - 4) : span[0]]
    region = next((one for one in REGIONS if re.search(rf"{one}[省市县区]?$", ahead)), "")
    own = form.parts.region
    if region and own and region not in own.split() and region != "中国" and (tail or form.form in ("brand", "short", "traded")):
        return True
    if not tail:
        return False
    trade = re.sub(r"[（(].*?[）)]", "", tail[1])
    if form.form in ("brand", "short", "initials"):
        return bool(trade) and not (form.parts.trade and (trade in form.parts.trade or form.parts.trade in trade))
    return bool(trade) and form.form != "formless" and not (form.parts.trade and trade in form.parts.trade)


def _goes_on(form: _Form, span: Span, seen: _Text) -> bool:
    """Is a Latin name only a part of a longer one: another capitalised word directly before or behind it? And is it written as a name at all?"""
    cased = seen.cased
    written = cased[span[0] : span[1]]
    if form.form == "initials" and not written.isupper():
        return True
    if form.form in ("word", "short", "brand") and not written[:1].isupper():
        return True
    own = (
        set(form.parts.whole.split())
        | LEGAL_FORMS
        | {"group", "holding", "holdings", "international", "shares", "stock", "ceo", "cfo", "chairman"}
    )
    behind = re.match(r"[ \t]+((?:and|&)[ \t]+)?([A-Z][\w’'-]*)", cased[span[1] :])
    ahead = re.search(r"([A-Z][\w’'-]*)[ \t]+((?:and|&)[ \t]+)?$", cased[: span[0]])
    if form.form in ("word", "short", "initials", "brand"):
        if behind and _folded(behind[2]) not in own and not _headline(cased, span):
            return True
        if ahead and not ahead[2] and _folded(ahead[1]) not in own and not _begins(cased, ahead.start()) and not _headline(cased, span):
            return True
    return False


def _longer(form: _Form, span: Span, seen: _Text) -> bool:
    """Does a capitalised word stand before a whole name of one word, so that it may be the end of a longer one: Everest Summit Ltd?"""
    if form.parts.script == "chinese" or len(form.parts.words) > 1:
        return False
    ahead = re.search(r"([A-Z][\w’'-]*)[ \t]+$", seen.cased[: span[0]])
    return bool(ahead and not ahead[1].endswith("-based") and not _begins(seen.cased, span[0]))


def _begins(text: str, place: int) -> bool:
    """Does a sentence begin here, so that the capital says nothing?"""
    return not text[:place].strip() or text[:place].rstrip()[-1] in '.!?:\n"“'


def _headline(text: str, span: Span) -> bool:
    """Is the line written With Capitals Throughout, so that they say nothing?"""
    begin, end = text.rfind("\n", 0, span[0]) + 1, text.find("\n", span[1])
    words = [word for word in re.findall(r"[A-Za-z][\w’'-]*", text[begin : end if end >= 0 else len(text)]) if len(word) > 3]
    return len(words) > 3 and sum(word[0].isupper() for word in words) > 0.8 * len(words)


__all__ = ["Known", "Named", "Names"]
