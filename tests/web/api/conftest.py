"""Clients of the API: with a key, or with the session of somebody signed in."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from duecourse.web.api import limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client


class Caller:
    """Calls the API with a key."""

    def __init__(self, client: Client, token: str) -> None:
        self.client, self.token = client, token

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more}

    def get(self, path: str, query: Any = None, **headers: str) -> Any:
        return self.client.get(f"/api/v1{path}", query, headers=self._headers(headers))

    def send(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, content_type: str = "application/json", **headers: str
    ) -> Any:
        headers = {"Idempotency-Key": key or str(uuid.uuid4()), **headers}
        if key == "":
            del headers["Idempotency-Key"]
        import json

        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.generic(method, f"/api/v1{path}", data, content_type=content_type, headers=self._headers(headers))

    def post(self, path: str, body: Any, **more: Any) -> Any:
        return self.send("POST", path, body, **more)


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    limits.forget()


@pytest.fixture
def caller(person: Any) -> Callable[..., Caller]:
    """caller("credit_manager", acts=["read", "import"], sales_owners=[…]): a program with a key of such a person."""
    from django.test import Client
    from django.utils import timezone

    from duecourse.web.accounts.models import ApiKey

    def make(role: str = "credit_manager", *, acts: Any = ("read", "import"), **more: Any) -> Caller:
        who = person(role, **more)
        _key, token = ApiKey.make(who, "test", list(acts), timezone.now() + timedelta(days=1))
        return Caller(Client(raise_request_exception=False), token)

    return make


@pytest.fixture
def invoices() -> Callable[..., list[dict[str, Any]]]:
    """invoices(3): rows to send."""

    def make(count: int, *, prefix: str = "API-", **more: Any) -> list[dict[str, Any]]:
        return [
            {
                "invoice_id": f"{prefix}{number}", "buyer_id": "api-buyer", "issue_date": "2025-03-01", "due_date": "2025-04-01",
                "amount": f"{100 + number}.50", "currency": "CNY", **more,
            }
            for number in range(count)
        ]  # fmt: skip

    return make
