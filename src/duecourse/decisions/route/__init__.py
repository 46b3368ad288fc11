"""Which way to the money is worth its cost, 追收路径: routes and sequences of them, feasible or not and why, with what each is expected to bring.

    found = routes(facts, overrides)       # every route, ranked; every assumption named
    plain(found)                           # as a decision keeps it

Every probability, duration and cost that is no published fee is an assumption with its source; each can be overridden by name.
"""

from __future__ import annotations

from duecourse.decisions.route.assumptions import Assumption
from duecourse.decisions.route.choosing import VERSION, Route, Routes, plain, routes
from duecourse.decisions.route.facts import AssetAt, RouteFacts
from duecourse.decisions.route.worth import Fee, Step, Worth, worth_of

__all__ = ["VERSION", "AssetAt", "Assumption", "Fee", "Route", "RouteFacts", "Routes", "Step", "Worth", "plain", "routes", "worth_of"]
