"""The measures once more, in plain Python, fact by fact: slow, obvious, and written without looking at the expressions."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

DAY = dt.timedelta(days=1)
PAYMENTS = {"cash", "allocation", "set_off", "unknown"}
DILUTIONS = {"credit_note", "return", "discount", "deduction"}
BUCKETS = (
    ("not_due", None, 0), ("days_1_30", 1, 30), ("days_31_60", 31, 60), ("days_61_90", 61, 90),
    ("days_91_180", 91, 180), ("days_181_365", 181, 365), ("days_over_365", 366, None),
)  # fmt: skip


def bucket(age):
    for name, low, high in BUCKETS:
        if (low is None or age >= low) and (high is None or age <= high):
            return name
    raise AssertionError(age)


def divide(a, b):
    return a / b if b else None


def month_before(day):
    return day.replace(day=1) - DAY


@dataclass
class Replay:
    """What the facts say at the close of `on`."""

    invoices: list
    settlements: list
    on: dt.date

    def __post_init__(self):
        self.known = {(i["invoice_id"], i.get("instalment", 1), i["currency"]): i for i in self.invoices if i["issue_date"] <= self.on}
        self.made = [s for s in self.settlements if s["settle_date"] <= self.on]
        self.of = [self.known.get((s.get("invoice_id"), s.get("instalment", 1), s["currency"])) for s in self.made]
        self.open = {key: i["amount_minor"] for key, i in self.known.items()}
        for s, i in zip(self.made, self.of, strict=True):
            if i is not None:
                self.open[(i["invoice_id"], i.get("instalment", 1), i["currency"])] -= s["amount_minor"]

    def at(self, day):
        return Replay(self.invoices, self.settlements, day)

    def rows(self, buyer=None, currency=None):
        """Invoice, open balance."""
        return [
            (i, self.open[key])
            for key, i in self.known.items()
            if (buyer is None or i["buyer_id"] == buyer) and (currency is None or i["currency"] == currency)
        ]

    def settled(self, buyer=None, currency=None):
        """Settlement, its invoice or None, under the buyer it belongs to."""
        return [
            (s, i)
            for s, i in zip(self.made, self.of, strict=True)
            if (buyer is None or (i or s)["buyer_id"] == buyer) and (currency is None or s["currency"] == currency)
        ]

    def keys(self):
        found = {(i["buyer_id"], i["currency"]) for i, _ in self.rows()}
        return found | {((i or s)["buyer_id"], s["currency"]) for s, i in self.settled()}

    def outstanding(self, *of):
        return sum(balance for _, balance in self.rows(*of) if balance > 0)

    def overdue(self, *of):
        return sum(balance for i, balance in self.rows(*of) if balance > 0 and i["due_date"] < self.on)

    def unapplied(self, *of):
        loose = sum(s["amount_minor"] for s, i in self.settled(*of) if i is None)
        return loose - sum(balance for _, balance in self.rows(*of) if balance < 0)

    def ageing(self, by, *of):
        amounts = dict.fromkeys((name for name, _, _ in BUCKETS), 0)
        for i, balance in self.rows(*of):
            if balance > 0:
                amounts[bucket((self.on - i[by]).days)] += balance
        return amounts

    def sales(self, since, *of):
        return sum(i["amount_minor"] for i, _ in self.rows(*of) if i["issue_date"] > since)

    def sales_between(self, first, last, *of):
        return sum(i["amount_minor"] for i, _ in self.rows(*of) if first <= i["issue_date"] <= last)

    def countback(self, *of, months=24):
        """The definition word for word: use the balance up, month after month."""
        left = self.outstanding(*of)
        if left <= 0:
            return None, None
        days, end = 0.0, self.on
        for _ in range(months):
            start = end.replace(day=1)
            length, sold = (end - start).days + 1, self.sales_between(start, end, *of)
            if left <= sold:
                return days + length * left / sold, False
            days, left, end = days + length, left - sold, start - DAY
        return days, True

    def credits(self, days, *of):
        since = self.on - days * DAY
        return sum(s["amount_minor"] for s, _ in self.settled(*of) if s["kind"] in DILUTIONS and s["settle_date"] > since)

    def beyond_terms(self, days, *of):
        """Σ paid, signed and floored days late weighted by amount."""
        since = self.on - days * DAY
        paid = [
            (s["amount_minor"], (s["settle_date"] - i["due_date"]).days)
            for s, i in self.settled(*of)
            if i is not None and s["kind"] in PAYMENTS and s["settle_date"] > since
        ]
        weight = sum(a for a, _ in paid)
        return weight, divide(sum(a * d for a, d in paid), weight), divide(sum(a * max(d, 0) for a, d in paid), weight)

    def balance_at(self, day, *of):
        up = sum(i["amount_minor"] for i, _ in self.rows(*of) if i["issue_date"] <= day)
        return up - sum(s["amount_minor"] for s, _ in self.settled(*of) if s["settle_date"] <= day)

    def peak(self, days, *of):
        """The highest of the balances at the close of each of the last `days` days."""
        return max(self.balance_at(self.on - back * DAY, *of) for back in range(days))

    def cei(self, since, *of):
        begin = self.at(since).outstanding(*of)
        fund = begin + self.sales(since, *of)
        end = self.outstanding(*of)
        return divide(fund - end, fund - (end - self.overdue(*of)))

    def buyer(self, buyer, currency):
        """The row of `buyer_measures`."""
        of = (buyer, currency)
        owed = [(i, balance, (self.on - i["due_date"]).days) for i, balance in self.rows(*of) if balance > 0]
        late = [(balance, days) for _, balance, days in owed if days > 0]
        outstanding, ages = self.outstanding(*of), self.ageing("due_date", *of)
        quarter, year = self.sales(self.on - 90 * DAY, *of), self.on - 365 * DAY
        paid, signed, floored = self.beyond_terms(365, *of)
        short = self.beyond_terms(90, *of)[1]
        countback, censored = self.countback(*of)
        simple, best = divide(outstanding * 90, quarter), divide(ages["not_due"] * 90, quarter)
        return {
            "buyer_id": buyer, "currency": currency, "outstanding": outstanding, "overdue": self.overdue(*of), **ages,
            "unapplied_credits": self.unapplied(*of), "open_invoices": len(owed), "overdue_invoices": len(late),
            "oldest_days_past_due": max((days for _, days in late), default=None),
            "weighted_days_late_open": divide(sum(a * d for a, d in late), outstanding),
            "credit_sales_90d": quarter, "credit_sales_365d": self.sales(year, *of),
            "invoices_365d": sum(i["issue_date"] > year for i, _ in self.rows(*of)),
            "paid_365d": paid, "days_beyond_terms_365d": signed, "days_beyond_terms_floored_365d": floored, "days_beyond_terms_90d": short,
            "days_beyond_terms_trend": None if short is None or signed is None else short - signed,
            "dso_simple_90d": simple, "dso_countback": countback, "dso_censored": censored, "best_possible_dso": best,
            "average_days_delinquent": None if simple is None else simple - best,
            "peak_balance_365d": self.peak(365, *of), "credits_365d": self.credits(365, *of),
            "first_issue_date": min((i["issue_date"] for i, _ in self.rows(*of)), default=None),
            "last_payment_date": max((s["settle_date"] for s, _ in self.settled(*of) if s["kind"] in PAYMENTS), default=None),
        }  # fmt: skip


def totals(rows, *names):
    """{currency: [sums]}."""
    sums = defaultdict(lambda: [0] * len(names))
    for row in rows:
        for place, name in enumerate(names):
            sums[row["currency"]][place] += row[name]
    return dict(sums)
