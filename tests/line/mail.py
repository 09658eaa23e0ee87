"""What a host system and a person with a browser send to the running house."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from controller.site import Site, twin_part
from packline.feeds.signing import sign

LEADER = "shift-lead"
ANSWER_S = 30.0


def order(number: str, *, sku: str = "TEA-LONGJING", version: int = 1, **changes: Any) -> dict[str, Any]:
    """Give an order of one piece for 19.90 that nobody has to approve."""
    return {
        "id": number,
        "version": version,
        "merchant": {"id": "yunshan-tea", "name": "云山茶业"},
        "buyer": {"id": "buyer-77", "name": "Amelia Clarke"},
        "placed_at": datetime.now(UTC).isoformat(),
        "currency": "CNY",
        "lines": [{"line": 1, "sku": sku, "name": "西湖龙井", "gtin": "", "qty": 1, "unit_minor": 1990}],
        "total_minor": 1990,
        "purchase": "bought",
        "paid": True,
        "ship_to": {"recipient": "王小明", "lines": ["建国路 88 号"], "city": "北京", "country": "CN"},
        "ship_by": None,
        "options": {"approval": False, "split": True, "short": True},
        **changes,
    }


def changed(data: Mapping[str, Any]) -> bytes:
    """Give the body of the message about an order."""
    message = {"type": "order.changed", "timestamp": datetime.now(UTC).isoformat(), "data": dict(data)}
    return json.dumps(message, ensure_ascii=False).encode()


def delivered(sscc: str) -> bytes:
    """Give the body of a courier's message."""
    now = datetime.now(UTC).isoformat()
    return json.dumps(
        {"type": "parcel.delivered", "timestamp": now, "data": {"sscc": sscc, "at": now, "proof": "door"}}
    ).encode()


PLAIN = {"content-type": "application/json", "connection": "close"}
"""A connection each: after a refusal the house may close the one that it came by."""


class Mail:
    """The house's front door."""

    def __init__(self, site: Site, http: httpx.Client) -> None:
        self._site, self._http = site, http
        self._feed = site.feeds["marketplace"].keys()[0]
        self._courier = site.couriers["kd"].keys()[0]
        self._csrf = ""

    def send(
        self, number: str, body: bytes, *, at: datetime | None = None, path: str = "marketplace"
    ) -> httpx.Response:
        """Post a message, signed as its host does."""
        secret = self._courier if path.startswith("couriers") else self._feed
        return self.send_as(sign(secret, number, at or datetime.now(UTC), body), body, path=path)

    def send_as(self, headers: Mapping[str, str], body: bytes, *, path: str = "marketplace") -> httpx.Response:
        """Post a message under any headers."""
        return self._http.post(f"/intake/{path}", content=body, headers={**headers, **PLAIN})

    def questions(self) -> list[dict[str, Any]]:
        """Give the exception queue as the dashboard has it."""
        rows: list[dict[str, Any]] = self._signed_in().get("/api/exceptions").json()["rows"]
        return rows

    def ask(self, action: str, args: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Ask for something as the shift leader."""
        body = {"action": action, "args": dict(args), "key": key}
        answer = self._signed_in().post("/api/requests", json=body, headers={"X-CSRF-Token": self._csrf})
        said: dict[str, Any] = answer.json()
        return said

    def _signed_in(self) -> httpx.Client:
        if not self._csrf:
            who = {"user": LEADER, "password": twin_part(self._site).people_password}
            self._csrf = self._http.post("/api/login", json=who).json()["csrf"]
        return self._http


@contextmanager
def posting(site: Site) -> Iterator[Mail]:
    """Give a way to send to the house of `site`."""
    with httpx.Client(base_url=site.web.base_url, trust_env=False, timeout=ANSWER_S) as http:
        yield Mail(site, http)
