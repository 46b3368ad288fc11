"""Assets and what is lost: each figure from its definition."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.messages import catalogue
from duecourse.risk.severity.assets import LOOK_UPS, REALISED, Asset, assess, net_realisable
from duecourse.risk.severity.loss import discount, loss_given_default
from support.examples import examples

DAY = date(2026, 6, 1)


def test_liens_of_one_asset_never_eat_another():
    assets = [
        Asset("real_estate", 1_000_000, "CNY", prior_minor=900_000),
        Asset("bank_account", 100_000, "CNY"),
        Asset("vehicles", 100, "EUR"),
    ]
    assert net_realisable(assets) == {"CNY": 95_000, "EUR": 60}
    assert Asset("inventory", 1_000, "CNY", realised=0.5, prior_minor=100).net_minor == 400


def test_the_checklist_says_what_nobody_looked_up_and_what_is_stale():
    found = assess(
        [Asset("real_estate", 100, "CNY", "register", date(2026, 5, 1)), Asset("vehicles", 100, "CNY", "old", date(2025, 1, 1))],
        {"litigation": (DAY, "court site")},
        on=DAY,
    )
    assert [one.name for one in found.lines] == list(LOOK_UPS)
    assert "real_estate" not in found.missing
    assert "litigation" not in found.missing
    assert {"vehicles", "site_visit"} <= set(found.missing)
    assert next(one for one in found.lines if one.name == "real_estate").source == "register"


def test_every_kind_and_look_up_has_words():
    assert all(f"route.asset_{kind}" in catalogue() for kind in REALISED)
    assert all(f"route.look_{name}" in catalogue() for name in LOOK_UPS)


def test_loss_given_default_is_the_formula():
    found = loss_given_default(1_000_000, 90, recovery_share=0.71, recovery_days=365, insured_share=0.9, payable=0.8, secured_minor=50_000)
    assert found.share == pytest.approx((1 - 0.72) * (1 - 0.71 / 1.06) - 0.05)
    assert found.minor == round(1_000_000 * found.share)
    assert loss_given_default(100, 0, secured_minor=1_000).share == 0.0
    assert discount(365) == pytest.approx(1 / 1.06)


@given(st.integers(1, 10**12), st.integers(0, 3_000), st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**12))
@examples(50, 500)
def test_a_loss_is_between_nothing_and_everything(exposure, days, insured, payable, secured):
    found = loss_given_default(exposure, days, insured_share=insured, payable=payable, secured_minor=secured)
    assert 0.0 <= found.share <= 1.0
    assert (
        loss_given_default(exposure, days + 100, insured_share=insured, payable=payable, secured_minor=secured).share >= found.share - 1e-12
    )
