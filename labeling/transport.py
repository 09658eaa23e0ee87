"""Carries raw bytes to a printer and back; the printer's own words are known elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from packline.core.clock import Clock
from packline.core.streams import hang_up

CONNECT_S = 3.0
RECEIVE_BYTES = 4096


class RawPort(Protocol):
    """A byte stream to one printer. A lost link raises ConnectionError, silence raises TimeoutError."""

    async def connect(self, timeout_s: float = CONNECT_S) -> None:
        """Open the link; raises OSError, TimeoutError when nothing came of it in `timeout_s`."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand over all of `data`; returning proves nothing about the other end."""
        ...

    async def receive(self, timeout_s: float) -> bytes:
        """Give what has come, at least one byte; raises TimeoutError, or ConnectionError when the peer hung up."""
        ...

    async def close(self) -> None:
        """Close the link; never raises for a link that is gone."""
        ...


OpenPort = Callable[[str], RawPort]
"""Makes the port for an address ("host:port"); connects nothing yet."""


def tcp_ports(clock: Clock) -> OpenPort:
    """Give the maker of TCP ports that wait by `clock`."""
    return lambda address: TcpPort(address, clock)


class TcpPort:
    """A RawPort over TCP, the raw port 9100 of printers."""

    def __init__(self, address: str, clock: Clock) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)  # an IPv6 address stands in brackets
        self._clock = clock
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self, timeout_s: float = CONNECT_S) -> None:
        try:
            self._streams = await self._clock.within(timeout_s, asyncio.open_connection(self._host, self._port))
        except UnicodeError as error:
            raise ConnectionError(f"{self._host} is no name of a host") from error

    async def send(self, data: bytes) -> None:
        _, writer = self._open()
        writer.write(data)
        await writer.drain()

    async def receive(self, timeout_s: float) -> bytes:
        reader, _ = self._open()
        data = await self._clock.within(timeout_s, reader.read(RECEIVE_BYTES))
        if not data:
            raise ConnectionResetError("the printer closed the connection")
        return data

    async def close(self) -> None:
        if self._streams is None:
            return
        _, writer = self._streams
        self._streams = None
        await hang_up(writer, self._clock)

    def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            raise ConnectionResetError("the port is not connected")
        return self._streams
