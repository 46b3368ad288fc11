"""The weather all buyers share: the business cycle of the world and of each sector, and exchange rates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from duecourse.ledger.entries import EXCHANGE_RATE, SETTING
from duecourse.samples.days import month_ends
from duecourse.samples.distress import regime_from
from duecourse.samples.places import CNY_PER_UNIT, CURRENCIES, MONTHLY_VOLATILITY, SECTORS

if TYPE_CHECKING:
    from duecourse.samples.columns import Floats
    from duecourse.samples.parameters import Economy


def draws(economy: Economy, *key: int) -> np.random.Generator:
    """The random numbers of one part of the economy: the same for the same seed and key, whatever else was drawn."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([economy.seed, *key])))


def cycle(economy: Economy, months: int) -> tuple[Floats, Floats]:
    """World factor [month], and the factor a firm of each sector feels [sector, month]: standard normal, positive in good times."""
    behaviour = economy.behaviour
    shocks = draws(economy, 0).standard_normal((len(SECTORS) + 1, months))
    persistence = behaviour.cycle_persistence
    paths = np.empty_like(shocks)
    paths[:, 0] = shocks[:, 0]
    for month in range(1, months):
        paths[:, month] = persistence * paths[:, month - 1] + np.sqrt(1 - persistence**2) * shocks[:, month]
    start, slump = regime_from(economy), behaviour.regime_world_months
    paths[0, start : start + slump] += behaviour.regime_world
    world = paths[0]
    weight = behaviour.world_weight
    return world, weight * world + np.sqrt(1 - weight**2) * paths[1:]


def exchange_rates(economy: Economy) -> pa.Table:
    """Month-end rates to the renminbi, a random walk around plausible levels, by the provider `demo`."""
    ends = month_ends(economy)
    foreign = [code for code in CURRENCIES if code != "CNY"]
    steps = draws(economy, 3).standard_normal((len(CURRENCIES), len(ends)))
    rows: dict[str, list[object]] = {name: [] for name in EXCHANGE_RATE.facts.names}
    for code in foreign:
        which = CURRENCIES.index(code)
        level = 0.0
        for end, step in zip(ends, steps[which], strict=True):
            level = 0.94 * level + MONTHLY_VOLATILITY[which] * float(step)
            rows["provider"].append("demo")
            rows["base_currency"].append(code)
            rows["quote_currency"].append("CNY")
            rows["rate_date"].append(end)
            rows["rate"].append(round(CNY_PER_UNIT[which] * float(np.exp(level)), 6))
    return pa.table(rows, schema=EXCHANGE_RATE.facts)


OWN: Final = {
    "base_currency": "CNY",
    "own_country": "CN",
    "letterhead": {
        "": {
            "name": "Duecourse Demo Trading Co., Ltd.", "local_name": "如期演示贸易有限公司", "registration_number": "91310000MADEMO0000",
            "address": "1 Example Road, Shanghai 200000, China", "local_address": "上海市示例路1号 200000", "country": "CN", "email": "credit@demo.example",
            "phone": "+86 21 5555 0100", "signatory": "Lin Yue", "signatory_title": "Credit manager", "call_back": "+86 21 5555 0101",
            "accounts": [{"holder": "Duecourse Demo Trading Co., Ltd.", "bank": "Example Bank, Shanghai", "number": "0000 0000 0000 0000"}],
        }
    },
}  # fmt: skip
"""The firm of the demo: nobody real. Its books are in renminbi."""


def settings() -> pa.Table:
    """The firm's own settings."""
    values = [json.dumps(value, ensure_ascii=False) for value in OWN.values()]
    return pa.table({"name": list(OWN), "value": values, "effective_from": pa.nulls(len(OWN), pa.date32())}, schema=SETTING.facts)
