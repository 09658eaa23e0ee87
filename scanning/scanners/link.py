"""Connects to a scanner that listens on a TCP port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from packline.core.clock import Clock
from packline.core.streams import hang_up

CONNECT_S = 3.0
RECEIVE_BYTES = 4096
# a scanner says nothing for hours; without probes a pulled cable would never be noticed
_PROBES = (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 3), ("TCP_KEEPCNT", 3))


class Link(Protocol):
    """A byte stream to one scanner. A lost link raises OSError."""

    async def connect(self) -> None:
        """Open the link; raises OSError (TimeoutError too)."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand over all of `data`."""
        ...

    async def receive(self) -> bytes:
        """Wait for at least one byte; raises ConnectionError when the scanner hung up."""
        ...

    async def close(self) -> None:
        """Close the link; never raises for a link that is gone."""
        ...


OpenLink = Callable[[str], Link]
"""Makes the link for an address ("host:port"); connects nothing yet."""


def tcp_links(clock: Clock) -> OpenLink:
    """Give the maker of TCP links that wait by `clock`."""
    return lambda address: TcpLink(address, clock)


class TcpLink:
    """A Link over TCP with keep-alive probes: a dead scanner is noticed within 20 s."""

    def __init__(self, address: str, clock: Clock) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)  # an IPv6 address stands in brackets
        self._clock = clock
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self) -> None:
        try:
            self._streams = await self._clock.within(CONNECT_S, asyncio.open_connection(self._host, self._port))
        except UnicodeError as error:
            raise ConnectionError(f"{self._host} is no name of a host") from error
        sock: socket.socket = self._streams[1].get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _PROBES:
            if hasattr(socket, option):  # not every system has all of them
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    async def send(self, data: bytes) -> None:
        _, writer = self._open()
        writer.write(data)
        await writer.drain()

    async def receive(self) -> bytes:
        reader, _ = self._open()
        data = await reader.read(RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError("the scanner closed the connection")
        return data

    async def close(self) -> None:
        if self._streams is None:
            return
        _, writer = self._streams
        self._streams = None
        await hang_up(writer, self._clock)

    def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            raise ConnectionResetError("the link is not connected")
        return self._streams
