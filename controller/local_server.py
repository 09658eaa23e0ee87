"""Answers the web process over a Unix socket: the live snapshot, and nudges that a request waits."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from packline.core.faults import Fault
from packline.core.local import socket_path

MOST_LINE_BYTES = 65536
MOST_WAIT_S = 0.5
"""So long a question may wait for another picture; whoever asks takes a controller for dead that is silent for a second."""

_ENDS = (ConnectionError, asyncio.IncompleteReadError, ValueError, Fault, asyncio.CancelledError)
"""What ends a conversation, and is no error of ours: who asked went away, spoke nonsense, the books are away, the line ends."""

Take = Callable[[int | None, float], Awaitable[dict[str, Any]]]
"""Gives the snapshot, at once or when another picture than this number is there, at the latest after so many seconds."""


class Door(Protocol):
    """How the outside reaches a running line."""

    async def run(self) -> None:
        """Serve until cancelled."""
        ...


class OpenDoor(Protocol):
    """Makes the door of a line that keeps its data in a folder; nothing is opened yet."""

    def __call__(self, data: Path, *, snapshot: Take, wake: Callable[[], None]) -> Door: ...


class LocalServer:
    """One JSON object per line in, one per line out. The socket is an optimisation: requests are durable rows."""

    def __init__(self, data: Path, *, snapshot: Take, wake: Callable[[], None]) -> None:
        self._path = socket_path(data)
        self._snapshot = snapshot
        self._wake = wake

    async def run(self) -> None:
        """Serve until cancelled."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, path=self._path, limit=MOST_LINE_BYTES)
        self._path.chmod(0o600)
        try:
            async with server:
                await server.serve_forever()
        finally:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(*_ENDS):
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        request = json.loads(line)
        match request.get("do") if isinstance(request, dict) else None:
            case "snapshot":
                return await self._snapshot(*_patience(request))
            case "wake":
                self._wake()
                return {"ok": True}
            case other:
                return {"error": f"no such request: {other!r}"[:100]}


def _patience(request: dict[str, Any]) -> tuple[int | None, float]:
    """Give the number of the picture that was seen, and how long another may be waited for; whoever names none is answered at once."""
    seen, wait_s = request.get("seen"), request.get("wait_s")
    if not isinstance(seen, int) or not isinstance(wait_s, (int, float)):
        return None, 0.0
    return seen, min(float(wait_s), MOST_WAIT_S) if wait_s > 0 else 0.0  # NaN is above nothing
