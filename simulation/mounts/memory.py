"""A machine of the twin in the same process: links without a wire, for blocks and for tags."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from packline.core.clock import Clock, LoopClock
from plc.links import Area, BlockLink, LinkDown, LinkRefused, LinkSilent, NodeId, NodeSink, NodeValue, Value
from plc.machine_file import MachineFile
from plc.tags.codec import decode_node, masked, put_node
from simulation.mounts.bank import TagBank
from simulation.mounts.blocks import BlockDevice, tags_of
from simulation.mounts.wire import Busy, Cord, Wire

T = TypeVar("T")

REQUEST_S = 0.8


class MemoryMount:
    """Holds what would be a server; closed, its links are down. Without a `file` it carries blocks only.

    A request over a bad `wire` is given up by the client after `request_s`, and takes effect all the same.
    """

    def __init__(self, device: BlockDevice, wire: Wire | None = None, *, request_s: float = REQUEST_S) -> None:
        self.device = device
        self.wire = wire or Wire()
        self.request_s = request_s
        self.is_open = False
        self.closings = 0
        self.under_way: set[asyncio.Task[Any]] = set()
        self._shown: Callable[[], tuple[object, ...]] | None = None
        self._is_sound: Callable[[], bool] = lambda: False
        self._read: object = None
        self._tell: Callable[[], None] | None = None

    async def open(self) -> str:
        """Let links connect."""
        self.is_open = True
        return "memory"

    async def close(self) -> None:
        """Drop every link."""
        self.is_open = False
        self.closings += 1
        self.disturb()

    def tell_news(self, shown: Callable[[], tuple[object, ...]], is_sound: Callable[[], bool]) -> None:
        """Tell of news from now on: `shown` gives what decides what STATUS shows, `is_sound` whether it does show that.

        `look` is called whenever that may change, `disturb` whenever something goes wrong or is mended, here or on the wire.
        """
        self._shown, self._is_sound = shown, is_sound

    @property
    def is_sound(self) -> bool:
        """Tell whether who reads gets what the machine shows."""
        return self.wire.is_good and self._is_sound()

    def note_read(self, *, was_sound: bool) -> None:
        """Note what STATUS shows to whoever reads it now; what was spoilt counts as nothing that was read."""
        if self._shown is not None:
            self._read, self._tell = self._shown() if was_sound else None, None

    def listen(self, tell: Callable[[], None]) -> float | None:
        """Call `tell` once when there is news; gives what an answer takes, None if there are news or none are told."""
        if self._shown is None or not self.is_sound or self._shown() != self._read:
            return None
        self._tell = tell
        return self.wire.latency_s

    def look(self) -> None:
        """Tell who listens, if there is something new to read."""
        if self._tell is not None and self._shown is not None and self._shown() != self._read:
            self.disturb()

    def disturb(self) -> None:
        """Have who listens look for himself."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    def link(self) -> MemoryLink:
        """Make a link for a controller that carries blocks only."""
        return MemoryLink(self)


class MemoryTagMount(MemoryMount):
    """The same with the tags of a machine file."""

    def __init__(self, device: BlockDevice, file: MachineFile, clock: Clock, wire: Wire | None = None) -> None:
        super().__init__(device, wire, request_s=file.machine.request_timeout_ms / 1000)
        self.tagged, self.file, self.clock = tags_of(device, file), file, clock

    def tag_link(self, cord: Cord | None = None) -> BlockLink:
        """Make a link that carries blocks and tags, in the manner of the file's protocol."""
        make = MemoryRegisterLink if self.file.machine.protocol == "modbus" else MemoryNodeLink
        return make(self, cord)


class MemoryLink:
    """A BlockLink to one machine; a request takes no time."""

    def __init__(self, mount: MemoryMount, cord: Cord | None = None) -> None:
        self._mount = mount
        self._cord = cord or Cord()
        self._is_connected = False
        self._closings = 0

    async def connect(self) -> None:
        """Connect; raises LinkDown while the machine is off."""
        self._is_connected = False
        if not self._mount.is_open or self._cord.is_cut:
            raise LinkDown("the machine is off")
        self._is_connected, self._closings = True, self._mount.closings

    async def read(self, block: str) -> tuple[int, ...]:
        """Read a block; raises LinkDown, LinkSilent."""
        return tuple(await self._carried(lambda: self._read(block)))

    def listen(self, tell: Callable[[], None]) -> float | None:
        """Have `tell` called once when STATUS shows something new: see plc.polling."""
        is_well = self._is_connected and self._mount.is_open and not self._cord.is_cut
        return self._mount.listen(tell) if is_well else None

    def _read(self, block: str) -> Sequence[int]:
        was_sound = self._mount.is_sound
        words = self._mount.wire.shown(self._device().read(block))
        self._mount.note_read(was_sound=was_sound)
        return words

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write a block; raises LinkDown, LinkSilent."""
        await self._carried(lambda: self._mount.wire.put(lambda: self._device().write(block, words)))

    async def close(self) -> None:
        """Close."""
        self._is_connected = False

    async def _carried(self, act: Callable[[], T]) -> T:
        """Let a request take effect, over the wire as it is now."""
        wire = self._mount.wire
        self._reach()
        if wire.is_good:
            answer = act()
            await wire.carry_answer()
            return answer
        going = asyncio.ensure_future(_under_way(wire, act))
        self._mount.under_way.add(going)
        going.add_done_callback(self._mount.under_way.discard)
        try:
            return await LoopClock().within(self._mount.request_s, asyncio.shield(going))
        except Busy:
            raise LinkRefused("exception 6") from None
        except TimeoutError:
            going.add_done_callback(_heard)
            await self.close()
            raise LinkSilent(f"no answer within {self._mount.request_s:g} s") from None

    def _device(self) -> BlockDevice:
        self._arrive()
        return self._mount.device

    def _arrive(self) -> None:
        """Let a request arrive, whether or not its sender still listens or lives; raises LinkDown."""
        if not self._mount.is_open:
            raise LinkDown("the machine went away")

    def _reach(self) -> None:
        is_same = self._closings == self._mount.closings  # the connection of before it was closed is gone
        if not (self._is_connected and self._mount.is_open and is_same) or self._cord.is_cut:
            self._is_connected = False
            raise LinkDown("not connected")


class MemoryRegisterLink(MemoryLink):
    """The same as a RegisterLink."""

    def __init__(self, mount: MemoryTagMount, cord: Cord | None = None) -> None:
        super().__init__(mount, cord)
        self._bank = TagBank(mount.file, mount.tagged)

    async def read_registers(self, area: Area, start: int, count: int) -> Sequence[int]:
        """Read registers."""
        return await self._carried(lambda: self._registers(area, start, count))

    def _registers(self, area: Area, start: int, count: int) -> Sequence[int]:
        self._arrive()
        words = self._bank.read(area, start, count)
        if words is None:
            raise LinkRefused("exception 2")
        return self._mount.wire.shown(words)

    async def read_bits(self, area: Area, start: int, count: int) -> Sequence[bool]:
        """Read bits."""
        return [bool(bit) for bit in await self.read_registers(area, start, count)]

    async def write_registers(self, start: int, words: Sequence[int], _function: int) -> None:
        """Write registers."""
        await self._carried(lambda: self._mount.wire.put(lambda: self._put(Area.HOLDING, start, words)))

    async def mask_register(self, start: int, kept: int, bits: int) -> None:
        """Change some bits of a register."""
        (word,) = await self.read_registers(Area.HOLDING, start, 1)
        await self.write_registers(start, [masked(word, kept, bits)], 6)

    async def write_coils(self, start: int, bits: Sequence[bool]) -> None:
        """Write coils."""
        ones = [int(bit) for bit in bits]
        await self._carried(lambda: self._mount.wire.put(lambda: self._put(Area.COIL, start, ones)))

    def _put(self, area: Area, start: int, words: Sequence[int]) -> None:
        self._arrive()
        if not self._bank.write(area, start, words):
            raise LinkRefused("exception 2")


class MemoryNodeLink(MemoryLink):
    """The same as a NodeLink; subscribed nodes are looked at whenever the link is asked for its silence."""

    def __init__(self, mount: MemoryTagMount, cord: Cord | None = None) -> None:
        super().__init__(mount, cord)
        self._tags, self._file, self._clock = mount.tagged, mount.file, mount.clock
        self._names = {wired.node: name for name, wired in mount.file.wired.items()}
        self._sinks: dict[NodeId, NodeSink] = {}
        self._told: dict[NodeId, NodeValue] = {}

    async def connect(self) -> None:
        """Connect afresh, without a subscription."""
        self._sinks, self._told = {}, {}
        await super().connect()

    async def read_nodes(self, nodes: Sequence[NodeId]) -> Sequence[NodeValue]:
        """Read values."""
        self._reach()
        values, now = self._tags.tag_values(), self._clock.now()
        return [self._value(node, values, now) for node in nodes]

    async def write_nodes(self, values: Mapping[NodeId, tuple[Value, str]]) -> None:
        """Write values."""
        self._reach()
        for node, (value, _) in values.items():
            name = self._names.get(node)
            if name is None or not self._file.tags[name].is_written:
                raise LinkRefused(f"{node[1]}: BadNotWritable")
            self._tags.write_tag(name, decode_node(self._file.wired[name], value))

    async def subscribe(self, nodes: Sequence[NodeId], sink: NodeSink, *, publish_ms: int, sample_ms: int) -> None:
        """Have `sink` told of changes."""
        self._reach()
        assert publish_ms >= sample_ms  # noqa: S101 - as the reader promises
        self._sinks |= dict.fromkeys(nodes, sink)
        self._tell()

    def silent_s(self) -> float | None:
        """Tell what has changed, and give 0: nothing is silent here."""
        if self._is_connected and self._mount.is_open:
            self._tell()
        return 0.0 if self._told else None

    def _tell(self) -> None:
        values, now = self._tags.tag_values(), self._clock.now()
        for node, sink in self._sinks.items():
            value = self._value(node, values, now)
            told = self._told.get(node)
            if told is None or (told.value, told.status) != (value.value, value.status):
                self._told[node] = value
                sink(node, value)

    def _value(self, node: NodeId, values: Mapping[str, Value], at: datetime) -> NodeValue:
        name = self._names.get(node)
        if name is None:
            return NodeValue(value=None, status="BadNodeIdUnknown", at=at)
        return NodeValue(value=put_node(self._file.wired[name], values[name]), at=at)


async def _under_way(wire: Wire, act: Callable[[], T]) -> T:
    await wire.carry_request()
    answer = act()
    await wire.carry_answer()
    return answer


def _heard(late: asyncio.Future[Any]) -> None:
    """Take what came too late: nobody waits for it."""
    if not late.cancelled():
        late.exception()
