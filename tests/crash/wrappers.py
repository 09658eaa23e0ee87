"""Stands between the controller and everything it touches: links, scanners, cameras, HTTP and commits, each with a name."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from controller.links import Links
from controller.site import ScannerPart, Site
from labeling.drivers.replies import ReplyParser
from labeling.transport import CONNECT_S, OpenPort, RawPort, tcp_ports
from packline.core.clock import Clock
from packline.core.pictures import Camera, Still
from packline.core.scans import Scan, Scanner
from packline.feeds.http import carry_over
from plc.drivers.opening import open_link
from plc.handshake import frames
from plc.links import BlockLink
from plc.machine_file import MachineFile
from plc.machine_view import read_inputs
from plc.packml import Cmd, name_of
from plc.security import UNSAID, Reach
from scanning import gs1
from scanning.cameras.client import VideoStill
from scanning.scanners.link import tcp_links
from tests.crash.points import AFTER, BEFORE, HALF, Points

_RASTER = b"\x1dv0"
_REAL_TIME, _COUNTER = b"\x10\x04", b"\x1dg2"


# -- machines ----------------------------------------------------------------------------------------------------------


class CountedBlocks:
    """A BlockLink; a status is named by what it shows for the first time."""

    def __init__(self, inner: BlockLink, points: Points, machine: str, file: MachineFile) -> None:
        self._inner = inner
        self._points = points
        self._machine = machine
        self._file = file
        self._kinds = {job.code: kind for kind, job in file.commands.items()}
        self._jobs: dict[int, str] = {}
        self._last: frames.Status | None = None

    async def connect(self) -> None:
        name = f"connecting to {self._machine}"
        self._points.reach(BEFORE, name)
        await self._inner.connect()
        self._points.reach(AFTER, name)

    async def read(self, block: str) -> tuple[int, ...]:
        self._points.reach(BEFORE, f"{block} read from {self._machine}")
        words = await self._inner.read(block)
        self._points.reach(AFTER, *(f"{news} read from {self._machine}" for news in self._news(words)))
        return words

    async def write(self, block: str, words: Sequence[int]) -> None:
        name = f"{self._named(block, words)} written to {self._machine}"
        self._points.reach(BEFORE, name)
        await self._inner.write(block, words)
        self._points.reach(AFTER, name)

    async def close(self) -> None:
        await self._inner.close()

    def __getattr__(self, name: str) -> Any:
        """Let tags pass uncounted."""
        return getattr(self._inner, name)

    def _named(self, block: str, words: Sequence[int]) -> str:
        if block == frames.CMD and (command := frames.decode_command(words)):
            kind = "claim" if command.code == frames.CLAIM else self._kinds.get(command.code, "job")
            self._jobs[command.id] = kind
            if command.code != frames.CLAIM:
                self._points.last_job[self._machine] = kind
            return f"CMD {kind}"
        if block == frames.STATE and (order := frames.decode_state_command(words)):
            return f"STATE {Cmd(order.command).name}"
        return block

    def _news(self, words: Sequence[int]) -> list[str]:
        try:
            status = frames.decode_status(words)
        except frames.StatusRefused:
            return ["STATUS refused"]
        last, self._last = self._last, status
        if last is None:
            return ["first STATUS"]
        return list(self._differences(last, status)) or ["STATUS"]

    def _differences(self, last: frames.Status, now: frames.Status) -> list[str]:
        news = []
        if (last.owner_epoch, last.owner_id) != (now.owner_epoch, now.owner_id):
            news.append("STATUS owner")
        if last.boot != now.boot:
            news.append("STATUS boot")
        if last.ack != now.ack:
            news.append(f"STATUS ACK of {self._jobs.get(now.ack, 'an old job')}")
        if last.done != now.done:
            news.append(f"STATUS DONE of {self._jobs.get(now.done, 'an old job')}")
        if now.rej_code and last.rej != now.rej:
            news.append(f"STATUS refusal of {self._jobs.get(now.rej, 'an old job')}")
        if last.state != now.state:
            news.append(f"STATUS state {name_of(now.state)}")
        before, after = read_inputs(self._file, last), read_inputs(self._file, now)
        return [*news, *(f"STATUS {name}={after[name]}" for name in _FLAGS if before.get(name) != after.get(name))]


_FLAGS = ("item_present", "carton_present", "parcel_present", "label_at_peel", "label_on_pad", "gate_open")


# -- printers ----------------------------------------------------------------------------------------------------------


class CountedPort:
    """A RawPort; a label job can also be cut off in its middle."""

    def __init__(self, inner: RawPort, points: Points, printer: str) -> None:
        self._inner = inner
        self._points = points
        self._printer = printer
        self._parser = ReplyParser()

    async def connect(self, timeout_s: float = CONNECT_S) -> None:
        self._parser = ReplyParser()
        await self._inner.connect(timeout_s)

    async def send(self, data: bytes) -> None:
        name = f"{_printer_talk(data)} sent to {self._printer}"
        self._points.reach(BEFORE, name)
        if self._points.is_next(HALF, name):
            await self._inner.send(data[: len(data) // 2])
            self._points.reach(HALF, name)
        await self._inner.send(data)
        self._points.reach(AFTER, name)

    async def receive(self, timeout_s: float) -> bytes:
        data = await self._inner.receive(timeout_s)
        replies = [type(reply).__name__ for reply in self._parser.feed(data)] or ["part of a reply"]
        self._points.reach(AFTER, *(f"{reply} heard from {self._printer}" for reply in dict.fromkeys(replies)))
        return data

    async def close(self) -> None:
        await self._inner.close()


def _printer_talk(data: bytes) -> str:
    names = ((_RASTER, "label job"), (_REAL_TIME, "status question"), (_COUNTER, "counter question"))
    return next((name for mark, name in names if mark in data), "bytes")


# -- scanners, cameras, HTTP -------------------------------------------------------------------------------------------


class CountedScanner:
    """A Scanner; reads are named by their kind."""

    def __init__(self, inner: Scanner, points: Points) -> None:
        self.name = inner.name
        self._inner = inner
        self._points = points

    async def scans(self) -> AsyncIterator[Scan]:
        async for scan in self._inner.scans():
            self._points.reach(AFTER, f"{self._kind(scan)} read by {self.name}")
            yield scan

    async def trigger(self) -> None:
        name = f"trigger of {self.name}"
        self._points.reach(BEFORE, name)
        await self._inner.trigger()
        self._points.reach(AFTER, name)

    def is_connected(self) -> bool:
        return self._inner.is_connected()

    @staticmethod
    def _kind(scan: Scan) -> str:
        parsed = gs1.parse(scan.text, scan.symbology)
        return f"DO:{parsed.value}" if parsed.kind is gs1.Kind.ACTION else parsed.kind.value


class CountedCamera:
    """A Camera; its stills are named by what the machine before it did last."""

    def __init__(self, inner: Camera, points: Points, machine: str) -> None:
        self.name = inner.name
        self.inner = inner
        self._points = points
        self._machine = machine

    async def still(self, timeout_s: float = 3.0) -> Still:
        last = self._points.last_job.get(self._machine)
        name = f"still of {self.name} {'after ' + last if last else 'first of all'}"
        self._points.reach(BEFORE, name)
        still = await self.inner.still(timeout_s)
        self._points.reach(AFTER, name)
        return still


class CountedTransport(httpx.AsyncBaseTransport):
    """What goes out by HTTP; stills are counted as stills."""

    def __init__(self, inner: httpx.AsyncBaseTransport, points: Points) -> None:
        self._inner = inner
        self._points = points

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/still/"):
            return await self._inner.handle_async_request(request)
        name = _http_talk(request)
        self._points.reach(BEFORE, name)
        response = await self._inner.handle_async_request(request)
        self._points.reach(AFTER, name)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _http_talk(request: httpx.Request) -> str:
    if request.method == "POST":
        return f"push of {json.loads(request.content)['type']}"
    return f"{request.method} {request.url.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLinks(Links):
    """Links whose scanners are counted too; looks at cameras that nobody waits for are not: they come at any time."""

    points: Points

    def onlooker(self, name: str) -> Camera:
        camera = Links.onlooker(self, name)
        return camera.inner if isinstance(camera, CountedCamera) else camera

    def scanner(
        self, name: str, part: ScannerPart, reach: Reach = UNSAID, *, file: MachineFile | None = None
    ) -> Scanner:
        return CountedScanner(Links.scanner(self, name, part, reach, file=file), self.points)


def counted_links(site: Site, points: Points, clock: Clock, rng: random.Random) -> CountedLinks:
    """Give links over real sockets that name all that passes."""
    machines = {part.address: name for name, part in site.machines.items()}
    printers = {part.address: name for name, part in site.printers.items()}
    before = {part.camera: part.machine or "" for part in site.stations.values()}
    http = httpx.AsyncClient(transport=CountedTransport(httpx.AsyncHTTPTransport(trust_env=False), points))
    video = f"http://{site.web.host}:{site.web.video_port}"

    def block(file: MachineFile, address: str, reach: Reach) -> BlockLink:
        return CountedBlocks(open_link(file, address, reach), points, machines[address], file)

    return CountedLinks(
        open_block=block,
        open_port=_ports(tcp_ports(clock), points, printers),
        open_line=tcp_links(clock),
        camera=lambda name: CountedCamera(VideoStill(name, video, clock, http=http), points, before[name]),
        http=http,
        carry=carry_over(http),
        video=http,
        clock=clock,
        rng=rng,
        points=points,
    )


def _ports(open_port: OpenPort, points: Points, printers: Mapping[str, str]) -> OpenPort:
    return lambda address: CountedPort(open_port(address), points, printers[address])


# -- commits -----------------------------------------------------------------------------------------------------------


class CountedCommits:
    """Names each commit by what it makes durable; learns that from the SQL of its transaction."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._names: dict[str, None] = {}
        event.listen(Engine, "before_cursor_execute", self._heard)

    def wrap(self, commit: Callable[[], None]) -> Callable[[], None]:
        """Give the commit to call instead."""

        def counted() -> None:
            names, self._names = [f"commit of {name}" for name in self._names] or ["commit of nothing"], {}
            self._points.reach(BEFORE, *names)
            commit()
            self._points.reach(AFTER, *names)

        return counted

    def _heard(
        self, _connection: Connection, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        verb, _, rest = statement.partition(" ")
        if verb not in ("INSERT", "UPDATE", "DELETE") or context is None:
            return
        table = rest.removeprefix("INTO ").removeprefix("FROM ").split()[0].strip('"')
        for row in context.compiled_parameters or [{}]:
            if name := _written(table, row):
                self._names.setdefault(name)


def _written(table: str, row: Mapping[str, Any]) -> str:
    """Say what a row makes durable; "" for rows that a journal entry of the same transaction already names."""
    if table == "journal":
        of = f" {row['data']['kind']}" if row["kind"].startswith("Effect") else ""
        return f"{row['kind']}{of}"
    if table == "effect_history":
        return f"ledger {row['state']}" if str(row["state"]) == "sent" else ""
    if table == "delivery":
        return "delivery " + next((str(row[k]) for k in ("state", "attempts") if k in row), "claimed")
    namer = _NAMERS.get(table)
    return namer(row) if namer else "" if table in _IMPLIED else table


def _value(row: Mapping[str, Any], *names: str) -> str:
    return next((str(row[name]) for name in names if name in row), "")


_NAMERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "serial": lambda row: f"serial {_value(row, 'of', 'name')}",
    "machine_epoch": lambda row: f"epoch of {_value(row, 'machine', 'machine_1')}",
    "inbox": lambda row: f"inbox {_value(row, 'state')}",
    "request": lambda row: f"request {_value(row, 'state')}",
    "meta": lambda row: f"mark {_value(row, 'name', 'name_1')}",
}
_IMPLIED = frozenset(
    {"orders", "unit", "parcel", "label", "effect", "outbox", "picture", "picture_blob", "exception", "alarm"}
)
