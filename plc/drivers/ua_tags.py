"""Reads, writes and watches plain nodes over an OPC UA session."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaprotocol_auto import MonitoredItemCreateRequest, MonitoringMode, MonitoringParameters, ReadValueId
from asyncua.ua.uatypes import DataValue, Int16, Int32, Variant, VariantType
from asyncua.ua.uatypes import NodeId as UaNodeId

from plc.drivers.ua_session import UaSession, node_id
from plc.drivers.ua_watch import Watch
from plc.links import LinkRefused, NodeId, NodeSink, NodeValue, Value

ALIVE_SHARE, SILENCE_SHARE = 0.25, 0.5
"""Of the time after which a tag is stale: how often a server is asked to say that nothing changed, and how seldom it may."""

log = logging.getLogger(__name__)

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
    """The NodeLink side of one session, whose fast tags are stale after `stale_s`. Forgets everything when it is opened anew."""

    def __init__(self, session: UaSession, stale_s: float) -> None:
        self._session, self._stale_s = session, stale_s
        self._indexes: dict[str, int] = {}
        self._watches: list[Watch] = []

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
        """Have `sink` told of changes; a node that cannot be watched is told as such."""
        queue = -(-publish_ms // max(sample_ms, 1)) + 1
        by_handle = dict(enumerate(nodes, 1))

        def tell(handle: int, value: DataValue) -> None:
            if handle in by_handle:
                sink(by_handle[handle], _heard(value))

        watch = Watch(self._session, tell)
        try:
            await watch.open(publish_ms, self._stale_s * ALIVE_SHARE)
        except LinkRefused as refusal:
            _tell_unwatched(sink, nodes, str(refusal))
            return
        if watch.silence_s > self._stale_s * SILENCE_SHARE:
            await watch.delete()
            _tell_unwatched(sink, nodes, f"its server may be silent for {watch.silence_s:g} s")
            return
        self._watches.append(watch)
        made = await watch.add([_watch(await self._node(node), at, queue, sample_ms) for at, node in by_handle.items()])
        for node, status in zip(nodes, made, strict=True):
            if not status.is_good():
                _tell_unwatched(sink, [node], status.name)

    def silent_s(self) -> float | None:
        """Give the time since the last publish of the subscription that is longest silent; None before the first."""
        times = [watch.silent_s() for watch in self._watches]
        known = [silent_s for silent_s in times if silent_s is not None]
        return max(known) if known and len(known) == len(times) else None

    def forget(self) -> None:
        """Drop what belonged to a session that is gone."""
        for watch in self._watches:
            watch.end()
        self._watches, self._indexes = [], {}

    async def _node(self, node: NodeId) -> UaNodeId:
        uri, identifier = node
        if uri not in self._indexes:
            self._indexes[uri] = await self._session.ask(self._session.client.get_namespace_index(uri))
        index = self._indexes[uri]
        if identifier.startswith("i="):
            return UaNodeId(Int32(int(identifier[2:])), Int16(index))
        return node_id(identifier.removeprefix("s="), index)


def _tell_unwatched(sink: NodeSink, nodes: Sequence[NodeId], why: str) -> None:
    log.warning("%s cannot be watched: %s", nodes[0][1] if len(nodes) == 1 else f"{len(nodes)} nodes", why)
    for node in nodes:
        sink(node, NodeValue(value=None, status=f"cannot be watched: {why}", is_watched=False))


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
