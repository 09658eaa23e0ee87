"""Serves machines and scanners over OPC UA; one address space behind several ports where the node ids allow it.

Building an address space takes about 1.9 s of processor time (asyncua 2.1, Python 3.11, 2026-11), so devices share one.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from asyncua import Server, ua
from asyncua.common.callback import CallbackType
from asyncua.server.binary_server_asyncio import OPCUAProtocol

from plc.handshake import frames
from plc.machine_file import MachineFile
from plc.tags.codec import decode_node, put_node
from plc.tags.model import TagType, Wired
from simulation.mounts.blocks import AUTOID_NAMESPACE, BlockDevice, TagDevice, tags_of
from simulation.mounts.shield import Shield
from simulation.mounts.ua_guard import protect
from simulation.mounts.wire import Wire, split_address

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


class AddressSpace(Server):  # type: ignore[misc, unused-ignore]  # asyncua's types are not on every computer
    """An OPC UA server without a port of its own; doors are opened by `Door`. Without a shield only for the loopback."""

    def __init__(self, shield: Shield | None = None) -> None:
        super().__init__()
        self._shield = shield
        self.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        self.set_identity_tokens([ua.AnonymousIdentityToken])
        self._readers: dict[ua.NodeId, Callable[[], Any]] = {}
        self._writers: dict[ua.NodeId, Callable[[Any], None]] = {}
        self._wires: dict[ua.NodeId, Wire] = {}
        self._kinds: dict[ua.NodeId, ua.VariantType] = {}

    @property
    def is_protected(self) -> bool:
        """Tell whether it lets in only whom it knows."""
        return self._shield is not None

    async def shut(self, shield: Shield) -> None:
        """Let in only whom the shield knows."""
        await protect(self, shield)

    async def start(self) -> None:
        """Build the nodes of the standard and begin to serve, still without a port."""
        with _without_collector():
            await self.init()
        if self._shield is not None:
            await self.shut(self._shield)
        await self._setup_server_nodes()
        await self.iserver.start()
        for kind, listener in (
            (CallbackType.PreRead, self._before_read),
            (CallbackType.PreWrite, self._before_write),
            (CallbackType.PostWrite, self._after_write),
        ):
            self.subscribe_server_callback(kind, listener)

    async def stop(self) -> None:
        """Stop serving; close the doors first."""
        await self.iserver.stop()

    def protocol(self, clients: list[OPCUAProtocol], closing: list[asyncio.Task[Any]]) -> OPCUAProtocol:
        """Make the protocol of one new connection."""
        return OPCUAProtocol(self.iserver, self._policies, clients, closing, self.limits)

    async def add_words(self, parent: Any, node: ua.NodeId, count: int) -> None:
        """Add a UInt16 array of `count` zeros."""
        name = ua.QualifiedName(str(node.Identifier).rsplit(".", 1)[-1], node.NamespaceIndex)
        await parent.add_variable(node, name, [0] * count, ua.VariantType.UInt16)

    def on_read(
        self, node: ua.NodeId, wire: Wire, read: Callable[[], Any], kind: ua.VariantType = ua.VariantType.UInt16
    ) -> None:
        """Have `read` give the value of `node` whenever a client asks."""
        self._readers[node], self._wires[node], self._kinds[node] = read, wire, kind

    async def on_write(self, node: ua.NodeId, wire: Wire, write: Callable[[Any], None]) -> None:
        """Hand what a client wrote to `node` to `write`."""
        self._writers[node], self._wires[node] = write, wire
        await self.get_node(node).set_writable()

    async def put(self, node: ua.NodeId, value: Any, kind: ua.VariantType) -> None:
        """Write a value, so that subscribers hear of it."""
        await self.write_attribute_value(node, _stamped(ua.Variant(value, kind)))

    async def _before_read(self, event: Any, _service: Any = None) -> None:
        for wanted in event.request_params.NodesToRead if event.is_external else ():
            read = self._readers.get(wanted.NodeId)
            if read is not None and wanted.AttributeId == ua.AttributeIds.Value:
                await self._wires[wanted.NodeId].carry_request()
                await self.put(wanted.NodeId, read(), self._kinds[wanted.NodeId])
                await self._wires[wanted.NodeId].carry_answer()

    async def _before_write(self, event: Any, _service: Any = None) -> None:
        for wanted in event.request_params.NodesToWrite if event.is_external else ():
            if wanted.NodeId in self._wires:
                await self._wires[wanted.NodeId].carry_request()

    async def _after_write(self, event: Any, _service: Any = None) -> None:
        if not event.is_external:
            return
        for written, status in zip(event.request_params.NodesToWrite, event.response_params, strict=True):
            write = self._writers.get(written.NodeId)
            if write is not None and status.is_good():  # also told for refused writes
                self._wires[written.NodeId].put(partial(write, written.Value.Value.Value))
                await self._wires[written.NodeId].carry_answer()


class Door:
    """One port of an address space."""

    def __init__(self, address: str, space: AddressSpace) -> None:
        self._host, self._port = split_address(address, 4840)
        self._space = space
        self._clients: list[OPCUAProtocol] = []
        self._closing: list[asyncio.Task[Any]] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listen; nothing if it does."""
        if self._server is None:
            make = partial(self._space.protocol, self._clients, self._closing)
            self._server = await asyncio.get_running_loop().create_server(make, self._host, self._port)
            self._port = self._server.sockets[0].getsockname()[1]
        return f"opc.tcp://{self._host}:{self._port}"

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self._clients):
            if client.transport is not None:
                client.transport.abort()
        await asyncio.sleep(0)
        while self._closing:
            with suppress(asyncio.CancelledError):
                await self._closing.pop()


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
            node = _node_id(identifier, index)
            if parent is None:
                owner = identifier.rsplit(".", 1)[0]
                parent = await self._space.nodes.objects.add_object(
                    _node_id(owner, index), ua.QualifiedName(owner, index)
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
        return _node_id(identifier[2:] if identifier.startswith("s=") else int(identifier[2:]), index)


class AutoIdMount:
    """A fixed scanner after OPC 30010 (AutoID), as far as a line needs it: last scan, its number and time, ScanStart."""

    def __init__(self, address: str, space: AddressSpace, trigger: Callable[[], None]) -> None:
        self._door = Door(address, space)
        self._space = space
        self._trigger = trigger
        self._index = 0
        self._count = 0
        self._sends: set[asyncio.Task[None]] = set()

    async def open(self) -> str:
        """Listen."""
        if not self._index:
            await self._build()
        return await self._door.open()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._door.close()

    def send(self, text: str) -> None:
        """Publish one read."""
        task = asyncio.get_running_loop().create_task(self._put(text))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    async def _put(self, text: str) -> None:
        self._count += 1
        count, now = self._count, datetime.now(UTC)
        await self._space.put(self._node("LastScanData"), text, ua.VariantType.String)
        await self._space.put(self._node("LastScanTimestamp"), now, ua.VariantType.DateTime)
        # last: who waits for the counter finds the data already there
        await self._space.put(self._node("ScanCounter"), count, ua.VariantType.UInt32)

    async def _build(self) -> None:
        self._index = await self._space.register_namespace(AUTOID_NAMESPACE)
        objects = self._space.nodes.objects
        reader = await objects.add_object(_node_id("OpticalReader", self._index), f"{self._index}:OpticalReader")
        for name, value, kind in (
            ("LastScanData", "", ua.VariantType.String),
            ("ScanCounter", 0, ua.VariantType.UInt32),
            ("LastScanTimestamp", datetime.now(UTC), ua.VariantType.DateTime),
        ):
            await reader.add_variable(self._node(name), f"{self._index}:{name}", value, kind)
        await reader.add_method(self._node("ScanStart"), f"{self._index}:ScanStart", self._scan_start, [], [])

    async def _scan_start(self, _parent: ua.NodeId, *_arguments: Any) -> list[ua.Variant]:
        self._trigger()  # async, because asyncua runs plain functions in a thread
        return []

    def _node(self, name: str) -> ua.NodeId:
        return _node_id(f"OpticalReader.{name}", self._index)


def _node_id(identifier: str | int, index: int) -> ua.NodeId:
    kind: Any = ua.NodeId  # its annotations want wrappers that its code does not
    made: ua.NodeId = kind(identifier, index)
    return made


def _stamped(value: ua.Variant) -> ua.DataValue:
    kind: Any = ua.DataValue
    made: ua.DataValue = kind(value, SourceTimestamp=datetime.now(UTC))
    return made


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the cycle collector: it takes a third of the time in which the standard's nodes are built."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
