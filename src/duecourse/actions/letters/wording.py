"""The wording of a language and kind, and figures as the language writes them: one thing to hand to every part of a letter."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.letters import figures
from duecourse.actions.letters.figures import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from duecourse.actions.letters.facts import Contract, LetterFacts, Party

COMMON: Final = "common"


@cache
def wordings(language: str) -> dict[str, dict[str, str]]:
    """All of a language: {kind or common: {name: wording}}."""
    text = resources.files(__package__).joinpath("words", f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class Words:
    """Says a wording by its name: the kind's own, else the common one."""

    def __init__(self, language: str, kind: str) -> None:
        found = wordings(language)
        self.language = language
        self._own, self._common = found.get(kind, {}), found[COMMON]

    def __call__(self, name: str, /, **args: Any) -> str:
        return (self._own.get(name) or self._common[name]).format(**args)

    def has(self, name: str) -> bool:
        """Is there such a wording?"""
        return name in self._own or name in self._common

    def money(self, minor: int, currency: str) -> str:
        """In a sentence."""
        return figures.money(minor, currency, self.language)

    def amount(self, minor: int, currency: str) -> str:
        """In a table."""
        return figures.amount(minor, currency, self.language)

    def day(self, on: date) -> str:
        """In a sentence."""
        return figures.day(on, self.language)

    def short(self, on: date | None) -> str:
        """In a table."""
        return figures.short_day(on, self.language) if on is not None else "–"

    def rate(self, fraction: str) -> str:
        """A yearly rate."""
        return figures.rate(fraction, self.language)

    def listed(self, parts: Iterable[str]) -> str:
        """Two or three things in a sentence."""
        return self("and").join(parts)

    def name(self, party: Party) -> str:
        """A firm's name in the reader's script, where it has one."""
        return (party.local_name or party.name) if self.language in ("zh", "ja") else (party.name or party.local_name)

    def address(self, party: Party) -> str:
        """Its address, in the reader's script where it is known in both."""
        return (party.local_address or party.address) if self.language in ("zh", "ja") else (party.address or party.local_address)

    def contract(self, contract: Contract) -> str:
        """The contract as the text calls it."""
        if contract.signed_on is None:
            return self("contract_bare", number=contract.number)
        return self("contract_signed", number=contract.number, day=self.day(contract.signed_on))

    def subject(self, facts: LetterFacts) -> str:
        """What the letter is about, in its heading."""
        return self("subject_contract", number=facts.contract.number) if facts.contract is not None else self("subject_invoices")

    def principal(self, facts: LetterFacts) -> str:
        """All that is unpaid of the invoices, in each currency."""
        return self.listed(self.money(one.principal_minor, one.currency) for one in facts.totals if one.principal_minor)

    def whole(self, minor: int, currency: str) -> str:
        """A total; of renminbi in Chinese also in the characters that cannot be altered."""
        said = self.money(minor, currency)
        return self("total_words", amount=said, words=in_words(minor)) if self.language == "zh" and currency == "CNY" else said

    def cite(self, pairs: tuple[tuple[str, str], ...]) -> str:
        """The law or clause, in brackets; "" where none is known in this language."""
        found = dict(pairs)
        text = found.get(self.language) or found.get("") or found.get("en" if self.language != "zh" else "zh", "")
        return self("cite", text=text) if text else ""
