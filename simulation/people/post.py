"""Posts signed messages to the house until it has them, as a careful host does."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx

from packline.core.clock import Clock
from packline.feeds.signing import sign
from simulation.people.web import Web

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.3
MOST_PAUSE_S = 5.0
ANSWER_S = 10.0


class Postman:
    """Sends one message under one id again and again until it is taken (2xx) or turned away for good (4xx but 429)."""

    def __init__(self, *, http: Web, secret: str, clock: Clock) -> None:
        """`http` must have the house's base address."""
        self._http, self._secret, self._clock = http, secret, clock
        self.counts: Counter[int] = Counter()
        """Answers by status; 0 where nobody answered."""

    async def post(self, path: str, message_id: str, message: Mapping[str, Any]) -> int:
        """Give the status that ended it."""
        body = json.dumps(message, ensure_ascii=False).encode()
        pause_s = FIRST_PAUSE_S
        while True:
            status = await self._once(path, message_id, body)
            if 200 <= status < 300:
                return status
            if 400 <= status < 500 and status != 429:
                log.warning("%s was turned away: %s", message_id, status)
                return status
            await self._clock.sleep(pause_s)
            pause_s = min(pause_s * 2, MOST_PAUSE_S)

    async def _once(self, path: str, message_id: str, body: bytes) -> int:
        headers = sign(self._secret, message_id, self._clock.now(), body) | {"Content-Type": "application/json"}
        try:
            answer = await self._http.post(path, content=body, headers=headers, timeout=ANSWER_S)
            status = answer.status_code
        except httpx.HTTPError:
            status = 0
        self.counts[status] += 1
        return status
