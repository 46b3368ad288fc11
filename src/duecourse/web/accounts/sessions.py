"""Who asks: the session and the person of a request, each by one plain question to the database.

The same questions as Django's own store and backend ask, drawn up once instead of for every page. Nothing is remembered between two
requests: a session that was ended, or a person who may no longer come in, is gone with the next request, whichever process answers it.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.account.auth_backends import AuthenticationBackend  # type: ignore[import-untyped]
from django.contrib.sessions.backends import db
from django.db import DEFAULT_DB_ALIAS, connection
from django.utils import timezone

from duecourse.web.accounts.models import Person
from duecourse.web.questions import Question


class SessionStore(db.SessionStore):
    """Sessions in the database."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing where it is unknown or over."""
        found = SESSION.rows(connection.ops.adapt_datetimefield_value(timezone.now()), self.session_key)
        if not found:
            self._session_key = None
            return {}
        held: dict[str, Any] = self.decode(found[0][0])
        return held


class People(AuthenticationBackend):  # type: ignore[misc]
    """Signing in by name or address and password; and the person of a session."""

    def get_user(self, user_id: int) -> Person | None:
        """The person of this number, if they may still come in."""
        found = PERSON.rows(user_id)
        if not found:
            return None
        person: Person = Person.from_db(DEFAULT_DB_ALIAS, PERSON.names, found[0])
        return person if self.user_can_authenticate(person) else None


def _session() -> Any:
    rows = SessionStore.get_model_class().objects
    return rows.filter(expire_date__gt=timezone.now()).filter(session_key="-").values_list("session_data")


SESSION: Final = Question(_session, 0, 1)
PERSON: Final = Question(lambda: Person.objects.filter(pk=0), 0)
