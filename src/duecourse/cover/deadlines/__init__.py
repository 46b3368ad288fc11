"""Every clock that runs when a debt is not paid, 期限: limitation, guarantees, bills, preservation, enforcement, insolvency claims, duties.

A clock is a function of facts and of a day, of nothing else: asked again, or asked a week late, it says the same.
"""

from __future__ import annotations

from duecourse.cover.deadlines.clock import Clock, Event, Weighed

__all__ = ["Clock", "Event", "Weighed"]
