"""Connect an ERP to Duecourse in sixty lines: send facts safely, read figures, check a webhook.

DUECOURSE_URL=http://127.0.0.1:8000 DUECOURSE_KEY=dck_… python api_client.py   # the key: Profile → API keys
"""

import base64
import hashlib
import hmac
import os
import time
import uuid

import httpx


class Duecourse:
    def __init__(self, url: str, key: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=120)

    def call(self, method: str, path: str, **more) -> dict:
        """Sent until it is answered. A write keeps its key through every try, so it is done once."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method != "GET" else {}
        for pause in (1, 2, 4, 8, 16, None):
            try:
                answer = self.http.request(method, path, headers=headers, **more)
                if answer.is_success:
                    return answer.json()
                problem = answer.json()  # RFC 9457: title, detail, and errors by row and field
                if answer.status_code not in (409, 429, 500, 503) or pause is None:
                    raise RuntimeError(f"{problem['title']}: {problem['detail']} {problem.get('errors', '')}")
                pause = float(answer.headers.get("Retry-After", pause))
            except httpx.TransportError:
                if pause is None:
                    raise
            time.sleep(pause)

    def pages(self, path: str, **query):
        """Every row of a list; it stays at the ledger's version it began at."""
        while True:
            page = self.call("GET", path, params=query)
            yield from page["rows"]
            if not page["next"]:
                return
            query["cursor"] = page["next"]


def is_ours(secret: str, headers, body: bytes) -> bool:
    """Did Duecourse send this webhook, and within the last five minutes?"""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and any(hmac.compare_digest(one, f"v1,{made}") for one in headers["webhook-signature"].split())


if __name__ == "__main__":
    us = Duecourse(os.environ["DUECOURSE_URL"], os.environ["DUECOURSE_KEY"])
    us.call("PUT", "/buyers/EX-1", json={"name": "Nordwind GmbH", "country": "DE", "payment_terms_days": 30})
    dates = {"issue_date": "2026-03-01", "due_date": "2026-03-31"}
    print(
        us.call("POST", "/invoices", json=[{"invoice_id": "EX-1001", "buyer_id": "EX-1", **dates, "amount": "1250.00", "currency": "EUR"}])
    )
    print(us.call("GET", "/buyers/EX-1", params={"as_of": "2026-04-15"})["figures"])
    print(sum(1 for _ in us.pages("/invoices", buyer_id="EX-1", limit=100)), "invoices")
