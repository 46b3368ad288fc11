"""Who asks: the session and the person of a request, each by one plain question to the database.

The same questions as Django's own store and backend ask, drawn up once instead of for every page. Nothing is remembered between two
requests: a session that was ended, or a person who may no longer come in, is gone with the next request, whichever process answers it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from allauth.account.auth_backends import AuthenticationBackend  # type: ignore[import-untyped]
from django.contrib.sessions.backends import db
from django.db import DEFAULT_DB_ALIAS, connection
from django.utils import timezone

from duecourse.web.accounts.models import Person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

    Question = tuple[str, Sequence[str], Mapping[int, Any]]
    """The SQL with room for its values, what each column is called, and what makes each column's value of what the database gives."""


class SessionStore(db.SessionStore):
    """Sessions in the database."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing where it is unknown or over."""
        sql, _names, _converters = _session_question(connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(sql, [connection.ops.adapt_datetimefield_value(timezone.now()), self.session_key])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        found: dict[str, Any] = self.decode(row[0])
        return found


class People(AuthenticationBackend):  # type: ignore[misc]
    """Signing in by name or address and password; and the person of a session."""

    def get_user(self, user_id: int) -> Person | None:
        """The person of this number, if they may still come in."""
        sql, names, converters = _person_question(connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(sql, [user_id])
            row = cursor.fetchone()
        if row is None:
            return None
        values = list(row)
        for place, (functions, expression) in converters.items():
            for function in functions:
                values[place] = function(values[place], expression, connection)
        found: Person = Person.from_db(DEFAULT_DB_ALIAS, names, values)
        return found if self.user_can_authenticate(found) else None


@cache
def _session_question(_vendor: str) -> Question:
    rows = SessionStore.get_model_class().objects
    return _drawn_up(rows.filter(expire_date__gt=timezone.now()).filter(session_key="-").values_list("session_data"))


@cache
def _person_question(_vendor: str) -> Question:
    return _drawn_up(Person.objects.filter(pk=0))


def _drawn_up(rows: QuerySet[Any]) -> Question:
    compiler = rows.query.get_compiler(connection=connection)
    sql, _args = compiler.as_sql()
    expressions = [expression for expression, _sql, _alias in compiler.select]
    return sql, [expression.target.attname for expression in expressions], compiler.get_converters(expressions)
