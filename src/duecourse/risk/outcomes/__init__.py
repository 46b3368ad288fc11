"""What went wrong, and when (违约结果): written definitions of default, and the events they make of a book."""

from duecourse.risk.outcomes.definitions import DEFAULT, KINDS, SETTING, Definition, checked, definition
from duecourse.risk.outcomes.events import EVENTS, begun_on, default_events, defaults, lasting, spells

__all__ = [
    "DEFAULT",
    "EVENTS",
    "KINDS",
    "SETTING",
    "Definition",
    "begun_on",
    "checked",
    "default_events",
    "defaults",
    "definition",
    "lasting",
    "spells",
]
