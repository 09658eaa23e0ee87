"""Serves line scanners and raw printer ports over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulation.mounts.wire import StreamServer, Wire

_READ_BYTES = 65_536


class LineScannerMount:
    """A scanner that listens and sends each read as a line to everybody who is connected.

    A line that a peer sends is a trigger; hand scanners ignore it.
    """

    def __init__(self, address: str, trigger: Callable[[], None]) -> None:
        self._trigger = trigger
        self._writers: set[asyncio.StreamWriter] = set()
        self._streams = StreamServer(address, self._talk)

    @property
    def peers(self) -> int:
        """Give how many hear a read now."""
        return len(self._writers)

    async def open(self) -> str:
        """Listen."""
        return await self._streams.open()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._streams.close()

    def send(self, text: str) -> None:
        """Send one read; nobody connected, nobody hears it."""
        for writer in self._writers:
            writer.write(text.encode("utf-8") + b"\r\n")

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (line := await reader.readline()) != b"":
                if line.strip():
                    self._trigger()
        finally:
            self._writers.discard(writer)


class RawDevice(Protocol):
    """A device that takes bytes from one peer and may answer at any later time."""

    def connected(self, answer: Callable[[bytes], None]) -> None:
        """Meet a peer; `answer` sends bytes back to it."""
        ...

    async def room(self) -> None:
        """Wait until the device can take more."""
        ...

    def receive(self, data: bytes) -> None:
        """Take what the peer sent."""
        ...

    def disconnected(self) -> None:
        """Notice that the peer is gone."""
        ...


class RawPortMount:
    """A raw port (9100): one peer at a time, the next is accepted when the first has gone."""

    def __init__(self, address: str, device: RawDevice, wire: Wire) -> None:
        self._device = device
        self._wire = wire
        self._turn = asyncio.Lock()
        self._streams = StreamServer(address, self._talk)

    async def open(self) -> str:
        """Listen."""
        return await self._streams.open()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._streams.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._turn:
            self._device.connected(self._wire.late(lambda data: None if writer.is_closing() else writer.write(data)))
            try:
                while data := await reader.read(_READ_BYTES):
                    await self._wire.carry_request()
                    await self._device.room()
                    self._device.receive(data)
            finally:
                self._device.disconnected()
