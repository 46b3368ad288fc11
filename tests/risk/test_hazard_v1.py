"""The shipped hazard card: its factors are the signs, each pulls the way it is said to, and paying later never makes a buyer safer."""

from __future__ import annotations

import numpy as np
import pytest

from duecourse.messages import catalogue
from duecourse.risk.warning import hazard_v1
from duecourse.risk.warning.hazard_v1.themes import LEADING, SIGNS


def blocks(buyers=1, **cells):
    """Blocks of [buyer, 32] with the same value in a range of blocks: {column: [(begin, end, value), …]}."""
    found = {}
    for name in (
        "items",
        "unpaid",
        "late_15",
        "late_30",
        "late_60",
        "days_15",
        "days_30",
        "days_60",
        "squares_30",
        "billed",
        "paid",
        "overdue_paid",
        "paid_days",
    ):
        array = np.zeros((buyers, 32))
        for begin, end, value in cells.get(name, ()):
            array[:, begin:end] = value
        found[name] = array
    return found, found


def test_the_card_reads_the_signs_and_tells_every_theme():
    card = hazard_v1.load()
    assert [factor.name for factor in card.factors] == list(SIGNS)
    assert {factor.name: factor.family for factor in card.factors} == {name: theme for name, (theme, _) in SIGNS.items()}
    assert {theme for theme, _ in SIGNS.values()} == set(LEADING)
    for theme, sign in LEADING.items():
        assert SIGNS[sign][0] == theme
        assert {f"warning.theme_{theme}", f"warning.theme_name_{theme}"} <= set(catalogue())


@pytest.mark.parametrize("factor", hazard_v1.load().factors, ids=lambda factor: factor.name)
def test_more_of_a_bad_sign_never_makes_a_buyer_safer(factor):
    if SIGNS[factor.name][1]:
        steps = factor.steps.mean(axis=0)
        assert (np.diff(steps) >= -1e-3).all()
    assert np.isfinite(factor.steps).all()
    assert (np.diff(factor.edges) > 0).all()


def test_a_steady_payer_shows_no_rise_and_one_who_pays_later_does():
    steady = {
        "items": [(0, 32, 2)],
        "days_15": [(0, 32, 10)],
        "days_30": [(0, 32, 10)],
        "days_60": [(0, 32, 10)],
        "squares_30": [(0, 32, 50)],
    }
    calm = hazard_v1.of_payments(*blocks(**steady))
    assert abs(calm["delay_rise_15_5"][0]) < 0.2
    assert calm["shift_evidence"][0] == 0
    later = {name: [*cells, (0, 6, {"items": 2, "squares_30": 900}.get(name, 28))] for name, cells in steady.items()}
    shifted = hazard_v1.of_payments(*blocks(**later))
    for sign in ("delay_rise_15_5", "delay_shift_15_5", "delay_rise_30_6", "shift_evidence", "shift_evidence_gained"):
        assert shifted[sign][0] > calm[sign][0] + 1, sign
    card = hazard_v1.load()
    filled = {name: np.full(1, np.nan) for name in SIGNS}
    calm_odds, later_odds = (float(card.evidence({**filled, **signs}).log_odds[0]) for signs in (calm, shifted))
    assert later_odds > calm_odds


def test_a_buyer_of_whom_nothing_is_known_has_the_odds_of_the_base_rate():
    found = hazard_v1.load().evidence({name: np.full(1, np.nan) for name in SIGNS})
    assert found.log_odds[0] == pytest.approx(0.0, abs=1e-6)
    nothing = hazard_v1.of_payments(*blocks())
    assert all(np.isnan(nothing[name][0]) for name in ("delay_15_5", "delay_rise_15_5", "unpaid_share", "paid_late_share", "purchases_60"))
