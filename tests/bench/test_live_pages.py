"""How long a change on the line takes to reach fifty open pages."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest

from controller.local_server import LocalServer
from controller.turns import Turns
from packline.core.clock import LoopClock, WallClock
from tests.bench.children import child
from tests.bench.gauge import Figure, figure
from tests.bench.streams import PASSWORD, USER

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
PAGES = 50
CHANGES = 12
STARTED_AT = "2026-11-21T09:00:00+00:00"
KINDS = ("turntable", "pack", "print_apply", "bench", "hold", "courier_gate", "clarification")


@dataclass(slots=True)
class Line:
    """A controller of cardboard: gives snapshots, and remembers when it first gave each."""

    number: int = 0
    given_at: dict[int, float] = field(default_factory=dict)
    turns: Turns = field(default_factory=lambda: Turns(LoopClock()))

    async def take(self, seen: int | None, wait_s: float) -> dict[str, Any]:
        if seen == self.number:
            await self.turns.after(self.turns.count, wait_s)
        self.given_at.setdefault(self.number, perf_counter())
        return {
            "at": WallClock().now().isoformat(),
            "seq": self.number,
            "picture": self.number,
            "run": {"id": "bench", "started_at": STARTED_AT, "recovered": None},
            "line": {
                "state": "running", "wip": 7, "per_hour": self.per_hour, "oldest_waiting_s": 0, "orders": {}, "parcels": {},
            },
            "stations": [station(kind) for kind in KINDS],
            "alarms": 0,
            "exceptions": 0,
        }  # fmt: skip

    @property
    def per_hour(self) -> int:
        """Give what a page must show of the newest snapshot: a number that stands nowhere else."""
        return 500_000 + self.number


def station(kind: str) -> dict[str, Any]:
    device = {
        "name": f"{kind}-m", "kind": kind, "protocol": "modbus", "address": "127.0.0.1:1", "quality": "good",
        "state": "Execute", "owned": True, "faults": [], "inputs": {},
    }  # fmt: skip
    return {
        "name": f"{kind.replace('_', '-')}-1", "kind": kind, "run_by": "machine", "state": "idle", "parcel": "", "order": "",
        "unit": "", "next": {"key": "idle", "params": {}}, "tasks": [], "devices": [device], "scans": [], "camera": "",
        "pictures": [], "fault": None, "hold_by": "",
    }  # fmt: skip


class Page:
    """One open page: reads its stream and remembers when it saw a sign."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self._head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
        self._port = port
        self._told = b""

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(self._head)
        status = await self._reader.readline()
        assert b" 200 " in status, status

    async def sees(self, sign: bytes) -> float:
        """Read on until the sign is there; gives when."""
        while sign not in self._told:
            data = await self._reader.read(65536)
            assert data, "the stream ended"
            self._told = self._told[-len(sign) :] + data
        return perf_counter()

    def close(self) -> None:
        self._writer.close()


@dataclass(slots=True, kw_only=True)
class Show:
    """A server, its line and its open pages."""

    line: Line
    pages: list[Page]

    async def change(self) -> float:
        """Change the line; gives the seconds from the snapshot's leaving to its sight on the last page."""
        self.line.number += 1
        self.line.turns.turn()
        sign = str(self.line.per_hour).encode()
        seen = await asyncio.gather(*(page.sees(sign) for page in self.pages))
        return max(seen) - self.line.given_at[self.line.number]


@asynccontextmanager
async def show(kind: str, folder: Path, path: str) -> AsyncIterator[Show]:
    line, port = Line(), free_port()
    serving = asyncio.ensure_future(LocalServer(folder, snapshot=line.take, wake=lambda: None).run())
    starting = child("tests.bench.streams", kind, str(folder), str(port))
    await asyncio.to_thread(starting.__enter__)
    try:
        cookie = await sign_in(port) if kind == "ours" else ""
        pages = [Page(port, path, cookie) for _ in range(PAGES)]
        for page in pages:
            await page.open()
        yield Show(line=line, pages=pages)
        for page in pages:
            page.close()
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
        serving.cancel()
        await asyncio.wait({serving})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def sign_in(port: int) -> str:
    """Sign in once; fifty windows of one person."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.post("/api/login", json={"user": USER, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


async def test_a_change_reaches_every_open_page(empty_books: Path, tmp_path: Path, tell: Tell):
    for name in ("ours", "bare"):
        (tmp_path / name).mkdir()
    (tmp_path / "ours" / "books.db").write_bytes(empty_books.read_bytes())
    async with (
        show("ours", tmp_path / "ours", "/live?view=overview") as ours,
        show("bare", tmp_path / "bare", "/live") as bare,
    ):
        for one in (ours, bare):
            await one.change()
        taken = [(await ours.change(), await bare.change()) for _ in range(CHANGES)]
    tell(
        figure(
            f"a snapshot seen on the last of {PAGES} open pages, rendered",
            ours=[mine for mine, _ in taken],
            peer=[theirs for _, theirs in taken],
            peer_name="Flask: one stream of the bare JSON, same server",
            unit="ms/change",
        )
    )
