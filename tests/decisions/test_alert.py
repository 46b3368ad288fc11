"""One live alert a buyer, never more new ones than there is time for, none that opens and closes every day, and the same whatever the order."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.decisions.alert import LiveAlert, Opened, Warned, allowed, rank_of, severity_of, today
from duecourse.decisions.alert_policy import ACTS, checked, policy_of, shipped
from duecourse.errors import RuleInvalidError
from support.examples import examples

ON = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)
POLICY = shipped()


def warned(buyer="a", probability=0.1, **more):
    return Warned(buyer, probability, exposure_minor=more.pop("exposure", 100_000), **more)


def ids(alerts):
    return [one.buyer_id for one in alerts]


def test_severity_is_the_graver_of_probability_and_rules():
    assert [severity_of(POLICY, warned(probability=p)) for p in (0.0, 0.0499, 0.05, 0.15)] == [None, None, "amber", "red"]
    assert severity_of(POLICY, Warned("a", None, 60.0)) == "red"
    assert severity_of(POLICY, Warned("a", 0.06, 60.0)) == "red"
    assert severity_of(POLICY, Warned("a")) is None
    assert severity_of(POLICY, Warned("a", 0.0, reasons={"insolvency": "legal"})) == "red"


def test_what_can_be_saved_comes_first():
    plain = warned(probability=0.1, exposure=1_000_000)
    assert rank_of(POLICY, plain) == pytest.approx(0.1 * 1_000_000 * 0.94)
    assert rank_of(POLICY, warned(probability=0.1, exposure=1_000_000, days_past_due=90)) == pytest.approx(71_000)
    assert rank_of(POLICY, warned(probability=0.1, exposure=1_000_000, covered_minor=900_000)) == pytest.approx(9_400)
    assert rank_of(POLICY, warned(exposure=5, covered_minor=9)) == 0
    assert rank_of(POLICY, Warned("a", None, 35.0, 1_000_000)) == pytest.approx(47_000)
    by_risk = checked({"ranking": "probability"})
    assert rank_of(by_risk, plain) == 0.1
    rows = [warned("small", 0.3, exposure=10), warned("large", 0.06, exposure=10_000_000), warned("middle", 0.1, exposure=1_000_000)]
    assert ids(today(POLICY, ON, rows, {}, watched=1_000).opened) == ["large", "middle", "small"]


def test_the_budget_is_of_the_day_and_of_the_month():
    assert allowed(POLICY, Opened(), 10_000) == 5
    assert allowed(POLICY, Opened(on_day=3), 10_000) == 2
    assert allowed(POLICY, Opened(in_month=9), 1_000) == 1
    assert allowed(POLICY, Opened(in_month=12), 1_000) == 0
    assert allowed(POLICY, Opened(), 20) == 1
    assert allowed(checked({"budget": {"alerts_per_analyst_day": None, "share_of_watched_a_month": None}}), Opened(), 10) is None
    rows = [warned(f"b{number}", exposure=number + 1) for number in range(9)]
    said = today(POLICY, ON, rows, {}, watched=1_000)
    assert ids(said.opened) == ["b8", "b7", "b6", "b5", "b4"] and ids(said.waiting) == ["b3", "b2", "b1", "b0"]
    insolvent = warned("z", 0.0, reasons={"insolvency": "legal"}, exposure=0)
    said = today(POLICY, ON, [*rows, insolvent], {}, watched=1_000)
    assert ids(said.opened) == ["z", "b8", "b7", "b6", "b5"], "what cannot wait takes a place"
    assert ids(today(POLICY, ON, [*rows, insolvent], {}, opened=Opened(on_day=5), watched=1_000).opened) == ["z"], (
        "and comes where none is left"
    )


def test_an_alert_closes_only_after_a_month_below_a_lower_threshold():
    live = today(POLICY, ON, [warned(probability=0.06)], {}, watched=100).live
    assert live["a"].severity == "amber"
    live = today(POLICY, ON + DAY, [warned(probability=0.03)], live, watched=100).live
    assert live["a"].below_since is None, "below what opens, above what closes"
    live = today(POLICY, ON + 2 * DAY, [warned(probability=0.01)], live, watched=100).live
    assert live["a"].below_since == ON + 2 * DAY
    live = today(POLICY, ON + 20 * DAY, [warned(probability=0.03)], live, watched=100).live
    assert live["a"].below_since is None
    live = today(POLICY, ON + 21 * DAY, [], live, watched=100).live
    said = today(POLICY, ON + 50 * DAY, [], live, watched=100)
    assert not said.closed
    said = today(POLICY, ON + 51 * DAY, [], said.live, watched=100)
    assert ids(said.closed) == ["a"] and not said.live


def test_more_news_of_a_buyer_is_added_to_its_alert():
    one, two = warned(probability=0.06, reasons={"PAY01": "payment"}), Warned("a", None, 40.0, reasons={"NEG02": "legal"})
    said = today(POLICY, ON, [one, two], {}, watched=100)
    assert len(said.opened) == 1 and dict(said.opened[0].reasons) == {"PAY01": "payment", "NEG02": "legal"}
    again = today(POLICY, ON + DAY, [one], said.live, watched=100)
    assert not again.opened and not again.raised and again.live["a"].raised_on == ON
    graver = today(POLICY, ON + 2 * DAY, [warned(probability=0.2, reasons={"LIM02": "limit"})], again.live, watched=100)
    assert not graver.opened and ids(graver.raised) == ["a"]
    assert graver.live["a"].severity == "red" and list(graver.live["a"].reasons) == ["PAY01", "NEG02", "LIM02"]
    calmer = today(POLICY, ON + 3 * DAY, [warned(probability=0.06)], graver.live, watched=100)
    assert calmer.live["a"].severity == "red" and not calmer.raised


def test_a_closed_alert_comes_back_within_the_hold_only_if_it_is_graver():
    before = Opened(last={"a": (ON - 100 * DAY, "amber")})
    assert not today(POLICY, ON, [warned(probability=0.1)], {}, opened=before, watched=100).opened
    assert today(POLICY, ON, [warned(probability=0.2)], {}, opened=before, watched=100).opened
    assert today(POLICY, ON + 82 * DAY, [warned(probability=0.1)], {}, opened=before, watched=100).opened


def test_a_buyer_in_default_takes_no_place_from_those_who_can_still_be_warned_of():
    rows = [warned("late", 0.4, in_default_since=ON, exposure=9_000_000), warned("b", 0.06)]
    said = today(POLICY, ON, rows, {}, opened=Opened(on_day=4), watched=1_000)
    assert ids(said.opened) == ["b"] and not said.waiting
    for since, reason, opens in ((ON, "NEG06", True), (ON - 31 * DAY, "NEG06", False), (ON - 31 * DAY, "insolvency", True)):
        told = warned("late", None, in_default_since=since, reasons={"in_default": "payment", reason: "legal"})
        said = today(POLICY, ON, [told], {}, opened=Opened(on_day=5), watched=1_000)
        assert ids(said.opened) == (["late"] if opens else []), "what cannot wait does not, but an old default is no news"
    longer = checked({"in_default_days": 31})
    told = warned("late", None, in_default_since=ON - 31 * DAY, reasons={"in_default": "payment", "NEG06": "legal"})
    assert ids(today(longer, ON, [told], {}, opened=Opened(on_day=5), watched=1_000).opened) == ["late"]


def test_an_alert_that_came_true_is_grave_and_stays_until_somebody_closes_it():
    live = today(POLICY, ON, [warned(probability=0.06)], {}, watched=100).live
    defaulted = warned(probability=None, in_default_since=ON, reasons={"in_default": "payment"})
    said = today(POLICY, ON + DAY, [defaulted], live, watched=100)
    assert ids(said.raised) == ["a"] and said.live["a"].severity == "red" and "in_default" in said.live["a"].reasons
    later = today(POLICY, ON + 90 * DAY, [defaulted], said.live, watched=100)
    assert not later.closed and not later.raised and later.live["a"].below_since is None
    cured = today(POLICY, ON + 91 * DAY, [warned(probability=0.01)], later.live, watched=100)
    assert cured.live["a"].below_since == ON + 91 * DAY, "cured, it rests as any other"
    assert ids(today(POLICY, ON + 121 * DAY, [], cured.live, watched=100).closed) == ["a"]


def test_an_event_of_one_buyer_leaves_the_others_alone():
    live = today(POLICY, ON, [warned("a", 0.06), warned("b", 0.06)], {}, watched=1_000).live
    said = today(POLICY, ON + DAY, [warned("a", 0.0, reasons={"insurer_limit_cut": "limit"})], live, whole=False, watched=1_000)
    assert said.live["b"] is live["b"] and ids(said.raised) == ["a"] and said.live["a"].severity == "red"


def test_acts_follow_the_reasons():
    assert POLICY.acts({}) == ["review_grade"]
    assert POLICY.acts({"NEG06": "legal"}) == ["prepay", "notify_insurer", "secure"]
    assert POLICY.acts({"PAY01": "payment"}) == ["call", "cut_limit"]
    assert POLICY.acts({"NEG06": "legal", "FIN01": "financial"})[0] == "prepay"
    assert POLICY.acts({"unheard": "of"}) == ["review_grade"]
    for code in POLICY["acts"]:
        assert 0 < len(POLICY.acts({code: ""})) <= POLICY["most_acts"]


def test_a_policy_of_the_firms_own():
    own = policy_of({"alert_policy": {"version": "house", "budget": {"analysts": 3}, "acts": {"MAC01": ["secure"]}}})
    assert (own.version, own["budget"]["analysts"], own["budget"]["alerts_per_analyst_day"]) == ("house", 3, 5)
    assert own.acts({"MAC01": "country"}) == ["secure"] and own.acts({"PAY01": "payment"}) == ["call", "cut_limit"]
    assert policy_of({}) is shipped()
    assert {act for acts in POLICY["acts"].values() for act in acts} <= set(ACTS)


@pytest.mark.parametrize(
    "own",
    [
        {"budgets": {}}, {"budget": 3}, {"budget": {"analysts": -1}}, {"hold_days": 1.5}, {"acts": {"PAY01": ["sue"]}}, {"acts": {"PAY01": []}},
        {"acts": 3}, {"ranking": "alphabet"}, {"saveable": [[0, 1], [0, 0.5]]}, {"saveable": [[0, 2]]}, {"saveable": []}, {"at_once": "all"},
        {"closing": {"probability_6m": 0.06}}, {"severity": {"amber": {"rule_score": 70}}}, {"severity": {"red": {"probability_6m": None}}}, 7,
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_is_refused(own):
    with pytest.raises(RuleInvalidError):
        checked(own)


BUYERS = "abcdef"
ROWS = st.lists(
    st.builds(
        Warned, st.sampled_from(BUYERS), st.one_of(st.none(), st.floats(0, 0.3)), st.one_of(st.none(), st.floats(0, 100)),
        st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 800),
        st.dictionaries(st.sampled_from(["PAY01", "LIM02", "FIN05", "insolvency"]), st.just("family"), max_size=2), st.sampled_from([None, None, ON - 60 * DAY, ON]),
    ),
    max_size=10,
)  # fmt: skip


@given(st.lists(st.tuples(ROWS, st.integers(1, 40)), max_size=12), st.integers(0, 3), st.integers(0, 40), st.randoms())
@examples(60, 1_000, deadline=None)
def test_over_any_course_of_days(course, a_day, watched, shuffle):
    policy = checked({"budget": {"alerts_per_analyst_day": a_day, "share_of_watched_a_month": 0.1}})
    live: dict[str, LiveAlert] = {}
    open_now, history, last = set(), [], {}
    day = ON
    for rows, step in course:
        day += step * DAY
        before = Opened(0, sum((day - one).days < 30 for one in history), last)
        said = today(policy, day, rows, live, opened=before, watched=watched)
        mixed = list(rows)
        shuffle.shuffle(mixed)
        other = today(policy, day, mixed, live, opened=before, watched=watched)
        assert sorted(ids(said.opened)) == sorted(ids(other.opened)) and said.live.keys() == other.live.keys()

        assert not open_now & set(ids(said.opened)) and len(set(ids(said.opened))) == len(said.opened)
        assert set(ids(said.closed)) <= open_now
        open_now = open_now - set(ids(said.closed)) | set(ids(said.opened))
        assert open_now == set(said.live) and all(buyer == alert.buyer_id for buyer, alert in said.live.items())

        waiting_could = [one for one in said.opened if not set(one.reasons) & set(policy["at_once"])]
        assert len(waiting_could) <= allowed(policy, before, watched)
        assert not (waiting_could and len(said.opened) > allowed(policy, before, watched))
        for alert in said.opened:
            held = last.get(alert.buyer_id)
            assert held is None or (day - held[0]).days >= policy["hold_days"] or (alert.severity, held[1]) == ("red", "amber")
        defaulted = {one.buyer_id for one in rows if one.in_default_since}
        at_once = {one.buyer_id for one in rows if set(one.reasons) & set(policy["at_once"])}
        assert not (set(ids(said.opened)) & defaulted) - at_once and not set(ids(said.waiting)) & defaulted
        assert not set(ids(said.closed)) & defaulted
        for alert in said.closed:
            assert (day - alert.below_since).days >= policy["closing"]["days"]
        for buyer, alert in said.live.items():
            if buyer in live:
                assert alert.opened_on == live[buyer].opened_on and live[buyer].reasons.keys() <= alert.reasons.keys()
                assert not (live[buyer].severity == "red" and alert.severity == "amber")
        again = today(
            policy, day, rows, said.live, opened=Opened(len(said.opened), before.in_month + len(said.opened), last), watched=watched
        )
        assert not again.raised and not again.closed and {b: a for b, a in again.live.items() if b in said.live} == dict(said.live)

        live = dict(said.live)
        history += [day] * len(said.opened)
        last = last | {one.buyer_id: (one.opened_on, one.severity) for one in said.opened}
