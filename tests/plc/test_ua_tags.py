"""Watching many OPC UA nodes, against a server that takes its time."""

from __future__ import annotations

from typing import Any, cast

from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaprotocol_auto import CreateSubscriptionResult, MonitoredItemCreateResult
from asyncua.ua.uatypes import StatusCode, UInt32

from plc.drivers.ua_session import UaSession
from plc.drivers.ua_tags import UaTags
from plc.links import NodeId, NodeValue

MOST = 100
BAD_NODE = 7
PLACES: list[NodeId] = [("urn:m", f"s=V{n}") for n in range(1000)]


class Session:
    """What UaTags asks of a session; one node is unknown. Publishes nothing."""

    def __init__(self) -> None:
        self.client = self.uaclient = self.session = self
        self.calls: list[int] = []
        self.handles: list[int] = []

    async def ask(self, request: Any) -> Any:
        return await request

    async def get_namespace_index(self, _uri: str) -> int:
        return 2

    async def create_subscription(self, wish: Any, _callback: Any) -> Any:
        return CreateSubscriptionResult(
            SubscriptionId=7,
            RevisedPublishingInterval=wish.RequestedPublishingInterval,
            RevisedLifetimeCount=wish.RequestedLifetimeCount,
            RevisedMaxKeepAliveCount=wish.RequestedMaxKeepAliveCount,
        )

    async def create_monitored_items(self, wish: Any) -> list[Any]:
        handles = [item.RequestedParameters.ClientHandle for item in wish.ItemsToCreate]
        self.calls.append(len(handles))
        self.handles += handles
        unknown = StatusCode(UInt32(StatusCodes.BadNodeIdUnknown))
        return [
            MonitoredItemCreateResult(StatusCode=unknown if handle == BAD_NODE + 1 else StatusCode())
            for handle in handles
        ]


async def test_a_thousand_items_are_made_in_calls_that_a_busy_server_answers_in_time():
    session, told = Session(), dict[NodeId, NodeValue]()
    tags = UaTags(cast("UaSession", session), stale_s=1.0)
    await tags.subscribe(PLACES, told.__setitem__, publish_ms=50, sample_ms=20)
    assert max(session.calls) <= MOST
    assert session.handles == list(range(1, len(PLACES) + 1))
    assert {place: value.status for place, value in told.items()} == {
        PLACES[BAD_NODE]: "cannot be watched: BadNodeIdUnknown"
    }
    tags.forget()
