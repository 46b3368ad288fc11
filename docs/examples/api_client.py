# ruff: noqa: INP001
"""Connect an ERP to Duecourse: send facts so that each counts once, read figures, check that a webhook is ours.

DUECOURSE_URL=http://127.0.0.1:8000 DUECOURSE_KEY=dck_… python api_client.py    # the key: Profile → API keys
"""

import base64
import hashlib
import hmac
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx


class Duecourse:
    def __init__(self, url: str, key: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=120)

    def call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Sent until it is answered. A write keeps its key through every try, so it is done once."""
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4())}
        for wait in (1, 2, 4, 8, 16, 32):
            try:
                answer = self.http.request(method, path, headers=headers, **more)
                if answer.is_success:
                    return answer.json()
                if answer.status_code not in (409, 429, 500, 503):
                    raise RuntimeError(answer.text)  # RFC 9457: title, detail, and errors by row and field
                time.sleep(float(answer.headers.get("Retry-After", wait)))
            except httpx.TransportError:
                time.sleep(wait)
        raise TimeoutError(path)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list; it stays at the ledger's version it began at."""
        while (page := self.call("GET", path, params=query))["next"]:
            yield from page["rows"]
            query["cursor"] = page["next"]
        yield from page["rows"]


def is_ours(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Did Duecourse send this webhook, and within the last five minutes?"""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and any(hmac.compare_digest(one, f"v1,{made}") for one in headers["webhook-signature"].split())


if __name__ == "__main__":
    us = Duecourse(os.environ["DUECOURSE_URL"], os.environ["DUECOURSE_KEY"])
    us.call("PUT", "/buyers/EX-1", json={"name": "Nordwind GmbH", "country": "DE", "payment_terms_days": 30})
    invoice = {"invoice_id": "EX-1001", "buyer_id": "EX-1", "issue_date": "2026-03-01", "due_date": "2026-03-31", "currency": "EUR"}
    print(us.call("POST", "/invoices", json=[{**invoice, "amount": "1250.00"}]))
    print(us.call("GET", "/buyers/EX-1", params={"as_of": "2026-04-15"})["figures"])
    print(sum(1 for _ in us.pages("/invoices", buyer_id="EX-1", limit=100)), "invoices")
