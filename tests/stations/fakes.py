"""A small hall for one carton at a time: machines that remember their jobs, a printer that counts, eyes that see what is there."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from labeling.proof import UNCOUNTED
from packline.core.clock import ManualClock
from packline.core.effects import Device, Effect, EffectState, Evidence, Ticket
from packline.core.faults import Fault
from packline.core.pictures import Still
from packline.core.scans import Scan
from scanning.codes import Box, Code, Symbology
from stations.screen import Instruction

T = TypeVar("T")
SOON_TURNS = 40
"""How often the loop turns before a wait that nothing ends is given up."""


class Killed(BaseException):
    """The process died here: nothing after this point ran, not even a finally that writes."""


class EagerClock(ManualClock):
    """Moves by itself when nobody does anything: a wait that cannot end now times out at once. Hours are waited for."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.advance(seconds)

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        job = asyncio.ensure_future(work)
        if seconds >= 3600:
            return await job
        for _ in range(SOON_TURNS):
            if job.done():
                return job.result()
            await asyncio.sleep(0)
        job.cancel()
        self.advance(seconds)
        raise TimeoutError


@dataclass(frozen=True, slots=True)
class Paper:
    """A label: what is printed on it. `half` is one that cannot be read."""

    sscc: str
    lpn: str
    print_number: int
    half: bool = False


@dataclass(slots=True)
class Carton:
    """A carton with its plate and whatever sticks on it."""

    lpn: str
    labels: list[Paper] = field(default_factory=list)
    sealed: bool = False
    readable: bool = True


class Points:
    """Counts every point at which the process might die, and lets it die at one."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.kill_at: int | None = None

    def at(self, name: str) -> None:
        """Pass a point; raises Killed when it is the one."""
        self.passed.append(name)
        if self.kill_at is not None and len(self.passed) == self.kill_at:
            raise Killed(name)

    def wrap_commit(self, commit: Callable[[], None]) -> Callable[[], None]:
        """Give a commit with a point before and after it."""

        def wrapped() -> None:
            self.at("before commit")
            commit()
            self.at("after commit")

        return wrapped


@dataclass(slots=True)
class Hall:
    """The physical truth, which outlives every controller."""

    points: Points
    stop: Carton | None = None
    infeed: Carton | None = None
    at_gate: Carton | None = None
    bench: Carton | None = None
    peel: Paper | None = None
    pad: Paper | None = None
    lanes: dict[int, list[Carton]] = field(default_factory=lambda: {1: [], 2: [], 3: []})
    gone: list[Carton] = field(default_factory=list)
    printed: list[Paper] = field(default_factory=list)
    stuck: list[tuple[Paper, str]] = field(default_factory=list)
    thrown: list[Paper] = field(default_factory=list)
    seals: Counter[str] = field(default_factory=Counter)
    item_on_table: str = ""
    angle: float = 0.0
    turns: list[float] = field(default_factory=list)
    lamp: int = 0

    def stick(self, paper: Paper, box: Carton) -> None:
        """Put a label on a carton."""
        box.labels.append(paper)
        self.stuck.append((paper, box.lpn))

    def wrong_labels(self) -> list[tuple[Paper, str]]:
        """Give labels that stick on a carton that they do not name."""
        return [(paper, lpn) for paper, lpn in self.stuck if paper.lpn != lpn]

    def doubles(self) -> list[Carton]:
        """Give cartons with more than one label."""
        boxes = [*self.gone, *(b for lane in self.lanes.values() for b in lane)]
        boxes += [b for b in (self.stop, self.infeed, self.at_gate, self.bench) if b]
        return [b for b in boxes if len(b.labels) > 1]


@dataclass(slots=True)
class View:
    """stations.ports.View."""

    quality: str = "good"
    state: str = "Execute"
    inputs: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[int, ...] = ()
    owned: bool = True
    own_faults: tuple[int, ...] = ()


Act = Callable[[Effect], Mapping[str, Any] | None]
Meanwhile = Callable[[Effect], Awaitable[None]]


async def nothing(_: Effect) -> None:
    """Let nothing happen meanwhile."""


class MachineDevice(Device):
    """A machine's side of the ledger: remembers the last jobs, so that it can be asked after a crash.

    `misbehave` is taken off once: "deaf" (nothing happens, no answer), "mute" (it happens, no answer ever), "fail",
    "refuse", "half" (stops in mid-motion: nothing moved, it does not know), "gone" (link lost before). `before_send` and
    `after_send` are what happens elsewhere just before a job and while its answer is on the way.
    """

    def __init__(self, name: str, acts: Mapping[str, Act], points: Points) -> None:
        self.name = name
        self.acts = acts
        self.points = points
        self.memory: dict[int, Evidence] = {}
        self.misbehave: dict[str, str] = {}
        self.fault: int | None = None
        self.not_ready: Fault | None = None
        self.before_send: Meanwhile = nothing
        self.after_send: Meanwhile = nothing
        self.done: list[tuple[str, str]] = []

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        self.points.at(f"prepare {effect.kind.name}")
        await asyncio.sleep(0)
        if self.not_ready is not None:
            raise self.not_ready
        return Ticket(machine=self.name, epoch=1, sequence=job, boot=1, job=job)

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        await self.before_send(effect)
        self.points.at(f"send {effect.kind.name}")
        await asyncio.sleep(0)
        evidence = self._work(effect, ticket)
        self.points.at(f"done {effect.kind.name}")
        await asyncio.sleep(0)
        await self.after_send(effect)
        return evidence

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        self.points.at(f"inquire {effect.kind.name}")
        await asyncio.sleep(0)
        return self.memory.get(ticket.job, Evidence(state=EffectState.NOT_EXECUTED, source="machine memory"))

    def _work(self, effect: Effect, ticket: Ticket) -> Evidence:
        how = self.misbehave.pop(effect.kind.name, "")
        unknown = Evidence(state=EffectState.UNKNOWN, source="machine memory", fault=2005)
        if how in ("deaf", "half"):
            self.memory[ticket.job] = unknown
            return unknown
        if how == "gone":
            lost = Evidence(state=EffectState.UNKNOWN, source="no answer", fault=1001)
            self.memory[ticket.job] = lost
            return lost
        if how in ("fail", "refuse"):
            state = EffectState.FAILED if how == "fail" else EffectState.NOT_EXECUTED
            self.memory[ticket.job] = Evidence(state=state, source="machine memory", fault=self.fault)
            return self.memory[ticket.job]
        data = self.acts[effect.kind.name](effect)
        self.done.append((effect.kind.name, effect.subject))
        ok = data is not None
        state = EffectState.CONFIRMED if ok else EffectState.FAILED
        evidence = Evidence(state=state, source="machine memory", data=data or {}, fault=None if ok else 2006)
        self.memory[ticket.job] = unknown if how == "mute" else evidence
        return self.memory[ticket.job]


class Machine:
    """stations.ports.Machinery."""

    def __init__(self, name: str, device: MachineDevice, inputs: Callable[[], Mapping[str, int]]) -> None:
        self.name = name
        self._device = device
        self._inputs = inputs
        self.now = View()
        self.released = 0
        self.ready_fault: Fault | None = None

    def view(self) -> View:
        self.now.inputs = self._inputs()
        return self.now

    async def look(self) -> View:
        return self.view()

    def device(self) -> MachineDevice:
        return self._device

    async def make_ready(self) -> None:
        if self.ready_fault is not None:
            raise self.ready_fault

    async def release(self) -> None:
        self.released += 1
        self.ready_fault = None


class Printer(Device):
    """A label printer with a cut counter in retained memory. `misbehave`: "silent", "silent lost", "unplugged", "empty", "half"."""

    def __init__(self, hall: Hall, out: Callable[[Paper], None]) -> None:
        self._hall = hall
        self._out = out
        self.cuts = 100
        self.misbehave = ""
        self.on_prepare: Callable[[], None] = lambda: None
        self.before_send: Meanwhile = nothing
        self._interrupted: set[int] = set()

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        self._hall.points.at("prepare print")
        await asyncio.sleep(0)
        self.on_prepare()
        return Ticket(machine="printer-1", job=job, extra={"before": self.cuts})

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        await self.before_send(effect)
        self._hall.points.at("send print")
        await asyncio.sleep(0)
        if self.misbehave == "unplugged":
            return Evidence(state=EffectState.NOT_EXECUTED, source="printer link", fault=1001)
        given = effect.parameters
        paper = Paper(sscc=given["sscc"], lpn=given["lpn"], print_number=given["print_number"])
        if self.misbehave == "half":
            self.misbehave = ""
            self._cut(Paper(sscc=paper.sscc, lpn=paper.lpn, print_number=paper.print_number, half=True))
            self._interrupted.add(ticket.job)
            return Evidence(state=EffectState.UNKNOWN, source="printer status", fault=2105)
        if self.misbehave != "silent lost":
            self._cut(paper)
        self._hall.points.at("done print")
        await asyncio.sleep(0)
        if self.misbehave.startswith("silent"):
            return Evidence(state=EffectState.UNKNOWN, source="printer silence", fault=2103)
        return Evidence(state=EffectState.CONFIRMED, source="process id")

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        self._hall.points.at("inquire print")
        await asyncio.sleep(0)
        if self.misbehave.startswith("silent"):
            return Evidence(state=EffectState.UNKNOWN, source="printer link", fault=2103)
        if self.misbehave == "empty":
            return Evidence(state=EffectState.UNKNOWN, source="printer status", fault=2101)
        cuts = self.cuts - int(ticket.extra["before"])
        if cuts == 0:
            return Evidence(state=EffectState.NOT_EXECUTED, source="label counter", remember={UNCOUNTED: True})
        if cuts > 1:
            return Evidence(state=EffectState.UNKNOWN, source="label counter", fault=2005)
        if ticket.job in self._interrupted:
            return Evidence(state=EffectState.FAILED, source="label counter", fault=2105)
        return Evidence(state=EffectState.CONFIRMED, source="label counter")

    def _cut(self, paper: Paper) -> None:
        self.cuts += 1
        self._hall.printed.append(paper)
        self._out(paper)


class Eyes:
    """A camera over a place. `stale` gives the frame before again; pictures are JSON of the codes in them, unless `photograph`
    makes others.
    """

    def __init__(self, name: str, clock: ManualClock, points: Points, look: Callable[[], Carton | None]) -> None:
        self.name = name
        self._clock = clock
        self._points = points
        self._look = look
        self.frame = 0
        self.shots = 0
        self.stale: Still | None = None
        self.last: Still | None = None
        self.fault: Fault | None = None
        self.photograph: Callable[[Carton | None], bytes] = codes_picture

    async def still(self, timeout_s: float = 3.0) -> Still:
        self._points.at(f"still {self.name}")
        await asyncio.sleep(0)
        self.shots += 1
        if self.fault is not None:
            raise self.fault
        if self.stale is not None:
            return self.stale
        self._clock.advance(0.01)
        self.frame += 1
        self.last = Still(
            jpeg=self.photograph(self._look()), camera=self.name, frame=self.frame, captured_at=self._clock.now()
        )
        return self.last


def codes_picture(box: Carton | None) -> bytes:
    """Give the JSON that stands for a picture of a carton."""
    return json.dumps(codes_on(box)).encode()


def codes_on(box: Carton | None) -> list[tuple[str, str]]:
    """Give (text, symbology) of everything readable on a carton."""
    if box is None or not box.readable:
        return []
    codes = [(box.lpn, "code128")]
    for paper in box.labels:
        if not paper.half:
            codes += [(f"PK1|{paper.sscc}|{paper.lpn}|{paper.print_number}", "datamatrix")]
            codes += [(f"00{paper.sscc}", "code128")]
    return codes


async def read_fake_picture(work: Callable[..., Any], *args: Any) -> Any:
    """Stand in for a thread that decodes: the fake pictures are JSON."""
    await asyncio.sleep(0)
    codes = json.loads(args[0])
    return [
        Code(
            text=text,
            symbology=Symbology(symbology),
            box=Box(left=500 * n, top=0, width=100, height=100),
            aim="]C1" if text.startswith("00") else "",
        )
        for n, (text, symbology) in enumerate(codes)
    ]


class Reader:
    """A fixed scanner: reads when triggered what lies before it, and tells the station that listens."""

    def __init__(self, name: str, clock: ManualClock, read: Callable[[], str]) -> None:
        self.name = name
        self._clock = clock
        self._read = read
        self.listener: Callable[[Scan], Awaitable[Instruction]] | None = None
        self.is_blind = False

    async def trigger(self) -> None:
        text = self._read()
        if text and not self.is_blind and self.listener is not None:
            await asyncio.sleep(0)
            scan = Scan(text=text, device=self.name, at=self._clock.now(), symbology="")
            try:
                await self.listener(scan)
            except Fault:
                return

    async def scans(self) -> AsyncIterator[Scan]:
        nothing: list[Scan] = []
        for scan in nothing:
            yield scan

    def is_connected(self) -> bool:
        return True
