"""Watching many OPC UA nodes, against a server that takes its time."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uatypes import StatusCode, UInt32

from plc.drivers.ua_session import UaSession
from plc.drivers.ua_tags import UaTags
from plc.links import NodeId, NodeValue

MOST = 100
BAD_NODE = 7
PLACES: list[NodeId] = [("urn:m", f"s=V{n}") for n in range(1000)]


class Subscription:
    """Makes items as asyncua's does; one node is unknown. Publishes nothing."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.handles: list[int] = []
        self.last_publish_at: float | None = None
        self.is_heard = asyncio.Event()

    async def create_monitored_items(self, items: Any) -> list[Any]:
        await self.is_heard.wait()  # who listens must not wait until all items are made
        self.calls.append(len(items))
        handles = [item.RequestedParameters.ClientHandle for item in items]
        self.handles += handles
        unknown = StatusCode(UInt32(StatusCodes.BadNodeIdUnknown))
        return [unknown if handle == BAD_NODE + 1 else handle for handle in handles]

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Any:
        self.is_heard.set()
        await asyncio.Event().wait()


class Session:
    """What UaTags asks of a session."""

    def __init__(self) -> None:
        self.client, self.subscription = self, Subscription()

    async def ask(self, request: Any) -> Any:
        return await request

    async def get_namespace_index(self, _uri: str) -> int:
        return 2

    async def create_subscription(self, *_parameters: Any, **_more: Any) -> Subscription:
        return self.subscription


async def test_a_thousand_items_are_made_in_calls_that_a_busy_server_answers_in_time():
    session, told = Session(), dict[NodeId, NodeValue]()
    tags = UaTags(cast("UaSession", session))
    await tags.subscribe(PLACES, told.__setitem__, publish_ms=50, sample_ms=20)
    made = session.subscription
    assert max(made.calls) <= MOST
    assert made.handles == list(range(1, len(PLACES) + 1))
    assert {place: value.status for place, value in told.items()} == {
        PLACES[BAD_NODE]: "cannot be watched: BadNodeIdUnknown"
    }
    tags.forget()
