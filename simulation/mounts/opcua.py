"""Mounts a machine on OPC UA: its blocks, and its tags as variables of an address space."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from asyncua import ua

from plc.handshake import frames
from plc.machine_file import MachineFile
from plc.tags.codec import decode_node, put_node
from plc.tags.model import TagType, Wired
from simulation.mounts.address_space import AddressSpace, Door, node_id
from simulation.mounts.blocks import BlockDevice, TagDevice, tags_of
from simulation.mounts.wire import Wire

_STATUS_PERIOD_S = 0.1
"""How often STATUS is written for clients that subscribe to it instead of reading it."""
_TAG_PERIODS = 4
"""How many times in that period changed tags are written."""
_NOTHING = object()
_KINDS = {
    TagType.BOOL: ua.VariantType.Boolean,
    TagType.U16: ua.VariantType.UInt16,
    TagType.BITS: ua.VariantType.UInt16,
    TagType.I16: ua.VariantType.Int16,
    TagType.U32: ua.VariantType.UInt32,
    TagType.I32: ua.VariantType.Int32,
    TagType.U64: ua.VariantType.UInt64,
    TagType.I64: ua.VariantType.Int64,
    TagType.F32: ua.VariantType.Float,
    TagType.F64: ua.VariantType.Double,
    TagType.STRING: ua.VariantType.String,
}


class OpcUaMachineMount:
    """A machine's blocks as UInt16 arrays, each read and written whole, and its tags as variables."""

    def __init__(self, address: str, file: MachineFile, device: BlockDevice, wire: Wire, space: AddressSpace) -> None:
        self._door = Door(address, space)
        self._file = file
        self._device = device
        self._wire = wire
        self._space = space
        self._nodes: dict[str, ua.NodeId] = {}
        self._tags = TagNodes(file, tags_of(device, file), wire, space)
        self._is_built = False
        self._publishing: asyncio.Task[None] | None = None

    async def open(self) -> str:
        """Listen."""
        if not self._is_built:
            await self._build()
            self._is_built = True
        if self._publishing is None:
            self._publishing = asyncio.create_task(self._publish())
        return await self._door.open()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            publishing.cancel()
            await asyncio.wait({publishing})
        await self._door.close()

    async def _build(self) -> None:
        await self._tags.build()
        parent = None
        for block, words in {} if self._file.is_plain else frames.BLOCK_WORDS.items():
            uri, identifier = self._file.node(block)
            index = await self._space.register_namespace(uri)
            node = node_id(identifier, index)
            if parent is None:
                owner = identifier.rsplit(".", 1)[0]
                parent = await self._space.nodes.objects.add_object(
                    node_id(owner, index), ua.QualifiedName(owner, index)
                )
            await self._space.add_words(parent, node, words)
            self._nodes[block] = node
            if block == frames.STATUS:
                self._space.on_read(node, self._wire, partial(self._words, block))
            else:
                await self._space.on_write(node, self._wire, partial(self._write, block))

    def _words(self, block: str) -> list[int]:
        return list(self._wire.shown(self._device.read(block)))

    def _write(self, block: str, words: Sequence[int]) -> None:
        if isinstance(words, list) and len(words) == frames.BLOCK_WORDS[block]:
            self._device.write(block, words)

    async def _publish(self) -> None:
        while True:
            if not self._file.is_plain:
                await self._space.put(self._nodes[frames.STATUS], self._words(frames.STATUS), ua.VariantType.UInt16)
            for _ in range(_TAG_PERIODS):
                await self._tags.publish()
                await asyncio.sleep(_STATUS_PERIOD_S / _TAG_PERIODS)


class TagNodes:
    """The tags of a machine file as variables under one object; a value is told to subscribers when it changes."""

    def __init__(self, file: MachineFile, device: TagDevice, wire: Wire, space: AddressSpace) -> None:
        self._file, self._device, self._wire, self._space = file, device, wire, space
        self._nodes: dict[str, tuple[ua.NodeId, ua.VariantType]] = {}
        self._told: dict[str, Any] = {}

    async def build(self) -> None:
        """Add the variables; several tags may be bits of one."""
        if not self._file.tags:
            return
        index = await self._space.register_namespace(self._file.namespace or f"urn:packline:{self._file.model}")
        parent = await self._space.nodes.objects.add_object(index, f"{self._file.model}-tags")
        built: set[ua.NodeId] = set()
        for name, wired in self._file.wired.items():
            node, kind = await self._node(wired), _KINDS[wired.tag.type]
            self._nodes[name] = node, kind
            if node in built:
                continue
            built.add(node)
            value = self._value(name)
            await parent.add_variable(node, ua.QualifiedName(name, index), value, kind)
            self._space.on_read(node, self._wire, partial(self._value, name), kind)
            if wired.tag.is_written:
                await self._space.on_write(node, self._wire, partial(self._write, name))

    async def publish(self) -> None:
        """Tell subscribers what has changed."""
        for name, (node, kind) in self._nodes.items():
            value = self._value(name)
            if self._told.get(name, _NOTHING) != value:
                self._told[name] = value
                await self._space.put(node, value, kind)

    def _value(self, name: str) -> Any:
        return put_node(self._file.wired[name], self._device.tag_values()[name])

    def _write(self, name: str, raw: Any) -> None:
        with suppress(ValueError):  # nothing is made of what is no value
            self._device.write_tag(name, decode_node(self._file.wired[name], raw))

    async def _node(self, wired: Wired) -> ua.NodeId:
        uri, identifier = wired.node
        index = await self._space.register_namespace(uri)
        return node_id(identifier[2:] if identifier.startswith("s=") else int(identifier[2:]), index)
