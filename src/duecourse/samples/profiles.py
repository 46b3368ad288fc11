"""What the ledger says of each buyer: where it is, what it is called, on what terms it buys, to which group it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from duecourse.ledger.entries import BUYER
from duecourse.samples.columns import Codes, Days, Flags, Floats, Ints, choice_column, day_column, digits, pick, text_column
from duecourse.samples.days import Calendar, day_number
from duecourse.samples.identifiers import chinese
from duecourse.samples.places import COUNTRIES, CURRENCIES, ENTITIES, EUROPEAN_OWNERS_FROM, OWNERS, SECTOR_SHARES, SECTORS

if TYPE_CHECKING:
    from duecourse.samples.parameters import Behaviour, Economy

NUMBER_BASE: Final = 10_000_000


@dataclass(frozen=True)
class Profile:
    """The visible side of a block of buyers, a row a buyer."""

    first: int  # number of the first buyer
    country: Codes
    city: Codes
    sector: Codes
    currency: Codes
    european: Flags  # served by the European subsidiary
    both_entities: Flags  # served by both of our companies
    owner: Codes
    terms: Codes
    month_end_terms: Flags
    parent: Codes  # position in the block of the group's parent; -1 = no group
    payer: Codes  # position of the account that pays; its own as a rule
    name_words: Ints  # [buyer, 3] draws for the name
    since: Days
    start_month: Codes
    end_month: Codes

    @property
    def count(self) -> int:
        """How many buyers."""
        return len(self.country)

    @cached_property
    def ids(self) -> pa.StringArray:
        """The account numbers as the ledger writes them: ten digits with leading zeros, as SAP does."""
        return text_column(digits(NUMBER_BASE + self.first + np.arange(self.count, dtype=np.int64), 10))

    def table(self) -> pa.Table:
        """Rows of the table `buyer`."""
        names, local = self._names()
        cities = [_words_of(code)["city"][city][0] for code, city in zip(self.country.tolist(), self.city.tolist(), strict=True)]
        group_names = [
            f"{' '.join(name.split(' ')[: 2 if COUNTRIES[c].code == 'CN' else 1])} Group"
            for name, c in zip(names, self.country.tolist(), strict=True)
        ]
        entity = np.where(self.both_entities, -1, self.european.astype(np.int32)).astype(np.int32)
        known = {
            "buyer_id": self.ids,
            "name": pa.array(names, pa.string()),
            "name_local": pa.array(local, pa.string()),
            "registration_number": pa.array(self._registrations(), pa.string()),
            "country": choice_column(self.country, [country.code for country in COUNTRIES]),
            "city": pa.array(cities, pa.string()),
            "sector": choice_column(self.sector, SECTORS),
            "group_id": choice_column(self.parent, self.ids),
            "group_name": choice_column(self.parent, pa.array(group_names, pa.string())),
            "sales_owner": choice_column(self.owner, OWNERS),
            "legal_entity": choice_column(entity, ENTITIES),
            "currency": choice_column(self.currency, CURRENCIES),
            "payment_terms_days": pa.array(self.terms),
            "customer_since": day_column(self.since),
        }
        unsaid = {column.name: pa.nulls(self.count, column.type) for column in BUYER.facts if column.name not in known}
        return pa.table({**known, **unsaid}, schema=BUYER.facts)

    def _names(self) -> tuple[list[str], list[str | None]]:
        names: list[str] = []
        local: list[str | None] = []
        # A group's firms share the words of their parent's name.
        words = self.name_words[np.where(self.parent >= 0, self.parent, np.arange(self.count))]
        columns = (self.country, self.city, self.sector, words[:, 0], words[:, 1], self.name_words[:, 2])
        for code, city, trade, first, second, form in zip(*(column.tolist() for column in columns), strict=True):
            country, words_of = COUNTRIES[code], _words_of(code)
            words_chosen = (
                words_of["city"][city],
                words_of["first"][first % len(country.first)],
                words_of["second"][second % len(country.second)],
                words_of["trade"][trade],
                words_of["form"][form % len(country.forms)],
            )
            names.append(_named(country.pattern, [latin for latin, _ in words_chosen]))
            local.append(_named(country.pattern_local, [own for _, own in words_chosen]) if country.pattern_local else None)
        return names, local

    def _registrations(self) -> list[str]:
        # A walk through all seven-digit numbers, and one digit more: no two buyers of a country share a number.
        walk = (self.first + np.arange(self.count, dtype=np.int64)) * 7_368_787 % 10_000_000
        figures = np.column_stack([*(walk // 10**place % 10 for place in range(6, -1, -1)), walk * 7 // 3 % 10])
        texts = [""] * self.count
        for code, country in enumerate(COUNTRIES):
            rows = np.flatnonzero(self.country == code)
            if not len(rows):
                continue
            if country.identify is None:
                regions = np.array([int(city.split("|")[2]) for city in country.cities], dtype=np.int64)
                found = chinese(figures[rows], regions[self.city[rows]])
            else:
                found = country.identify(figures[rows])
            for row, text in zip(rows.tolist(), found, strict=True):
                texts[row] = text
        return texts


def _named(pattern: str, words: list[str]) -> str:
    city, first, second, trade, form = words
    return pattern.format(city=city, first=first, second=second, trade=trade, form=form)


@cache
def _words_of(country: int) -> dict[str, list[tuple[str, str]]]:
    """A country's word parts as (Latin script, own script)."""
    place = COUNTRIES[country]
    lists = {"city": place.cities, "first": place.first, "second": place.second, "trade": place.trades, "form": place.forms}
    words = {}
    for name, values in lists.items():
        pairs = [(parts[1] if len(parts) > 1 else parts[0], parts[0]) for parts in (value.split("|") for value in values)]
        words[name] = [(latin.capitalize() if name == "first" and latin.islower() else latin, own) for latin, own in pairs]
    return words


def profile(economy: Economy, calendar: Calendar, rng: np.random.Generator, first: int, count: int) -> Profile:
    """The profiles of `count` buyers from number `first` on."""
    behaviour = economy.behaviour
    country = pick(rng.random(count), [place.share for place in COUNTRIES])
    sector = pick(rng.random(count), SECTOR_SHARES)
    parent = _groups(rng, behaviour, count)
    grouped = parent >= 0
    parent_or_self = np.where(grouped, parent, np.arange(count))
    country = country[np.where(rng.random(count) < 0.75, parent_or_self, np.arange(count))]  # most of a group is in its parent's country
    central = rng.random(count) < behaviour.central_payer_share

    def of_country(values: list[float] | list[int]) -> Floats:
        return np.asarray(values, dtype=np.float64)[country]

    city = rng.random(count) * of_country([len(place.cities) for place in COUNTRIES])
    europe = of_country([int(place.european) for place in COUNTRIES]).astype(bool)
    european = europe & (rng.random(count) < 0.85)
    owner = rng.random(count)
    owner = np.where(european, EUROPEAN_OWNERS_FROM + owner * (len(OWNERS) - EUROPEAN_OWNERS_FROM), owner * EUROPEAN_OWNERS_FROM)
    terms = np.empty(count, dtype=np.int32)
    uniform = rng.random(count)
    for code, place in enumerate(COUNTRIES):
        rows = country == code
        days = np.array([days for days, _ in place.terms], dtype=np.int32)
        terms[rows] = days[pick(uniform[rows], [share for _, share in place.terms])]
    since, start_month, end_month = _customer_life(economy, calendar, rng, count)
    return Profile(
        first=first, country=country, city=city.astype(np.int32), sector=sector[parent_or_self],
        currency=of_country([CURRENCIES.index(place.currency) for place in COUNTRIES]).astype(np.int32),
        european=european, both_entities=europe & ~european, owner=owner.astype(np.int32), terms=terms,
        month_end_terms=rng.random(count) < of_country([place.month_end for place in COUNTRIES]), parent=parent,
        payer=np.where(grouped & central[parent_or_self], parent_or_self, np.arange(count)).astype(np.int32),
        name_words=rng.integers(0, 2**31, (count, 3)), since=since, start_month=start_month, end_month=end_month,
    )  # fmt: skip


def _customer_life(economy: Economy, calendar: Calendar, rng: np.random.Generator, count: int) -> tuple[Days, Codes, Codes]:
    """Since when each has been a customer, and its first and last month of ordering, counted in months of the simulation."""
    behaviour = economy.behaviour
    months, before = economy.years * 12, behaviour.warm_up_months
    joined = rng.random(count) < behaviour.joined_in_window
    start = np.where(joined, before + (rng.random(count) * months * 0.98).astype(np.int64), before).astype(np.int32)
    soon_before = calendar.month_first[start] - (rng.random(count) * 20).astype(np.int32)
    long_before = day_number(economy.since - timedelta(days=30)) - (365.25 * 14 * rng.random(count) ** 1.6).astype(np.int64)
    left = rng.random(count) < behaviour.left_in_window
    end = np.where(left, start + 3 + (rng.random(count) * months).astype(np.int64), before + months + behaviour.ahead_months)
    return np.where(joined, soon_before, long_before).astype(np.int32), start, end.astype(np.int32)


def _groups(rng: np.random.Generator, behaviour: Behaviour, count: int) -> Codes:
    """Groups of two to six: each member's parent, the parent its own; -1 = stands alone."""
    parent = np.full(count, -1, dtype=np.int32)
    order = rng.permutation(count)
    wanted = round(count * behaviour.group_share)
    taken = 0
    while taken < wanted:
        size = min(int(rng.integers(2, 7)), count - taken)
        if size < 2:
            break
        members = order[taken : taken + size]
        parent[members] = members[0]
        taken += size
    return parent
