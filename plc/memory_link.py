"""A machine in the same process: the in-memory back end of BlockLink, with the faults that links really have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from packline.core.clock import Clock
from plc.handshake import frames
from plc.handshake.device_rules import Action, MachineBrain, StartMotion, StopMotion
from plc.handshake.frames import Result, Words
from plc.links import Area, LinkDown, LinkRefused, LinkSilent, NodeId, NodeSink, NodeValue, Value
from plc.tags.codec import masked

Motion = Callable[[StartMotion], tuple[Result, Words]]


def _succeeds(_: StartMotion) -> tuple[Result, Words]:
    return Result.OK, ()


@dataclass(slots=True, kw_only=True)
class MemoryMachine:
    """A brain with the simplest mechanics: each motion takes `motion_s` and ends as `motion` says.

    It scans whenever a link touches it. `executed` is the physical truth: every motion that was begun.
    """

    brain: MachineBrain
    clock: Clock
    motion_s: float = 0.2
    motion: Motion = _succeeds
    is_powered: bool = True
    executed: list[StartMotion] = field(default_factory=list)
    _running: StartMotion | None = None
    _ends_at: float = 0.0

    def boot(self, *, memory_kept: bool = True) -> None:
        """Switch on, or cut the power and switch on again."""
        self._running, self.is_powered = None, True
        self.brain.boot(self.clock.monotonic(), memory_kept=memory_kept)

    def scan(self) -> None:
        """Run one scan and the mechanics up to now."""
        now = self.clock.monotonic()
        if self._running and now >= self._ends_at:
            result, data = self.motion(self._running)
            self._running = None
            self.brain.finish(result, data)
        for action in self.brain.scan(now):
            self._act(action, now)

    def _act(self, action: Action, now: float) -> None:
        if isinstance(action, StopMotion):
            self._running = None
            self.brain.finish(Result.ABORTED)
            return
        self.executed.append(action)
        self._running, self._ends_at = action, now + self.motion_s


@dataclass(slots=True, kw_only=True)
class MemoryTables:
    """The four tables of a device as words and bits that tests set; an address in `holes` answers exception 2.

    `reads` is every read, in order: table, first address, count.
    """

    words: dict[tuple[Area, int], int] = field(default_factory=dict)
    holes: set[tuple[Area, int]] = field(default_factory=set)
    reads: list[tuple[Area, int, int]] = field(default_factory=list)
    writes: list[tuple[Area, int, tuple[int, ...]]] = field(default_factory=list)

    def put(self, area: Area, start: int, words: Sequence[int]) -> None:
        """Set words from the device's side."""
        for offset, word in enumerate(words):
            self.words[area, start + offset] = word

    def read(self, area: Area, start: int, count: int) -> list[int]:
        """Read as a client does; raises LinkRefused over a hole."""
        self.reads.append((area, start, count))
        self._demand(area, start, count)
        return [self.words.get((area, start + offset), 0) for offset in range(count)]

    def write(self, area: Area, start: int, words: Sequence[int]) -> None:
        """Write as a client does; raises LinkRefused over a hole."""
        self._demand(area, start, len(words))
        self.writes.append((area, start, tuple(words)))
        self.put(area, start, words)

    def _demand(self, area: Area, start: int, count: int) -> None:
        if any((area, at) in self.holes for at in range(start, start + count)):
            raise LinkRefused("exception 2")


@dataclass(slots=True, kw_only=True)
class LinkFaults:
    """What goes wrong on a memory link; set and reset by tests."""

    is_cut: bool = False
    is_silent: bool = False
    is_refusing: bool = False
    is_frozen: bool = False
    garbles: int = 0
    lost_requests: int = 0
    lost_answers: int = 0


@dataclass(slots=True, kw_only=True)
class MemoryLink:
    """BlockLink and RegisterLink on a MemoryMachine; a request takes no time, a silent machine takes `request_s`."""

    machine: MemoryMachine
    clock: Clock
    faults: LinkFaults = field(default_factory=LinkFaults)
    request_s: float = 0.5
    written: list[tuple[str, Words]] = field(default_factory=list)
    tables: MemoryTables = field(default_factory=MemoryTables)
    _is_open: bool = False
    _last: Words = ()

    async def connect(self) -> None:
        """Connect; raises LinkDown while cut or unpowered."""
        self._is_open = False
        if self.faults.is_cut or not self.machine.is_powered:
            raise LinkDown("connection refused")
        self._is_open = True

    async def read(self, block: str) -> tuple[int, ...]:
        """Read STATUS as the machine has it now."""
        await self._reach()
        if not self.faults.is_frozen or not self._last:
            self.machine.scan()
            self._last = self.machine.brain.status_words()
        if self.faults.garbles:
            self.faults.garbles -= 1
            return (*self._last[:5], self._last[5] ^ 0x0100, *self._last[6:])
        return self._last

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write a block; a lost answer raises LinkSilent although the machine got it."""
        await self._reach()
        if block == frames.CMD and self.faults.lost_requests:
            self.faults.lost_requests -= 1
            await self._be_silent()
        self.written.append((block, tuple(words)))
        self.machine.brain.write(block, words)
        self.machine.scan()
        if block == frames.CMD and self.faults.lost_answers:
            self.faults.lost_answers -= 1
            await self._be_silent()

    async def read_registers(self, area: Area, start: int, count: int) -> Sequence[int]:
        """Read registers of the tables."""
        await self._reach()
        return self.tables.read(area, start, count)

    async def read_bits(self, area: Area, start: int, count: int) -> Sequence[bool]:
        """Read bits of the tables."""
        await self._reach()
        return [bool(bit) for bit in self.tables.read(area, start, count)]

    async def write_registers(self, start: int, words: Sequence[int], function: int) -> None:
        """Write holding registers of the tables."""
        await self._reach()
        if function == 6 and len(words) != 1:
            raise LinkRefused("function 6 writes one register")
        self.tables.write(Area.HOLDING, start, words)

    async def mask_register(self, start: int, kept: int, bits: int) -> None:
        """Change some bits of a holding register of the tables."""
        await self._reach()
        (word,) = self.tables.read(Area.HOLDING, start, 1)
        self.tables.write(Area.HOLDING, start, [masked(word, kept, bits)])

    async def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        """Write coils of the tables."""
        await self._reach()
        self.tables.write(Area.COIL, start, [int(bit) for bit in bits])

    async def close(self) -> None:
        """Close."""
        self._is_open = False

    async def _reach(self) -> None:
        if not self._is_open or self.faults.is_cut or not self.machine.is_powered:
            self._is_open = False
            raise LinkDown("connection lost")
        if self.faults.is_silent:
            await self._be_silent()
        if self.faults.is_refusing:
            raise LinkRefused("exception 2")

    async def _be_silent(self) -> None:
        await self.clock.sleep(self.request_s)
        raise LinkSilent("no answer")


@dataclass(slots=True, kw_only=True)
class MemoryNodes:
    """NodeLink on a table of nodes that tests set. `is_deaf` is a subscription that lives and tells of nothing; of `unwatched`
    nodes none can be made.
    """

    clock: Clock
    values: dict[NodeId, NodeValue] = field(default_factory=dict)
    is_open: bool = True
    is_deaf: bool = False
    publishes: bool = True
    unwatched: set[NodeId] = field(default_factory=set)
    reads: list[tuple[NodeId, ...]] = field(default_factory=list)
    written: list[Mapping[NodeId, tuple[Value, str]]] = field(default_factory=list)
    subscribed: list[tuple[int, int, int]] = field(default_factory=list)
    _sinks: dict[NodeId, NodeSink] = field(default_factory=dict)
    _published_at: float | None = None

    async def connect(self) -> None:
        """Connect; raises LinkDown while closed."""
        self._sinks.clear()
        self._published_at = None
        self._demand_open()

    def put(self, node: NodeId, value: Value) -> None:
        """Set a value from the server's side and tell who has subscribed."""
        self.values[node] = NodeValue(value=value, at=self.clock.now())
        if node in self._sinks and not self.is_deaf:
            self._sinks[node](node, self.values[node])

    async def read_nodes(self, nodes: Sequence[NodeId]) -> Sequence[NodeValue]:
        """Read values in one call."""
        self._demand_open()
        self.reads.append(tuple(nodes))
        return [self.values.get(node, NodeValue(value=None, status="BadNodeIdUnknown")) for node in nodes]

    async def write_nodes(self, values: Mapping[NodeId, tuple[Value, str]]) -> None:
        """Write values in one call."""
        self._demand_open()
        self.written.append(values)
        for node, (value, _) in values.items():
            self.put(node, value)

    async def subscribe(self, nodes: Sequence[NodeId], sink: NodeSink, *, publish_ms: int, sample_ms: int) -> None:
        """Tell the present values, and then each change."""
        self._demand_open()
        self.subscribed.append((len(nodes), publish_ms, sample_ms))
        for node in nodes:
            if node in self.unwatched:
                sink(node, NodeValue(value=None, status="cannot be watched", is_watched=False))
                continue
            self._sinks[node] = sink
            sink(node, self.values.get(node, NodeValue(value=None, status="BadNodeIdUnknown")))
        self._published_at = self.clock.monotonic()

    def silent_s(self) -> float | None:
        """Give 0 while publishes come."""
        if self.publishes and self._published_at is not None:
            self._published_at = self.clock.monotonic()
        return None if self._published_at is None else self.clock.monotonic() - self._published_at

    async def close(self) -> None:
        """Close."""
        self._sinks.clear()

    def _demand_open(self) -> None:
        if not self.is_open:
            raise LinkDown("connection refused")
