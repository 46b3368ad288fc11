"""A kept connection never goes on with a database file that was moved away or replaced."""

from __future__ import annotations

import pytest
from django.core.signals import request_started
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_a_connection_to_a_file_that_is_gone_or_another_is_closed_before_the_next_request():
    connection.close()  # one of an earlier test may be so old that it is closed for that
    connection.ensure_connection()
    request_started.send(sender=None)
    assert connection.connection is not None, "the same file: the connection is kept"
    connection.opened_file = (0, 0)  # as after the file was replaced by another
    request_started.send(sender=None)
    assert connection.connection is None
    connection.ensure_connection()
    assert connection.opened_file != (0, 0)
