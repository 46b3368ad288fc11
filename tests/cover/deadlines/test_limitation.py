"""Limitation by country: where the period ends, what moves it and what does nothing; and what holds for whatever happens."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.cover.deadlines.clock import Event
from duecourse.cover.deadlines.limitation import BEARS_ON, Debt, limitation, stops_of
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.limitation import limitation_law
from support.examples import examples

DUE = date(2020, 3, 31)


def at(text: str) -> date:
    return date.fromisoformat(text)


def event(kind: str, day: str, *, received: str | None = "same", proof: str | None = "sha", party: str | None = None) -> Event:
    arrived = None if received is None else at(day if received == "same" else received)
    return Event(kind, at(day), arrived, proof, party)


def clock(country: str, *events: Event, on: str = "2020-06-01", due: date = DUE, **more):
    return limitation(limitation_law(country), Debt((due,), **more), events, on=at(on), own_country="CN")


@pytest.mark.parametrize(
    ("country", "end"),
    [
        ("CN", "2023-03-31"),
        ("GB", "2026-03-31"),
        ("DE", "2023-12-31"),  # from the end of the year
        ("FR", "2025-03-31"),
        ("IT", "2030-03-31"),
        ("US", "2023-03-31"),  # the kind of contract is not known: the shortest there is
        ("JP", "2025-03-31"),
        ("KR", "2023-03-31"),  # price of goods: 3 years
        ("TW", "2022-03-31"),
        ("PL", "2022-12-31"),  # 2 years for a sale, to the end of the year
        ("VN", "2022-03-31"),
        ("SN", "2022-03-31"),  # OHADA: commercial sale 2 years
        ("SE", "2030-03-31"),
        ("BR", "2025-03-31"),
        ("ZA", "2023-03-31"),
    ],
)
def test_the_period_of_a_country(country, end):
    found = clock(country)
    assert found.ends_on == at(end)
    assert found.starts_on == date(2020, 4, 1)
    assert found.state == "running"


def test_a_kind_of_contract_with_a_period_of_its_own():
    assert clock("US", subject="goods").ends_on == at("2024-03-31")
    assert clock("KR", subject="services").ends_on == at("2025-03-31")
    assert clock("CN", subject="goods", international=True).ends_on == at("2024-04-01")  # 31 March is a Sunday
    assert clock("CN", subject="services", international=True).ends_on == at("2023-03-31")
    assert clock("PH").ends_on == at("2026-03-31")  # no written contract is recorded
    assert clock("PH", written=True).ends_on == at("2030-03-31")


def test_an_instalment_debt_runs_from_its_last_instalment_in_china_and_not_in_germany():
    dues = (date(2020, 3, 31), date(2020, 9, 30))
    assert limitation(limitation_law("CN"), Debt(dues), [], on=DUE).ends_on == at("2023-10-07")  # 30 September is in the holiday
    assert limitation(limitation_law("DE"), Debt(dues[:1]), [], on=DUE).ends_on == at("2023-12-31")


@pytest.mark.parametrize(
    ("country", "kind", "end"),
    [
        ("CN", "demand", "2024-05-06"),  # restarts; 1 May 2024 begins a holiday
        ("CN", "promise", "2024-05-06"),
        ("CN", "part_payment", "2024-05-06"),
        ("CN", "mediation_request", "2024-05-06"),
        ("CN", "assignment_notice", "2024-05-06"),
        ("CN", "preservation", "2024-05-06"),
        ("GB", "demand", "2026-03-31"),
        ("GB", "promise", "2026-03-31"),
        ("GB", "acknowledgement", "2027-05-01"),
        ("GB", "part_payment", "2027-05-01"),
        ("DE", "demand", "2023-12-31"),
        ("DE", "promise", "2024-05-01"),  # begins anew from the day, not from the end of the year
        ("DE", "mediation_request", "2023-12-31"),
        ("FR", "demand", "2025-03-31"),
        ("FR", "promise", "2026-05-01"),
        ("IT", "demand", "2031-05-01"),
        ("ES", "demand", "2026-05-01"),
        ("NL", "demand", "2026-05-01"),
        ("PH", "acknowledgement", "2027-05-01"),
        ("IN", "demand", "2023-03-31"),
        ("US", "demand", "2023-03-31"),
        ("BE", "demand", "2030-03-31"),  # no lawyer wrote it
        ("AR", "demand", "2025-09-30"),  # suspends: six months more
        ("CO", "demand", "2031-05-01"),
        ("ID", "demand", "2050-03-31"),  # "other" is treated as nothing
        ("AL", "demand", "2030-03-31"),  # blank is treated as nothing
    ],
)
def test_what_an_act_does_to_the_period(country, kind, end):
    assert clock(country, event(kind, "2021-05-01"), on="2021-06-01").ends_on == at(end)


def test_a_lawyer_s_letter_in_belgium_gives_a_year_more_and_only_once():
    late = event("lawyer_letter", "2030-03-01")
    assert clock("BE", late, on="2030-03-02").ends_on == at("2031-03-01")
    assert clock("BE", late, event("lawyer_letter", "2031-02-01"), on="2031-02-02").ends_on == at("2031-03-01")


def test_a_demand_in_korea_holds_only_if_suit_follows_in_six_months():
    asked = event("demand", "2023-03-01")
    assert clock("KR", asked, on="2023-03-02").ends_on == at("2023-09-01")
    in_time, late = event("suit", "2023-08-31"), event("suit", "2023-09-02")
    assert clock("KR", asked, in_time, on="2023-10-01").state == "stopped"
    assert clock("KR", asked, late, on="2023-10-01").state == "ended"
    # what is no suit cannot use the six months
    assert clock("KR", asked, event("acknowledgement", "2023-05-01"), on="2023-06-01").ends_on == at("2023-09-01")


def test_a_second_demand_in_japan_within_six_months_of_the_first_has_no_effect():
    first, second = event("demand", "2025-01-10"), event("demand", "2025-03-20")
    assert clock("JP", first, second, on="2025-03-21").ends_on == at("2025-07-10")


def test_a_demand_counts_once_it_arrived():
    not_yet = clock("CN", event("demand", "2023-03-01", received=None), on="2023-03-05")
    assert not_yet.ends_on == at("2023-03-31")
    assert not_yet.events[0].why.code == "clocks.why_not_received"
    assert clock("CN", event("demand", "2023-03-01", received="2023-03-06"), on="2023-03-05").ends_on == at("2023-03-31")
    assert clock("CN", event("demand", "2023-03-01", received="2023-03-06"), on="2023-03-06").ends_on == at("2026-03-06")


def test_a_demand_that_arrives_after_the_end_changes_nothing():
    found = clock("CN", event("demand", "2023-03-30", received="2023-04-03"), on="2023-05-01")
    assert (found.ends_on, found.state) == (at("2023-03-31"), "ended")


def test_an_end_on_a_holiday_moves_later_in_china_and_the_day_to_act_moves_earlier():
    found = clock("CN", due=date(2022, 10, 3), on="2025-09-01")  # ends 3 October 2025, in the Golden Week
    assert found.ends_on == at("2025-10-09")
    assert found.act_by == at("2025-09-30")
    assert clock("CN", event("demand", "2025-10-09"), due=date(2022, 10, 3), on="2025-10-10").state == "running"


def test_only_consent_to_pay_revives_a_claim_and_only_where_the_law_says_so():
    after = event("promise", "2024-01-15")
    assert clock("CN", after, on="2024-02-01").ends_on == at("2027-01-15")
    assert clock("CN", after, on="2024-02-01").events[0].effect == "revives"
    assert clock("CN", event("acknowledgement", "2024-01-15"), on="2024-02-01").state == "ended"
    assert clock("GB", event("acknowledgement", "2026-04-15"), on="2026-05-01").state == "ended"


def test_twenty_years_are_the_outer_bound_in_china():
    demands = [event("demand", f"{year}-03-01") for year in range(2021, 2042)]
    assert clock("CN", *demands, on="2039-06-01").ends_on <= at("2040-04-02")


def test_joint_debtors_stand_together_in_china_and_not_in_germany_and_a_guarantor_never_does():
    asked = event("demand", "2021-05-01", party="Second Debtor Ltd")
    assert clock("CN", asked, on="2021-06-01", joint_debtors=frozenset({"second debtor ltd"})).ends_on == at("2024-05-06")
    assert clock("CN", asked, on="2021-06-01").ends_on == at("2023-03-31")
    promised = event("promise", "2021-05-01", party="Second Debtor Ltd")
    assert clock("DE", promised, on="2021-06-01", joint_debtors=frozenset({"Second Debtor Ltd"})).ends_on == at("2023-12-31")


def test_brazil_is_interrupted_once():
    first, second = event("acknowledgement", "2021-05-01"), event("acknowledgement", "2023-05-01")
    assert clock("BR", first, second, on="2023-06-01").ends_on == at("2026-05-01")


def test_suit_stops_the_clock_and_a_judgment_ends_it():
    assert clock("GB", event("suit", "2026-03-30"), on="2027-01-01").state == "stopped"
    found = clock("GB", event("suit", "2026-03-30"), event("judgment", "2026-11-30"), on="2027-01-01")
    assert found.state == "met"
    assert found.days_left(at("2027-01-01")) is None


def test_what_cannot_be_proven_is_told_and_the_day_to_act_does_not_rest_on_it():
    found = clock("CN", event("promise", "2021-05-06", proof=None), on="2021-06-01")
    assert found.ends_on == at("2024-05-06")
    assert found.ends_on_proven == at("2023-03-31")
    assert found.act_by == at("2023-03-31")
    assert found.warnings[0].code == "clocks.warn_unproven"


def test_an_unknown_period_is_unknown():
    found = clock("AD", event("demand", "2021-05-01"), on="2021-06-01")
    assert (found.state, found.ends_on, found.confidence) == ("unknown", None, "L")


def test_alarms_depend_on_the_day_alone_so_that_a_missed_run_catches_up():
    found = clock("CN", on="2022-01-01")
    days = [(after, found.alarm(found.act_by - timedelta(days=after))) for after in (181, 180, 100, 90, 31, 30, 1, 0, -1)]
    assert days == [(181, None), (180, 180), (100, 180), (90, 90), (31, 90), (30, 30), (1, 30), (0, 30), (-1, -1)]


def test_every_country_has_a_clock_and_every_sentence_of_it_can_be_said():
    acts = [event(kind, f"2021-0{month}-01") for month, kind in enumerate(("demand", "promise", "acknowledgement", "suit"), start=5)]
    for code, land in COUNTRIES.items():
        found = clock(code, *acts, on="2021-12-01")
        assert (found.state == "unknown") == (land.limitation_years is None)
        for lang in ("en", "zh"):
            said = [found.law, *found.warnings, *(one.why for one in found.events)]
            assert all(one.words(lang) for one in said)
        if land.demand_interrupts in (None, "n", "other"):
            assert any(one.code.startswith("clocks.warn_demand") for one in found.warnings)
            assert "demand" not in stops_of(limitation_law(code))


# --- what holds for whatever happens ------------------------------------------------------------------------------------------------------

ONCE = {"CO", "JP", "AR", "BE", "BR"}
KNOWN = sorted(code for code, land in COUNTRIES.items() if land.limitation_years)
PLAIN = [code for code in KNOWN if code not in ONCE]
DAYS = st.dates(date(2020, 4, 1), date(2031, 12, 31))
EVENTS = st.builds(
    lambda kind, on, wait, proof, party: Event(kind, on, on + timedelta(days=wait) if wait is not None else None, proof, party),
    st.sampled_from(BEARS_ON),
    DAYS,
    st.one_of(st.none(), st.integers(0, 40)),
    st.sampled_from([None, "sha"]),
    st.sampled_from([None, None, "somebody else"]),
)
LATER = date(2032, 1, 1)


@given(st.sampled_from(KNOWN), st.lists(EVENTS, max_size=8), st.randoms())
@examples(80, 1000)
def test_the_order_of_events_and_their_repetition_do_not_matter(country, events, chance):
    one = clock(country, *events, on=LATER.isoformat())
    shuffled = [*events, *events]
    chance.shuffle(shuffled)
    again = clock(country, *shuffled, on=LATER.isoformat())
    assert (again.ends_on, again.act_by, again.state, again.ends_on_proven) == (one.ends_on, one.act_by, one.state, one.ends_on_proven)


@given(st.sampled_from(PLAIN), st.lists(EVENTS, max_size=6), EVENTS)
@examples(80, 1000)
def test_one_more_event_never_makes_the_period_shorter(country, events, more):
    before = clock(country, *events, on=LATER.isoformat()).ends_on
    assert clock(country, *events, more, on=LATER.isoformat()).ends_on >= before


@given(st.sampled_from(KNOWN), st.lists(EVENTS, max_size=6), EVENTS)
@examples(60, 1000)
def test_a_later_event_never_makes_the_period_shorter_wherever(country, events, more):
    before = clock(country, *events, on=LATER.isoformat()).ends_on
    last = max([one.counts_on or one.on for one in events], default=date(2020, 4, 1)) + timedelta(days=1)
    late = Event(more.kind, last, last, more.proof, more.party)
    assert clock(country, *events, late, on=(last + timedelta(days=400)).isoformat()).ends_on >= before


def invalid(country: str) -> st.SearchStrategy[Event]:
    """Events that count nowhere: no receipt, sent after it arrived, to somebody else, before the debt was due; and what the law gives no effect."""
    law = limitation_law(country)
    nothing = [kind for kind in BEARS_ON if law.effects.get(kind) in ("no", "pause")]
    if law.demand in (None, "n", "other"):
        nothing += ["demand", "lawyer_letter"]
    kinds = st.sampled_from([kind for kind in BEARS_ON if kind != "judgment"])
    return st.one_of(
        st.builds(lambda kind, on: Event(kind, on, None, "sha"), st.sampled_from(["demand", "lawyer_letter", "assignment_notice"]), DAYS),
        st.builds(lambda on: Event("demand", on, on - timedelta(days=3), "sha"), DAYS),
        st.builds(lambda kind, on: Event(kind, on, on, "sha", "somebody else"), kinds, DAYS),
        st.builds(
            lambda kind, back: Event(kind, DUE - timedelta(days=back), DUE - timedelta(days=back), "sha"), kinds, st.integers(0, 2000)
        ),
        *([st.builds(lambda kind, on: Event(kind, on, on, "sha"), st.sampled_from(nothing), DAYS)] if nothing else []),
    )


@given(st.data(), st.sampled_from(KNOWN))
@examples(80, 1000)
def test_no_sequence_of_events_that_do_not_count_moves_the_clock(data, country):
    events = data.draw(st.lists(invalid(country), min_size=1, max_size=8))
    found, bare = clock(country, *events, on=LATER.isoformat()), clock(country, on=LATER.isoformat())
    assert (found.ends_on, found.state) == (bare.ends_on, bare.state)
    assert not any(one.counts for one in found.events)


@given(st.sampled_from(KNOWN), st.lists(EVENTS, max_size=6), st.dates(date(2020, 4, 1), LATER))
@examples(60, 1000)
def test_a_clock_of_a_day_knows_nothing_later(country, events, on):
    known = [
        Event(one.kind, one.on, one.received_on if one.received_on and one.received_on <= on else None, one.proof, one.party)
        for one in events
        if one.on <= on
    ]
    assert clock(country, *events, on=on.isoformat()) == clock(country, *known, on=on.isoformat())


@given(st.sampled_from(KNOWN), st.lists(EVENTS, max_size=4))
@examples(40, 500)
def test_the_day_to_act_is_never_after_the_end(country, events):
    found = clock(country, *events, on="2020-06-01")
    assert found.act_by <= found.ends_on
