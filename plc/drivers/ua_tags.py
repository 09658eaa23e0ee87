"""Reads, writes and watches plain nodes over an OPC UA session."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from asyncua.common.subscription import DataChangeEvent, OverflowPolicy, Subscription
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaprotocol_auto import (
    CreateSubscriptionParameters,
    MonitoredItemCreateRequest,
    MonitoringMode,
    MonitoringParameters,
    ReadValueId,
)
from asyncua.ua.uatypes import DataValue, Int16, Int32, Variant, VariantType
from asyncua.ua.uatypes import NodeId as UaNodeId

from plc.drivers.ua_session import UaSession, node_id
from plc.links import LinkRefused, NodeId, NodeSink, NodeValue, Value

KEEP_ALIVE_S = 0.25
"""How long a subscription may be silent before the server says that nothing changed; a fast tag is stale after 1 s."""
LIFETIME_S = 30.0
WATCHED_AT_ONCE = 100
"""Monitored items made in one call: a busy server takes about a millisecond for each, and a call has `request_timeout_ms`."""
PUBLISHES_KEPT = 4
"""Publishes that may wait on this side, each with every item's queue full."""

_VARIANTS: Mapping[str, VariantType] = MappingProxyType(
    {
        "bool": VariantType.Boolean,
        "u16": VariantType.UInt16,
        "bits": VariantType.UInt16,
        "i16": VariantType.Int16,
        "u32": VariantType.UInt32,
        "i32": VariantType.Int32,
        "u64": VariantType.UInt64,
        "i64": VariantType.Int64,
        "f32": VariantType.Float,
        "f64": VariantType.Double,
        "string": VariantType.String,
    }
)


class UaTags:
    """The NodeLink side of one session. Forgets everything when the session is opened anew."""

    def __init__(self, session: UaSession) -> None:
        self._session = session
        self._indexes: dict[str, int] = {}
        self._subscriptions: list[Subscription] = []
        self._pumps: list[asyncio.Task[None]] = []

    async def read_nodes(self, nodes: Sequence[NodeId]) -> list[NodeValue]:
        """Read values in one call."""
        if not nodes:
            return []
        known = [await self._node(node) for node in nodes]
        values = await self._session.ask(
            self._session.client.uaclient.session.read_attributes(known, AttributeIds.Value)
        )
        if len(values) != len(nodes):
            raise LinkRefused(f"{len(values)} answers to {len(nodes)} nodes")
        return [_heard(value) for value in values]

    async def write_nodes(self, values: Mapping[NodeId, tuple[Value, str]]) -> None:
        """Write values in one call; raises LinkRefused if any was refused."""
        known = [await self._node(node) for node in values]
        packed = [DataValue(Variant(value, _VARIANTS[kind])) for value, kind in values.values()]
        results = await self._session.ask(
            self._session.client.uaclient.session.write_attributes(known, packed, AttributeIds.Value)
        )
        refused = [f"{node[1]}: {result.name}" for node, result in zip(values, results, strict=True) if result.is_bad()]
        if refused:
            raise LinkRefused("; ".join(refused))

    async def subscribe(self, nodes: Sequence[NodeId], sink: NodeSink, *, publish_ms: int, sample_ms: int) -> None:
        """Have `sink` told of changes; a node that cannot be watched is told as not good."""
        queue = -(-publish_ms // max(sample_ms, 1)) + 1
        subscription = await self._session.ask(
            self._session.client.create_subscription(
                _parameters(publish_ms),
                queue_maxsize=PUBLISHES_KEPT * queue * len(nodes) + 1,
                overflow=OverflowPolicy.DISCONNECT,
            )
        )
        self._subscriptions.append(subscription)
        by_handle = dict(enumerate(nodes, 1))
        self._pumps.append(asyncio.create_task(_pump(subscription, by_handle, sink)))
        items = [_watch(await self._node(node), handle, queue, sample_ms) for handle, node in by_handle.items()]
        for first in range(0, len(items), WATCHED_AT_ONCE):
            made = slice(first, first + WATCHED_AT_ONCE)
            results = await self._session.ask(subscription.create_monitored_items(items[made]))
            for node, result in zip(nodes[made], results, strict=True):
                if not isinstance(result, int):
                    sink(node, NodeValue(value=None, status=f"cannot be watched: {result.name}"))

    def silent_s(self) -> float | None:
        """Give the time since the last publish of the subscription that is longest silent; None before the first."""
        heard = [subscription.last_publish_at for subscription in self._subscriptions]
        times = [at for at in heard if at is not None]
        if not times or len(times) < len(heard):
            return None
        return asyncio.get_running_loop().time() - min(times)  # both are the monotonic clock of the system

    def forget(self) -> None:
        """Drop what belonged to a session that is gone."""
        for pump in self._pumps:
            pump.cancel()
        self._pumps, self._subscriptions, self._indexes = [], [], {}

    async def _node(self, node: NodeId) -> UaNodeId:
        uri, identifier = node
        if uri not in self._indexes:
            self._indexes[uri] = await self._session.ask(self._session.client.get_namespace_index(uri))
        index = self._indexes[uri]
        if identifier.startswith("i="):
            return UaNodeId(Int32(int(identifier[2:])), Int16(index))
        return node_id(identifier.removeprefix("s="), index)


async def _pump(subscription: Subscription, nodes: Mapping[int, NodeId], sink: NodeSink) -> None:
    async for event in subscription:
        if isinstance(event, DataChangeEvent):
            item = event.data.monitored_item
            node = nodes.get(item.ClientHandle)
            if node is not None:
                sink(node, _heard(item.Value))


def _parameters(publish_ms: int) -> CreateSubscriptionParameters:
    keep_alive = max(1, round(KEEP_ALIVE_S * 1000 / publish_ms))
    return CreateSubscriptionParameters(
        RequestedPublishingInterval=publish_ms,
        RequestedMaxKeepAliveCount=keep_alive,
        # OPC 10000-4, 5.14.2: at least three times the keep-alive count
        RequestedLifetimeCount=max(3 * keep_alive, round(LIFETIME_S * 1000 / publish_ms)),
        MaxNotificationsPerPublish=0,
        PublishingEnabled=True,
        Priority=0,
    )


def _watch(node: UaNodeId, handle: int, queue: int, sample_ms: int) -> MonitoredItemCreateRequest:
    return MonitoredItemCreateRequest(
        ItemToMonitor=ReadValueId(NodeId=node, AttributeId=AttributeIds.Value),
        MonitoringMode=MonitoringMode.Reporting,
        RequestedParameters=MonitoringParameters(
            ClientHandle=handle, SamplingInterval=float(sample_ms), QueueSize=queue, DiscardOldest=True
        ),
    )


def _heard(value: DataValue) -> NodeValue:
    at = _aware(value.SourceTimestamp or value.ServerTimestamp)
    status = value.StatusCode
    if status is not None and not status.is_good():
        return NodeValue(value=None, status=status.name, at=at)
    return NodeValue(value=value.Value.Value if value.Value is not None else None, at=at)


def _aware(at: Any) -> datetime | None:
    if not isinstance(at, datetime):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
