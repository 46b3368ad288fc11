"""Economies unlike the demo: other laws of distress and payment, by which a warning can be judged that was tuned on another one.

A warning tuned and tested on one generator proves only that it knows that generator. Each family changes what a detector could have
learned by heart: how long before a failure distress begins and how it grows, how noisy payments are, how many failures come without
warning, how much they come together, how often distress passes, how much is said of it, and whether the habits of the past still hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.samples.parameters import Behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES: Final[Mapping[str, Behaviour]] = {
    "base": Behaviour(),
    "late_ramp": Behaviour(distress_months_median=7.0, distress_months_sigma=0.6, ramp_power=3.0),
    "even_ramp": Behaviour(distress_law="gamma", distress_months_median=12.0, distress_months_shape=2.0, ramp_power=1.0),
    "steep_ramp": Behaviour(distress_law="weibull", distress_months_median=9.0, distress_months_shape=1.4, ramp="logistic"),
    "heavy_tails": Behaviour(
        noise_law="student", noise_tail=2.4, noise_days_median=6.0, noise_days_sigma=0.7, slow_tail=1.8, forgotten_share=0.002,
        order_noise=0.6, order_value_sigma=1.2,
    ),
    "pareto_delays": Behaviour(noise_law="pareto", noise_tail=2.3, noise_days_median=6.0, stress_days=28.0),
    "hidden": Behaviour(sudden_share=0.30, cloaked_share_of_large=0.85, cloaked_visible=0.05),
    "together": Behaviour(
        asset_correlation=0.12, group_share=0.25, group_shock=0.9, regime_at=0.5, regime_world=-2.0, regime_world_months=12
    ),
    "new_regime": Behaviour(regime_at=0.5, regime_days=8.0, regime_intensity=1.6, regime_visible=0.6),
    "false_alarms": Behaviour(fatal_share=0.25, recovering_height=(0.45, 0.50), good_reference=(0.0, 0.0)),
    "quiet": Behaviour(signal_scale=0.3, news_coverage_middle=0.9, with_accounts=0.25, rated_share=0.05),
    "few_kinds": Behaviour(
        bill_dishonoured=(0.0, 0.0), tax_arrears=(0.0003, 0.0), asset_freeze=(0.0, 0.0), supply_stop=(0.0, 0.0), no_answer=(0.0, 0.0),
        dishonest_debtor=(0.0, 0.0), arrears_list=(0.0, 0.0), register_change=(0.0012, 0.0), register_warning=(0.0003, 0.0),
        bank_change=(0.0012, 0.0), good_reference=(0.0, 0.0), bad_reference=(0.0, 0.0), rated_share=0.0, insured_share=0.0,
    ),
    "textbook": Behaviour(
        asset_correlation=0.08, class_shares=(0.475, 0.40, 0.12, 0.005), prompt_mean=-2.5, late_shape_scale=(2.0, 4.0), chronic_shape_scale=(4.0, 7.0),
        pay_run_shares=(0.35, 0.35, 0.15, 0.15), noise_factor=(1.0, 1.0, 1.0, 1.0), forgotten_share=0.0, on_the_day=(0.60, 0.20, 0.05, 0.0),
    ),
}  # fmt: skip
"""Behaviours by name, as in `Economy(behaviour=FAMILIES["late_ramp"])`.

base           the demo
late_ramp      distress is short and shows only at its end
even_ramp      distress is long and grows evenly; lengths by a gamma law
steep_ramp     little, then much within weeks; lengths by a Weibull law
heavy_tails    delays after Student's t with 2.4 degrees of freedom, orders and slow payers with heavier tails
pareto_delays  delays with one heavy tail, and distress that lengthens payment less
hidden         three failures in ten are sudden, and most large buyers hide their distress in payments
together       failures hang together: correlation, groups, and a year of slump half way
new_regime     half way all pay eight days later, failures are more frequent and show less
false_alarms   three episodes in four pass, and are as deep as those that do not
quiet          little is said and published: payments are all there is
few_kinds      of signals only contacts, news, courts, enforcement, requests and promises: no bureau, insurer, bank or register
textbook       the simple economy most is published on: three kinds of payers as noisy as one another, hardly any very slow, nothing forgotten, and
               failures that hang together as credit-risk texts assume
"""
