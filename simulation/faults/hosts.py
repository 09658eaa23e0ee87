"""Hosts and subscribers that misbehave: what stands between the twin's people and the house."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from packline.core.clock import Clock
from packline.feeds.signing import make_secret, sign
from simulation.mounts.http import Handler, Request, Response
from simulation.quirks import Quirks

HOST_QUIRKS = ("duplicate", "renumbered", "reordered", "outdated", "forged", "nonsense", "unheard", "silent")
SUBSCRIBER_QUIRKS = ("slow", "down", "unreachable", "deaf")
KEPT_BACK_S, SLOW_S, LOOK_S = 20.0, 4.0, 0.5
REFUSED = 400
FEED, EVENTS, ORDERS = "/intake/", "/events/", "/orders"
STRANGERS = make_secret(b"stranger" * 4)
"""A secret that no host of ours has."""


class RoughPost:
    """Carries what hosts post to the house, and what the house asks of hosts and tells subscribers, badly where it is told to.

    `secrets` has the signing secret of each feed and courier by its path; they sign what is made up here.
    """

    def __init__(self, clock: Clock, secrets: Mapping[str, str]) -> None:
        self.hosts, self.subscribers = Quirks(), Quirks()
        self._clock, self._secrets = clock, secrets
        self._next = asyncio.Event()
        self._made = 0
        self._before: dict[str, Request] = {}
        """The last message that came by each path."""
        self.taken: list[str] = []
        """Paths at which the house took a message that its host did not sign."""

    def to_house(self, house: Handler) -> Handler:
        """Give the way from hosts to the house."""

        async def carry(request: Request) -> Response:
            if request.method != "POST" or not request.path.startswith(FEED):
                return await house(request)
            return await self._post(request, house)

        return carry

    def to_people(self, people: Handler) -> Handler:
        """Give the way from the house to hosts and subscribers."""

        async def carry(request: Request) -> Response:
            if request.path.startswith(EVENTS):
                return await self._tell(request, people)
            if request.path == ORDERS and "silent" in self.hosts:
                raise ConnectionRefusedError("the host is silent")
            return await people(request)

        return carry

    async def _post(self, request: Request, house: Handler) -> Response:
        quirks = self.hosts
        before, self._before[request.path] = self._before.get(request.path), request
        if not quirks:
            self._pass()
            return await house(request)
        while "silent" in quirks:
            await self._clock.sleep(LOOK_S)
        if quirks.hits("forged"):
            answer = await house(self._changed(request, STRANGERS))
            self.taken += [request.path] if answer.status < REFUSED else []
        if quirks.hits("nonsense"):
            await house(self._made_up(request, b'{"type": "order.changed", "data": [17, null]}'))
        if quirks.hits("reordered"):
            await self._keep_back()
        answer = await house(request)
        if quirks.hits("duplicate"):
            answer = await house(request)
        if quirks.hits("renumbered"):
            await house(self._made_up(request, request.body))
        if before is not None and before.body != request.body and quirks.hits("outdated"):
            await house(self._made_up(before, before.body))
        self._pass()
        if quirks.hits("unheard"):
            raise ConnectionResetError("the answer is lost")
        return answer

    def _pass(self) -> None:
        passed, self._next = self._next, asyncio.Event()
        passed.set()

    async def _keep_back(self) -> None:
        try:
            await self._clock.within(KEPT_BACK_S, self._next.wait())
        except TimeoutError:
            return

    def _made_up(self, request: Request, body: bytes) -> Request:
        """Give a message of its own number, rightly signed."""
        self._made += 1
        return self._signed(request, f"msg_again_{self._made}", body, self._secrets.get(request.path, STRANGERS))

    def _changed(self, request: Request, secret: str) -> Request:
        """Give a message with the same number that says something else."""
        message: dict[str, Any] = json.loads(request.body)
        data = message.get("data")
        if isinstance(data, dict):
            data["total_minor"] = 1
            data["sscc"] = "000000000000000000"
        return self._signed(request, request.headers.get("webhook-id", "msg_0"), json.dumps(message).encode(), secret)

    def _signed(self, request: Request, number: str, body: bytes, secret: str) -> Request:
        headers = {**request.headers, **sign(secret, number, self._clock.now(), body)}
        return replace(request, headers=headers, body=body)

    async def _tell(self, request: Request, people: Handler) -> Response:
        quirks = self.subscribers
        if quirks:
            if "unreachable" in quirks:
                raise ConnectionRefusedError("nobody listens")
            if "down" in quirks:
                return Response.of_text("down for repairs", 503)
            if "slow" in quirks:
                await self._clock.sleep(SLOW_S)
        answer = await people(request)
        if quirks and quirks.hits("deaf"):
            raise ConnectionResetError("the answer is lost")
        return answer
