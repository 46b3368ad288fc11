"""The credit file in words: pieces for the page and for the PDF alike (see `actions.paper`), in the language spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.evidence import kind_word
from duecourse.glossary import label
from duecourse.measures.buckets import Buckets
from duecourse.measures.statement_guards import RATIOS
from duecourse.messages import catalogue, language, say
from duecourse.money import NO_CURRENCY, format_money
from duecourse.tables import Money, named, shown
from duecourse.web.evidence import wording
from duecourse.web.evidence.statements import amount as in_units
from duecourse.web.evidence.statements import unit_of
from duecourse.web.limits.pages import outcome_words
from duecourse.web.limits.telling import limit_lines, told
from duecourse.web.pages.columns import capital, heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from duecourse.desk.credit_file import CreditFile
    from duecourse.desk.grading import Grade

    Piece = dict[str, Any]

YEARS: Final = 3
FACTORS: Final = 12
MONTHS: Final = 12
MEMBERS: Final = 5
PROFILE: Final = (
    "registration_number", "vat_number", "lei", "legal_form", "founded_on", "registry_status", "legal_representative", "owner_name", "country", "city",
    "sector", "legal_entity", "sales_owner", "payment_terms_days", "customer_since",
)  # fmt: skip
LINES: Final = (
    "revenue", "operating_profit", "net_income", "operating_cash_flow", "cash", "total_assets", "total_liabilities", "total_equity",
)  # fmt: skip
FIGURES: Final = (
    "current_ratio", "liabilities_to_assets", "operating_margin", "interest_cover", "receivable_days", "payable_days",
)  # fmt: skip
ZONE_TONES: Final = {"safe": "good", "grey": "warn", "distress": "bad"}


def pieces(file: CreditFile) -> list[Piece]:
    """The whole file."""
    return [
        *_standing(file),
        *_limit(file),
        *_grade(file.grade),
        *_trade(file),
        *_accounts(file),
        *_evidence(file),
        *_who(file),
        *_decided(file),
        *_missing(file),
    ]


def title_of(file: CreditFile) -> str:
    """The buyer's name in the script of the language spoken, else its number."""
    return str(named(file.trade.profile).get("name") or file.buyer_id)


def _standing(file: CreditFile) -> Iterator[Piece]:
    """In ten seconds: what stops everything, and the four figures."""
    grade, told_ = file.grade, told(file.advice.answer)
    for one in grade.overrides:
        since = say("grading.since", day=one.since) if one.since else ""
        yield {
            "kind": "notice",
            "tone": "bad",
            "text": say("grading.override_line", what=say(f"grading.override_{one.code}"), since=since, grade=one.grade),
        }
    known = file.advice.known
    if "block" in known.stops:
        yield {"kind": "notice", "tone": "bad", "text": say("web.file_blocked")}
    limit = known.current_limit_minor
    use = known.exposure_minor / limit if limit else None
    overdue = sum(row["overdue_base"] or 0 for row in file.trade.figures if row["overdue_base"] is not None)
    oldest = max((row["oldest_days_past_due"] or 0 for row in file.trade.figures), default=0)
    base = file.book.base_currency
    yield {"kind": "tiles", "tiles": [
        {
            "label": capital(label("exposure")), "value": format_money(known.exposure_minor, known.currency),
            "under": say("web.file_of_limit", limit=format_money(limit, known.currency), share=shown(use, "fraction")) if limit else say("web.file_no_limit"),
        },
        {
            "label": say("web.file_recommended"), "value": told_.amount,
            "under": say("web.file_bound_by", cap=say(f"decisions.cap_{file.advice.recommended.binding}")) if told_.amount_minor is not None else "",
        },
        {
            "label": capital(label("grade")), "value": say("web.file_grade_of_ten", grade=grade.grade),
            "under": say("web.file_probability", probability=f"{grade.probability_of_default_12m:.2%}"),
        },
        {
            "label": capital(label("overdue")), "value": format_money(overdue, base),
            "under": say("web.file_oldest", count=oldest) if oldest else say("web.file_nothing_overdue"),
        },
    ]}  # fmt: skip


def _limit(file: CreditFile) -> Iterator[Piece]:
    found = told(file.advice.answer)
    yield {"kind": "heading", "text": say("web.file_limit")}
    if found.reasons:
        yield {"kind": "text", "text": "\n\n".join(found.reasons)}
    yield {
        "kind": "table",
        "head": [say("web.file_bound"), say("web.file_amount"), say("web.file_how")],
        "align": ["left", "right", "left"],
        "rows": [
            [
                line.title + (f" ◀ {say('web.file_binds')}" if line.binds else ""),
                "–" if line.amount_minor is None else format_money(line.amount_minor, found.currency),
                line.how if line.counts or line.amount_minor is None else say("web.file_not_used", how=line.how),
            ]
            for line in found.lines
        ],
        "note": say("web.file_terms", terms=found.terms_days, months=found.review_months, rules=found.rules_version)
        if found.amount_minor is not None else "",
    }  # fmt: skip
    rows = limit_lines([{**row, "state": row.get("state", "in_force")} for row in file.advice.limits])
    if rows:
        yield {
            "kind": "table",
            "head": [say("web.file_limit_kind"), say("web.file_amount"), say("web.file_from"), say("web.file_until"), say("web.file_review")],
            "align": ["left", "right", "left", "left", "left"],
            "rows": [
                [
                    row["kind_words"], "–" if row["amount_minor"] is None else format_money(row["amount_minor"], row["currency"]),
                    *(shown(row[name], "date") for name in ("valid_from", "valid_to", "review_on")),
                ]
                for row in rows
            ],
        }  # fmt: skip


def _grade(grade: Grade) -> Iterator[Piece]:
    yield {"kind": "heading", "text": say("web.file_grade")}
    yield {"kind": "pairs", "rows": [
        [capital(label("probability_of_default_12m")), f"{grade.probability_of_default_12m:.2%} ({grade.low:.2%} – {grade.high:.2%})"],
        [capital(label("confidence")), say(f"grading.confidence_{grade.confidence}")],
        [capital(label("grade_basis")), say(f"grading.basis_{grade.basis}")],
        [capital(label("base_rate")), f"{grade.base_rate:.2%}"],
        [capital(label("score")), f"{grade.score:,.0f}"],
        [say("web.file_accounts_of"), shown(grade.period_end, "date")],
    ]}  # fmt: skip
    for text in _grade_remarks(grade):
        yield {"kind": "notice", "tone": "warn", "text": text}
    felt = [one for one in grade.reasons if one.value is not None and one.points]
    felt.sort(key=lambda one: -abs(one.points))
    strongest = max((abs(one.points) for one in felt), default=0.0)
    if strongest:
        yield {"kind": "text", "text": say("web.file_reasons")}
        yield {"kind": "bars", "rows": [
            {"label": capital(label(one.factor)), "value": f"{one.points:+.0f}".replace("-", "−"), "share": one.points / strongest}
            for one in sorted(felt[:FACTORS], key=lambda one: one.points)
        ]}  # fmt: skip
    if grade.history:
        points = [*grade.history]
        yield {
            "kind": "table",
            "head": [say("web.file_month"), *(f"{point.on:%y-%m}" for point in points)],
            "align": ["left", *("right" for _ in points)],
            "rows": [[capital(label("grade")), *(str(point.grade) for point in points)]],
        }


def _grade_remarks(grade: Grade) -> Iterator[str]:
    if grade.overrides and grade.grade_without_overrides != grade.grade:
        yield say("grading.overridden", grade=grade.grade_without_overrides)
    if grade.adjustment:
        one = grade.adjustment
        yield say(
            "grading.adjusted", made_by=one.made_by, approved_by=one.approved_by, until=one.until, reason=one.reason, grade=grade.grade_without_adjustment
        )  # fmt: skip
    if grade.capped:
        yield say("grading.capped", model=grade.model_grade, grade=max(grade.model_grade, grade.grade_without_adjustment))
    for code in grade.doubts:
        yield say(f"grading.doubt_{code}")


def _trade(file: CreditFile) -> Iterator[Piece]:
    trade = file.trade
    yield {"kind": "heading", "text": say("web.file_trade")}
    if not trade.figures:
        yield {"kind": "text", "text": say("web.file_no_trade")}
        return
    yield {
        "kind": "table",
        "head": [label("currency"), *(capital(label(name)) for name in ("outstanding", "overdue", "credit_sales_365d", "peak_balance_365d")), *(
            heading(name) for name in ("dso_countback", "days_beyond_terms_365d", "oldest_days_past_due"))],
        "align": ["left", *("right" for _ in range(7))],
        "rows": [
            [
                row["currency"],
                *(_bare(row[name], row["currency"]) for name in ("outstanding", "overdue", "credit_sales_365d", "peak_balance_365d")),
                *(shown(row[name], "days") for name in ("dso_countback", "days_beyond_terms_365d", "oldest_days_past_due")),
            ]
            for row in trade.figures
        ],
    }  # fmt: skip
    buckets = Buckets.of(file.book)
    ages = {currency: parts for currency, parts in trade.ages.items() if any(parts.values())}
    if ages:
        names = list(next(iter(ages.values())))
        yield {
            "kind": "table",
            "head": [say("web.file_ageing"), *(buckets.label(name) for name in names)],
            "align": ["left", *("right" for _ in names)],
            "rows": [[currency, *(_bare(parts[name], currency) for name in names)] for currency, parts in ages.items()],
        }
    months = [row for row in trade.months if row["months_back"] < MONTHS]
    if months:
        yield {
            "kind": "table",
            "head": [say("web.file_month"), label("currency"), capital(label("credit_sales")), capital(label("cash_received")), say("web.file_days_late"), say("web.file_on_time")],
            "align": ["left", "left", "right", "right", "right", "right"],
            "rows": [
                [
                    f"{row['month_end']:%Y-%m}", row["currency"], _bare(row["credit_sales"], row["currency"]), _bare(row["paid"], row["currency"]),
                    shown(row["days_late"], "days"), shown(row["on_time_share"], "fraction"),
                ]
                for row in months
            ],
        }  # fmt: skip


def _bare(minor: int | None, currency: str) -> str:
    return shown(None if minor is None else Money(minor, currency), "money")


def _accounts(file: CreditFile) -> Iterator[Piece]:
    found = file.statements
    years = [place for place, period in enumerate(found.periods) if period.counts][:YEARS]
    yield {"kind": "heading", "text": say("web.file_accounts")}
    if not years:
        yield {"kind": "text", "text": say("web.file_no_accounts")}
        return
    periods = [found.periods[place] for place in years]
    size, unit = unit_of([period.lines for period in periods], periods[0].about["currency"])
    head = [unit or periods[0].about["currency"], *(shown(period.about["period_end"], "date") for period in periods)]
    align = ["left", *("right" for _ in periods)]
    rows = [
        [wording.line(item), *(in_units(period.lines[item], period.about["currency"], size) for period in periods)]
        for item in LINES
        if any(period.lines[item] is not None for period in periods)
    ]
    yield {"kind": "table", "head": head, "align": align, "rows": rows}
    wanted = [figure for name in RATIOS for figure in found.ratios[name] if figure.name in FIGURES]
    worth = [
        figure
        for figure in (*wanted, *(() if found.is_financial else found.scores))
        if any(figure.values[place] is not None for place in years)
    ]
    if worth:
        yield {
            "kind": "table",
            "head": [say("web.file_ratio"), *head[1:]],
            "align": align,
            "rows": [
                [wording.figure_title(figure.name), *(_figure(figure, place) for place in years)]
                for figure in worth
            ],
        }  # fmt: skip


def _figure(figure: Any, place: int) -> str:
    value = wording.value(figure.name, figure.values[place])
    zone = figure.zones[place]
    return f"{value} {say(f'web.statements_zone_{zone}')}" if zone else value


def _evidence(file: CreditFile) -> Iterator[Piece]:
    yield {"kind": "heading", "text": say("web.file_evidence")}
    if file.signals:
        yield {
            "kind": "table",
            "head": [say("web.file_day"), say("web.file_what"), say("web.file_said"), say("web.file_source"), say("web.file_ended")],
            "align": ["left"] * 5,
            "rows": [
                [shown(row["published_on"], "date"), kind_word(row["kind"]), _said(row), row["provider"] or "–", shown(row["ended_on"], "date")]
                for row in file.signals
            ],
            "note": say("web.file_more_signals", count=file.signals_more) if file.signals_more else "",
        }  # fmt: skip
    else:
        yield {"kind": "text", "text": say("web.file_no_signals")}
    if file.securities:
        yield {
            "kind": "table",
            "head": [say("web.file_security"), say("web.file_amount"), say("web.file_guarantor"), say("web.file_until"), say("web.file_reference")],
            "align": ["left", "right", "left", "left", "left"],
            "rows": [
                [
                    _security_word(row["kind"]), "–" if row["amount_minor"] is None else format_money(row["amount_minor"], row["currency"]),
                    row["guarantor_id"] or "–", shown(row["valid_to"], "date"), row["reference"] or "–",
                ]
                for row in file.securities
            ],
        }  # fmt: skip


def _said(row: Mapping[str, Any]) -> str:
    """What a signal says: its value and text, whatever of it there is."""
    moved = f"{row['previous_value']} → {row['value']}" if row["previous_value"] and row["value"] else row["value"]
    money = None if row["amount_minor"] is None else format_money(row["amount_minor"], row["currency"])
    parts = [str(part) for part in (moved, money, row["text"], row["reference"]) if part]
    return " · ".join(parts) or "–"


def _security_word(kind: str | None) -> str:
    """What a kind of security is called; one this release has no word for as it was written."""
    name = f"web.file_security_{kind}"
    return say(name) if name in catalogue() else (kind or "–")


def _who(file: CreditFile) -> Iterator[Piece]:
    profile = file.trade.profile
    yield {"kind": "heading", "text": say("web.file_who")}
    pairs = [[say("web.file_number"), file.buyer_id]]
    other = profile.get("name_local") if named(profile).get("name") == profile.get("name") else profile.get("name")
    if other:
        pairs.append([say("web.file_other_name"), other])
    pairs += [[heading(name), _fact(name, profile[name])] for name in PROFILE if profile.get(name) not in (None, "")]
    if profile.get("registered_capital_minor") is not None:
        capital_ = format_money(profile["registered_capital_minor"], profile.get("registered_capital_currency") or NO_CURRENCY)
        pairs.append([heading("registered_capital"), capital_])
    yield {"kind": "pairs", "rows": pairs}
    if file.trade.group:
        yield {
            "kind": "table",
            "head": [say("web.file_group", name=file.trade.group_name or file.trade.group_id), label("currency"), capital(label("outstanding")), capital(label("overdue"))],
            "align": ["left", "left", "right", "right"],
            "rows": [
                [named(row).get("name") or row["buyer_id"], row["currency"], _bare(row["outstanding"], row["currency"]), _bare(row["overdue"], row["currency"])]
                for row in file.trade.group[:MEMBERS]
            ],
            "note": say("web.file_more_members", count=len(file.trade.group) - MEMBERS) if len(file.trade.group) > MEMBERS else "",
        }  # fmt: skip


def _fact(name: str, value: Any) -> str:
    if name == "payment_terms_days":
        return say("web.buyer_days", count=value)
    return shown(value, "date") if hasattr(value, "year") else str(value)


def _decided(file: CreditFile) -> Iterator[Piece]:
    if not file.decisions:
        return
    yield {"kind": "heading", "text": say("web.file_decisions")}
    yield {
        "kind": "table",
        "head": [say("web.file_day"), say("web.file_what"), say("web.file_outcome"), say("web.file_amount"), say("web.file_by"), say("web.file_number")],
        "align": ["left", "left", "left", "right", "left", "left"],
        "rows": [
            [
                shown(row["decided_on"], "date"), say(f"web.file_decision_{row['kind']}"), outcome_words(row["outcome"]) or "–",
                "–" if row["amount_minor"] is None else format_money(row["amount_minor"], row["currency"]),
                _between([row["made_by"], row["approved_by"]]), row["decision_id"],
            ]
            for row in file.decisions
        ],
    }  # fmt: skip


def _between(names: Sequence[str | None]) -> str:
    return ("、" if language() == "zh" else ", ").join(name for name in names if name) or "–"


def _missing(file: CreditFile) -> Iterator[Piece]:
    """What nobody knows is said, not passed over."""
    missing = told(file.advice.answer).missing
    if missing:
        yield {"kind": "heading", "text": say("web.file_missing")}
        yield {"kind": "text", "text": missing}
