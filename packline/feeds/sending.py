"""Sends one event to one subscriber: CloudEvents 1.0 in JSON, signed by Standard Webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from packline.core.clock import Clock
from packline.core.wire_words import no_answer
from packline.feeds.http import ANSWER_S, Carry, Reply
from packline.feeds.ports import Delivery
from packline.feeds.signing import sign

MOST_RETRY_AFTER_S = 3600.0
MOST_WORDS = 160
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Who is told. `secret` is `whsec_...`; subscribers of the role "buyer" get a link to the buyer's page."""

    name: str
    role: str
    url: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a subscriber said: `status` 0 when nothing came; `retry_after_s` when it named a pause."""

    status: int
    words: str
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the event arrived; a redirect is a failure, a signature is worth nothing elsewhere."""
        return 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Tell whether the subscriber wants nothing more, ever."""
        return self.status == httpx.codes.GONE


class Sender:
    """Builds, signs and posts events; every trouble on the way is an answer too, nothing is raised."""

    def __init__(self, *, carry: Carry, clock: Clock, source: str, link_for: Callable[[str], str]) -> None:
        """`source` is the CloudEvents source ("urn:packline:<site>"); `link_for` gives a buyer's page for an order id."""
        self._carry, self._clock, self._source, self._link_for = carry, clock, source, link_for

    def event(self, subscriber: Subscriber, delivery: Delivery) -> dict[str, Any]:
        """Give the CloudEvent (1.0, structured) of a delivery as this subscriber gets it."""
        data = dict(delivery.body)
        if subscriber.role == "buyer":
            data["link"] = self._link_for(delivery.order_id)
        return {
            "specversion": "1.0",
            "id": delivery.event_id,
            "source": self._source,
            "type": f"packline.{delivery.name}",
            "subject": delivery.subject,
            "time": delivery.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "sequence": f"{delivery.sequence:012d}",
            "partitionkey": delivery.order_id,
            "data": data,
        }

    async def send(self, subscriber: Subscriber, delivery: Delivery) -> Answer:
        """Post `delivery` once and give the answer; at most ANSWER_S."""
        body = json.dumps(self.event(subscriber, delivery), ensure_ascii=False, separators=(",", ":")).encode()
        headers = sign(subscriber.secret, delivery.event_id, self._clock.now(), body)
        headers["content-type"] = CONTENT_TYPE
        try:
            return self._answer(await self._clock.within(ANSWER_S, self._carry(subscriber.url, headers, body)))
        except TimeoutError:
            return Answer(status=0, words=f"no answer within {ANSWER_S:.0f} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Answer(status=0, words=no_answer(error))

    def _answer(self, reply: Reply) -> Answer:
        asked = reply.status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
        return Answer(
            status=reply.status,
            words=f"{reply.status} {_words(reply.body)}".strip(),
            retry_after_s=_retry_after_s(reply.retry_after, self._clock.now()) if asked else None,
        )


def _words(body: bytes) -> str:
    """Give the beginning as one line that can be shown; a server's books, besides, keep no NUL."""
    line = " ".join(body.decode("utf-8", "replace").split())[:MOST_WORDS]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def _retry_after_s(text: str, now: datetime) -> float | None:
    """Read Retry-After, seconds or an HTTP date, bounded; None when it says nothing sensible."""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return min(float(text), MOST_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), MOST_RETRY_AFTER_S)
