"""A small OPC UA server that may be as slow, as poor and as forgetful as some in machines are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asyncua import Server, ua
from asyncua.server.subscription_service import SubscriptionService

from plc.drivers.ua_session import node_id
from tests.plc.plants import port_of


class Subscriptions(SubscriptionService):
    """asyncua's own, that publishes no faster than `least_ms` and makes no items of what is `unwatched`.

    `made` counts the subscriptions.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(server.iserver.aspace, server.iserver)
        self.least_ms = 0.0
        self.unwatched: set[ua.NodeId] = set()
        self.made = 0

    async def create_subscription(self, params: Any, *given: Any, **more: Any) -> Any:
        self.made += 1
        params.RequestedPublishingInterval = max(params.RequestedPublishingInterval, self.least_ms)
        return await super().create_subscription(params, *given, **more)

    def modify_subscription(self, params: Any) -> Any:
        one = self.subscriptions[params.SubscriptionId].data
        one.RevisedMaxKeepAliveCount = params.RequestedMaxKeepAliveCount
        return super().modify_subscription(params)

    async def create_monitored_items(self, params: Any) -> Any:
        refused = [item.ItemToMonitor.NodeId in self.unwatched for item in params.ItemsToCreate]
        params.ItemsToCreate = [item for item, no in zip(params.ItemsToCreate, refused, strict=True) if not no]
        made = iter(await super().create_monitored_items(params))
        code: Any = ua.StatusCodes.BadTooManyMonitoredItems
        no_item = ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(code))
        return [no_item if no else next(made) for no in refused]

    async def forget(self) -> None:
        """Drop every subscription without a word."""
        await self.delete_subscriptions(list(self.subscriptions))

    async def expire(self) -> None:
        """End every subscription as one that nobody asked for in time, and say so."""
        code: Any = ua.StatusCodes.BadTimeout
        for one in self.subscriptions.values():
            await one.enqueue_statuschange(ua.StatusCode(code))


class Stand:
    """The server and its variables; `put` is the machine's side."""

    def __init__(self, server: Server, uri: str) -> None:
        self.server, self.uri = server, uri
        self.subscriptions = Subscriptions(server)
        self.nodes: dict[str, Any] = {}
        self.kinds: dict[str, ua.VariantType] = {}

    async def add(self, name: str, value: Any, kind: ua.VariantType) -> None:
        index = await self.server.get_namespace_index(self.uri)
        place = node_id(name, index)
        self.nodes[name] = await self.server.nodes.objects.add_variable(place, f"{index}:{name}", value, kind)
        self.kinds[name] = kind
        await self.nodes[name].set_writable()

    async def put(self, name: str, value: Any, code: int = ua.StatusCodes.Good, at: Any = None) -> None:
        said: Any = code
        shown = ua.DataValue(ua.Variant(value, self.kinds[name]), ua.StatusCode(said), SourceTimestamp=at)
        await self.server.write_attribute_value(self.nodes[name].nodeid, shown)

    @property
    def address(self) -> str:
        return f"opc.tcp://127.0.0.1:{port_of(self.server)}/x"


@asynccontextmanager
async def standing(uri: str) -> AsyncIterator[Stand]:
    """Serve the namespace `uri`; variables may be added at any time."""
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/x")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await server.register_namespace(uri)
    stand = Stand(server, uri)
    server.iserver.subscription_service = stand.subscriptions
    await server.start()
    try:
        yield stand
    finally:
        await server.stop()
