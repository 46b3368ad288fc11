"""What our letters say of ourselves, per company of ours (信头): names, number, addresses, accounts, who signs, the logo. Kept in the ledger like any setting.

letterhead     {"": {…}, "1000": {…}}: "" is the firm as a whole, a code one of its companies
letterhead_logo  {"": "data:image/png;base64,…"}
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.letters.facts import BankAccount, Party
from duecourse.actions.letters.setting import FORMATS, LOGO_BYTES
from duecourse.desk.settings import keep
from duecourse.errors import LetterheadInvalidError
from duecourse.money import exponent
from duecourse.reference.countries import country

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

SETTING: Final = "letterhead"
LOGO: Final = "letterhead_logo"
LONGEST: Final = 500
ACCOUNTS: Final = 12


@dataclass(frozen=True)
class Letterhead:
    """One company of ours as its letters show it."""

    name: str = ""
    local_name: str = ""
    registration_number: str = ""
    address: str = ""
    local_address: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
    representative: str = ""
    signatory: str = ""
    signatory_title: str = ""
    call_back: str = ""
    accounts: tuple[BankAccount, ...] = ()
    logo: str = ""

    @property
    def party(self) -> Party:
        """Ourselves as a party to the debt."""
        return Party(**{one.name: getattr(self, one.name) for one in fields(Party)})

    @property
    def plain(self) -> dict[str, Any]:
        """As it is kept: without the logo, which has a setting of its own, and without what is empty."""
        kept = {name: value for name, value in asdict(self).items() if value and name != "logo"}
        return {
            **kept,
            **({"accounts": [{key: text for key, text in one.items() if text} for one in kept["accounts"]]} if self.accounts else {}),
        }


TEXTS: Final = tuple(one.name for one in fields(Letterhead) if one.name not in ("accounts", "logo"))
ACCOUNT_TEXTS: Final = tuple(one.name for one in fields(BankAccount))


def letterhead(book: Book, entity: str = "") -> Letterhead:
    """How a letter of this company of ours is headed; the firm's where it has none of its own and the firm is but one company.

    A company without a letterhead of its own beside others has its name alone: a letter in another company's name would be nobody's claim.
    """
    kept = book.settings.get(SETTING) or {}
    logos = book.settings.get(LOGO) or {}
    named = book.settings.get("legal_entity_names") or {}
    code = entity or ""
    if code in kept:
        return _made(kept[code], str(logos.get(code) or logos.get("") or ""))
    if not code or not (len(named) > 1 or any(kept)):
        whole = dict(kept.get("") or {})
        if not whole.get("name") and not whole.get("local_name"):
            whole["name"] = str(named.get(code) or book.settings.get("company") or "")
        whole.setdefault("country", str(book.settings.get("own_country") or ""))
        return _made(whole, str(logos.get("") or ""))
    return _made({"name": str(named.get(code) or code)}, str(logos.get("") or ""))


def _made(kept: Mapping[str, Any], logo: str) -> Letterhead:
    texts = {name: str(kept.get(name) or "") for name in TEXTS}
    accounts = tuple(BankAccount(**{name: str(one.get(name) or "") for name in ACCOUNT_TEXTS}) for one in kept.get("accounts") or ())
    return Letterhead(**texts, accounts=accounts, logo=logo)


def checked(typed: Mapping[str, Any]) -> Letterhead:
    """A letterhead as it was typed, looked at. Raises LetterheadInvalidError naming the part that cannot be, CountryUnknownError, CurrencyUnknownError."""
    unknown = typed.keys() - {*TEXTS, "accounts"}
    if unknown:
        raise LetterheadInvalidError(part=min(unknown), value=str(typed[min(unknown)]))
    texts = {name: _line(name, typed.get(name, ""), lines=name in ("address", "local_address")) for name in TEXTS}
    if texts["country"]:
        texts["country"] = country(texts["country"]).alpha2
    rows = typed.get("accounts") or ()
    if not isinstance(rows, list | tuple) or len(rows) > ACCOUNTS:
        raise LetterheadInvalidError(part="accounts", value=str(rows)[:80])
    accounts = []
    for row in rows:
        if not isinstance(row, dict) or row.keys() - set(ACCOUNT_TEXTS):
            raise LetterheadInvalidError(part="accounts", value=str(row)[:80])
        one = {name: _line(name, row.get(name, "")) for name in ACCOUNT_TEXTS}
        if not any(one.values()):
            continue
        if not (one["holder"] and one["bank"] and one["number"]):
            raise LetterheadInvalidError(part="accounts", value=" · ".join(filter(None, one.values())))
        one["currency"] = one["currency"].upper()
        if one["currency"]:
            exponent(one["currency"])
        accounts.append(BankAccount(**one))
    return Letterhead(**texts, accounts=tuple(accounts))


def _line(name: str, value: Any, *, lines: bool = False) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or (not lines and "\n" in value.strip()):
        raise LetterheadInvalidError(part=name, value=str(value)[:80])
    return "\n".join(line.strip() for line in value.strip().splitlines() if line.strip())


def checked_logo(data: bytes, kind: str) -> str:
    """A picture as it is kept. Raises LetterheadInvalidError for another kind, one that is too large, or one that is not what it says."""
    import base64  # noqa: PLC0415 — only here

    begins = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff"}
    if (
        kind not in FORMATS
        or len(data) > LOGO_BYTES
        or not data.startswith(begins.get(kind, b""))
        or (kind == "image/svg+xml" and b"<svg" not in data[:2000])
    ):
        raise LetterheadInvalidError(part="logo", value=f"{kind}, {len(data):,} bytes")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def keep_letterhead(ledger: Ledger, entity: str, one: Letterhead, *, by: str = "") -> None:
    """Keep the letterhead of one company of ours; the others stay."""
    kept = dict(ledger_settings(ledger).get(SETTING) or {})
    kept[entity] = one.plain
    keep(ledger, SETTING, kept, by=by)


def keep_logo(ledger: Ledger, entity: str, logo: str, *, by: str = "") -> None:
    """Keep a logo; "" takes it away."""
    kept = dict(ledger_settings(ledger).get(LOGO) or {})
    kept[entity] = logo
    keep(ledger, LOGO, {code: text for code, text in kept.items() if text}, by=by)


def ledger_settings(ledger: Ledger) -> Mapping[str, Any]:
    """All settings as they are now."""
    from datetime import date  # noqa: PLC0415

    return ledger.as_of(date.max).settings
