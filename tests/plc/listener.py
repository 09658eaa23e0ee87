"""A server of a test: on a port of its own, served by what the test says, and gone with all its connections at the end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """`serve` answers one connection; what it opens on the way is closed with the others when it is `kept`."""

    def __init__(self, serve: Serve, context: ssl.SSLContext | None = None) -> None:
        self._serve, self._context = serve, context
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> int:
        """Listen on the loopback; gives the port."""
        self._server = await asyncio.start_server(self._served, "127.0.0.1", 0, ssl=self._context)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End every connection at once, whatever is still unsaid."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    def keep(self, writer: asyncio.StreamWriter) -> None:
        """Take one more connection along at the end."""
        self._writers.add(writer)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.keep(writer)
        await self._serve(reader, writer)
