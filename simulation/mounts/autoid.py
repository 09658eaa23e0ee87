"""Mounts a fixed scanner on OPC UA, after OPC 30010 (AutoID)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from asyncua import ua

from simulation.mounts.address_space import AddressSpace, Door, node_id
from simulation.mounts.blocks import AUTOID_NAMESPACE


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
        reader = await objects.add_object(node_id("OpticalReader", self._index), f"{self._index}:OpticalReader")
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
        return node_id(f"OpticalReader.{name}", self._index)
