"""Blocks and tags over OPC UA: each block is one UInt16 array, read and written whole; a tag is a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asyncua.common.node import Node
from asyncua.ua.uatypes import DataValue, Variant, VariantType

from plc.drivers.guard import node_rules
from plc.drivers.ua_session import UaSession
from plc.drivers.ua_tags import UaTags
from plc.handshake import frames
from plc.links import LinkDown, LinkRefused, NodeId, NodeSink, NodeValue, Value
from plc.machine_file import MachineFile
from plc.security import UNSAID, Reach


class OpcUaLink:
    """BlockLink and NodeLink over asyncua. STATUS is read by each poll: a subscription can fall silent without telling."""

    def __init__(self, file: MachineFile, address: str, reach: Reach = UNSAID) -> None:
        self._file = file
        rules = node_rules(file, reach.allow)
        self._session = UaSession(address, file.machine.request_timeout_ms / 1000, reach, rules)
        self._tags = UaTags(self._session, file.machine.stale_after_ms / 1000)
        self._nodes: dict[str, Node] = {}

    async def connect(self) -> None:
        """Connect afresh and find the nodes of the blocks; raises LinkTrouble."""
        self._tags.forget()
        await self._session.open()
        blocks = () if self._file.is_plain else frames.BLOCK_WORDS
        self._nodes = {block: await self._session.node(*self._file.node(block)) for block in blocks}

    async def read(self, block: str) -> tuple[int, ...]:
        """Read one block."""
        words = await self._session.ask(self._node(block).read_value())
        if not _are_words(words):
            raise LinkRefused(f"{block} is no UInt16 array but {type(words).__name__}")
        return tuple(words)

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write one block."""
        value = DataValue(Variant(list(words), VariantType.UInt16))
        await self._session.ask(self._node(block).write_value(value))

    async def read_nodes(self, nodes: Sequence[NodeId]) -> Sequence[NodeValue]:
        """Read values in one call."""
        return await self._tags.read_nodes(nodes)

    async def write_nodes(self, values: Mapping[NodeId, tuple[Value, str]]) -> None:
        """Write values in one call."""
        await self._tags.write_nodes(values)

    async def subscribe(self, nodes: Sequence[NodeId], sink: NodeSink, *, publish_ms: int, sample_ms: int) -> None:
        """Have `sink` told of changes until the link is closed."""
        await self._tags.subscribe(nodes, sink, publish_ms=publish_ms, sample_ms=sample_ms)

    def silent_s(self) -> float | None:
        """Give the time since the last publish; None before the first."""
        return self._tags.silent_s()

    async def close(self) -> None:
        """Close; never raises."""
        self._nodes = {}
        self._tags.forget()
        await self._session.close()

    def _node(self, block: str) -> Node:
        try:
            return self._nodes[block]
        except KeyError:
            raise LinkDown("not connected") from None


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, int) and 0 <= word <= 0xFFFF for word in value)
