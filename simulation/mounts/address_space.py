"""An OPC UA server for several machines and scanners: one address space behind several ports, where the node ids allow it.

Building an address space takes about 1.9 s of processor time (asyncua 2.1, Python 3.11, 2026-11), so devices share one.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from asyncua import Server, ua
from asyncua.common.callback import CallbackType
from asyncua.server.binary_server_asyncio import OPCUAProtocol

from simulation.mounts.shield import Shield
from simulation.mounts.ua_guard import protect
from simulation.mounts.wire import Wire, split_address


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


def node_id(identifier: str | int, index: int) -> ua.NodeId:
    """Make the id of a node of the namespace `index`."""
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
