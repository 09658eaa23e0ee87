"""A TCP proxy that does to a link what bad networks and gateways do: delay, drop, reset, split, corrupt and duplicate."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from packline.core.clock import Clock, LoopClock
from packline.core.faults import Fault
from simulation.mounts.wire import StreamServer, split_address

_READ_BYTES = 65_536
_BACKLOG_MOST = 1_000
"""How many copies may wait to be sent late; more are forgotten."""


class Kind(StrEnum):
    """What a rule does to a frame."""

    DELAY = "delay"
    DROP = "drop"
    RESET = "reset"
    SPLIT = "split"
    CORRUPT = "corrupt"
    DUPLICATE = "duplicate"


class Way(StrEnum):
    """Which direction a rule is for."""

    REQUEST = "request"
    ANSWER = "answer"
    BOTH = "both"


class Framing(StrEnum):
    """How the stream is cut into frames; raw takes each piece as it comes out of the socket."""

    RAW = "raw"
    MODBUS = "modbus"
    OPCUA = "opcua"


FORM = "KIND [request|answer|both] [p=0.1] [count=3] [after=2] [s=0.5] [late=3] [spare=7]"
"""How a rule is written."""
AS_IN = "Type it as in --rule 'drop answer p=0.05'."


def _always(_: bytes) -> bool:
    return True


@dataclass(slots=True, kw_only=True)
class Rule:
    """One thing that goes wrong, with `probability` a frame and at most `count` times, after `after` frames in peace.

    `seconds` is the length of a delay, the gap between the halves of a split, or that before a copy, which many servers overlook if
    it comes in one piece with another frame. `late` lets that many frames pass before the copy, over whatever connection is then
    open. `spare` bytes at a frame's begin are never corrupted. A rule is for the frames that satisfy `only`.
    """

    kind: Kind
    way: Way = Way.BOTH
    probability: float = 1.0
    count: int | None = None
    after: int = 0
    seconds: float = 0.02
    late: int = 0
    spare: int = 0
    only: Callable[[bytes], bool] = _always
    struck: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "KIND [request|answer|both] [p=0.1] [count=3] [after=2] [s=0.5] [late=3] [spare=7]"; raises Fault 4201."""
        kind, *words = text.split() or [""]
        if kind not in Kind.__members__.values():
            expected = f"a rule that begins with one of {', '.join(Kind)}"
            raise Fault(4201, where="chaos rule", seen=text, expected=expected, remedy=AS_IN)
        rule = cls(kind=Kind(kind), **dict(_setting(word, text) for word in words))
        if not rule.probability <= 1:
            raise Fault(4201, where="chaos rule", seen=text, expected="p from 0 to 1", remedy=AS_IN)
        return rule

    def strikes(self, frame: bytes, way: Way, rng: random.Random) -> bool:
        """Tell whether this frame is hit, and count it."""
        if self.way not in (Way.BOTH, way) or self.struck == self.count or not self.only(frame):
            return False
        if self.after:
            self.after -= 1
            return False
        is_hit = rng.random() < self.probability
        self.struck += is_hit
        return is_hit


_NUMBER = re.compile(r"(p|s|count|after|late|spare)=(\d+(?:\.\d+)?)")
_FIELDS = {"p": "probability", "s": "seconds"}


def _setting(word: str, text: str) -> tuple[str, Any]:
    if word in Way.__members__.values():
        return "way", Way(word)
    found = _NUMBER.fullmatch(word)
    if found is None:
        raise Fault(4201, where="chaos rule", seen=f"{word} in {text!r}", expected=FORM, remedy=AS_IN)
    name, number = found.groups()
    if name in _FIELDS:
        return _FIELDS[name], float(number)
    return name, int(float(number))


@dataclass(slots=True, eq=False)
class _Pair:
    """The two connections of one peer."""

    client: asyncio.StreamWriter
    target: asyncio.StreamWriter

    def writer(self, way: Way) -> asyncio.StreamWriter:
        return self.target if way is Way.REQUEST else self.client

    def close(self) -> None:
        for writer in (self.client, self.target):
            writer.close()

    def reset(self) -> None:
        """Drop both at once; what was under way is lost and the peers see a reset."""
        for writer in (self.client, self.target):
            handle = writer.get_extra_info("socket")
            if handle is not None and not writer.is_closing():
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


@dataclass(slots=True)
class _Late:
    frame: bytes
    frames_left: int
    gap_s: float


@dataclass(slots=True)
class _Flow:
    """What is known of one direction, over all connections."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    late: list[_Late] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open.set()


class Chaos:
    """Carries bytes between peers and `target`, and breaks what its `rules` say; all of it may change while it runs.

    With the same seed, the same rules and the same frames the same happens. A frame that is held back or delayed is delivered
    even if its sender has gone meanwhile, as networks do.
    """

    def __init__(
        self,
        target: str,
        *,
        listen: str = "127.0.0.1:0",
        framing: Framing = Framing.RAW,
        rules: Iterable[Rule] = (),
        seed: int = 0,
        clock: Clock | None = None,
        on_frame: Callable[[Way, bytes], None] = lambda way, frame: None,
    ) -> None:
        self.rules = list(rules)
        self.carried: Counter[Way] = Counter()
        self.struck: Counter[Kind] = Counter()
        self._target, self._framing, self._on_frame = target, framing, on_frame
        self._rng, self._clock = random.Random(seed), clock or LoopClock()
        self._flows = {way: _Flow() for way in (Way.REQUEST, Way.ANSWER)}
        self._pairs: set[_Pair] = set()
        self._streams = StreamServer(listen, self._serve)

    async def open(self) -> str:
        """Listen; gives the address, its port in full."""
        return await self._streams.open()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        self.release()
        await self._streams.close()

    @property
    def peers(self) -> int:
        """Give how many are connected."""
        return len(self._pairs)

    def cut(self) -> None:
        """Close every connection; new ones are welcome."""
        for pair in list(self._pairs):
            pair.close()

    def reset(self) -> None:
        """Reset every connection; new ones are welcome."""
        for pair in list(self._pairs):
            pair.reset()

    def hold(self, way: Way = Way.BOTH) -> None:
        """Keep every frame back until `release`."""
        for flow in self._of(way):
            flow.open.clear()

    def release(self, way: Way = Way.BOTH) -> None:
        """Let what was kept back go on, in order."""
        for flow in self._of(way):
            flow.open.set()

    def hasten(self, way: Way = Way.BOTH) -> None:
        """Send every late copy right behind the next frame."""
        for flow in self._of(way):
            for copy in flow.late:
                copy.frames_left = 1

    def waiting(self, way: Way = Way.BOTH) -> int:
        """Give how many late copies are still to come."""
        return sum(len(flow.late) for flow in self._of(way))

    def _of(self, way: Way) -> list[_Flow]:
        return list(self._flows.values()) if way is Way.BOTH else [self._flows[way]]

    # -- carrying ------------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = split_address(self._target)
        try:
            target_reader, target = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, target)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as pipes:
                pipes.create_task(self._pipe(reader, pair, Way.REQUEST))
                pipes.create_task(self._pipe(target_reader, pair, Way.ANSWER))
        finally:
            self._pairs.discard(pair)
            pair.close()

    async def _pipe(self, reader: asyncio.StreamReader, pair: _Pair, way: Way) -> None:
        with suppress(OSError):
            async for frame in _frames(reader, self._framing):
                await self._flows[way].open.wait()
                await self._carry(frame, pair, way)
        pair.writer(way).close()

    async def _carry(self, frame: bytes, pair: _Pair, way: Way) -> None:
        self.carried[way] += 1
        self._on_frame(way, frame)
        hits = [rule for rule in self.rules if rule.strikes(frame, way, self._rng)]
        gap_s: float | None = None
        for rule in hits:
            self.struck[rule.kind] += 1
            match rule.kind:
                case Kind.DROP:
                    return
                case Kind.RESET:
                    pair.reset()
                    return
                case Kind.DELAY:
                    await self._clock.sleep(rule.seconds)
                case Kind.CORRUPT:
                    frame = self._garble(frame, rule.spare)
                case Kind.DUPLICATE:
                    self._keep_copy(frame, rule, way)
                case Kind.SPLIT:
                    gap_s = rule.seconds
        await self._send(frame, pair.writer(way), gap_s)
        await self._send_late(pair.writer(way), way)

    async def _send(self, frame: bytes, writer: asyncio.StreamWriter, gap_s: float | None) -> None:
        at = self._rng.randrange(1, len(frame)) if gap_s is not None and len(frame) > 1 else len(frame)
        writer.write(frame[:at])
        await writer.drain()
        if gap_s is not None:
            await self._clock.sleep(gap_s)
            writer.write(frame[at:])
            await writer.drain()

    def _keep_copy(self, frame: bytes, rule: Rule, way: Way) -> None:
        waiting = self._flows[way].late
        if len(waiting) < _BACKLOG_MOST:
            waiting.append(_Late(frame, rule.late + 1, rule.seconds))

    async def _send_late(self, writer: asyncio.StreamWriter, way: Way) -> None:
        flow = self._flows[way]
        for copy in flow.late:
            copy.frames_left -= 1
        due = [copy for copy in flow.late if copy.frames_left <= 0]
        flow.late = [copy for copy in flow.late if copy.frames_left > 0]
        for copy in due:
            await self._clock.sleep(copy.gap_s)
            writer.write(copy.frame)
            await writer.drain()

    def _garble(self, frame: bytes, spare: int) -> bytes:
        """Flip one to three bits anywhere behind the spared bytes."""
        if len(frame) <= spare:
            return frame
        garbled = bytearray(frame)
        for _ in range(self._rng.randrange(1, 4)):
            garbled[self._rng.randrange(spare, len(frame))] ^= 1 << self._rng.randrange(8)
        return bytes(garbled)


async def _frames(reader: asyncio.StreamReader, framing: Framing) -> AsyncIterator[bytes]:
    """Cut a stream into frames; what is left when it ends is the last one."""
    kept = b""
    while data := await reader.read(_READ_BYTES):
        kept += data
        while 0 < (size := _frame_bytes(framing, kept)) <= len(kept):
            yield kept[:size]
            kept = kept[size:]
    if kept:
        yield kept


def _frame_bytes(framing: Framing, begin: bytes) -> int:
    """Give how long the frame is that begins so; 0 while too little of it is here."""
    if framing is Framing.MODBUS:  # MODBUS Messaging on TCP/IP 1.0b, 3.1.3: the length counts from the unit on
        return 6 + int.from_bytes(begin[4:6]) if len(begin) >= 6 else 0
    if framing is Framing.OPCUA:  # OPC 10000-6, 7.1.2.2: the size is that of the whole message
        return max(8, int.from_bytes(begin[4:8], "little")) if len(begin) >= 8 else 0
    return len(begin)
