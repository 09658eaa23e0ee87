"""Keeps one device's tags fresh over its link: what is due, one request at a time, driven by the task that owns the link."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar, cast

from packline.core.clock import Clock
from plc.links import Area, LinkDown, LinkRefused, LinkSilent, NodeId, NodeLink, NodeValue, RegisterLink, Value
from plc.tags.answers import Answers
from plc.tags.codec import encode, encode_node, mask, node_decoder
from plc.tags.model import Limits, Poll, Wired
from plc.tags.plan import Request, plan, split
from plc.tags.values import Bad, Outcome, TagStore

NOTHING_DUE = float("inf")
VERIFY_S = 5.0
"""How often a subscription is compared with plain reads: it can fall silent without telling."""
DOUBT_S = 3.0
"""A change that was read must have been told within this; servers may stretch publishing and sampling to a second each."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSet:
    """The tags of one machine as its file says them; `period_s` gives the time between two reads of each class."""

    wired: Mapping[str, Wired]
    limits: Limits
    period_s: Mapping[Poll, float]
    limit_s: Mapping[str, float]
    sample_ms: int = 20

    def read(self, poll: Poll) -> list[Wired]:
        """Give the tags of a class that are read."""
        return [w for w in self.wired.values() if w.tag.is_read and w.tag.poll is poll]


class TagReader(Protocol):
    """Reads and writes the tags of one device. Its methods raise LinkTrouble when the connection is lost, and nothing else.

    A request that the device refuses makes its tags bad and costs the connection nothing.
    """

    store: TagStore

    async def begin(self) -> None:
        """Start over on a fresh connection: everything is due."""
        ...

    def due_at(self) -> float:
        """Give when the next request is due, on the monotonic clock."""
        ...

    async def step(self) -> None:
        """Do the one request that is due longest; nothing if none is due."""
        ...

    def want(self, names: Iterable[str]) -> None:
        """Make tags due at once."""
        ...

    async def read(self, names: Iterable[str]) -> None:
        """Read tags now, in as few requests as there can be."""
        ...

    async def write(self, name: str, value: Value) -> None:
        """Write one tag in one request; raises LinkRefused too, and ValueError for a value that it cannot hold."""
        ...


@dataclass(slots=True, kw_only=True)
class _Due:
    """A request, when it is next to be made, and the sheet on which its tags are kept."""

    request: Request
    poll: Poll
    at: float
    answers: Answers
    names: frozenset[str]
    sheet: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What came for the tags of a request, and when it was asked for; None if it was refused as a whole."""

    outcomes: Sequence[Outcome] | None
    at: datetime
    asked_at: float


class RegisterReader:
    """TagReader over Modbus: polls merged requests. A merged one that is refused is split from then on, as holes answer."""

    def __init__(self, tags: TagSet, link: RegisterLink, clock: Clock) -> None:
        self.store = TagStore(limits_s=tags.limit_s)
        self._tags, self._link, self._clock = tags, link, clock
        self._due = [
            self._schedule(request, poll, 0.0)
            for poll in Poll
            for request in plan(tags.read(poll), tags.limits).requests
        ]

    async def begin(self) -> None:
        self.store.begin()
        self.want(self._tags.wired)

    def due_at(self) -> float:
        return min((due.at for due in self._due), default=NOTHING_DUE)

    async def step(self) -> None:
        due = min(self._due, key=lambda d: d.at, default=None)
        now = self._clock.monotonic()
        if due is None or due.at > now:
            return
        due.at = max(due.at + self._tags.period_s[due.poll], now)
        heard = await self._ask(due.request, due.answers)
        if heard.outcomes is None:
            self._divide(due)
        else:
            self.store.keep(due.sheet, heard.outcomes, at=heard.at, taken_at=heard.asked_at)

    def want(self, names: Iterable[str]) -> None:
        wanted, now = set(names), self._clock.monotonic()
        for due in self._due:
            if not wanted.isdisjoint(due.names):
                due.at = min(due.at, now)

    async def read(self, names: Iterable[str]) -> None:
        queue = list(plan((self._tags.wired[name] for name in names), self._tags.limits).requests)
        while queue:
            request = queue.pop(0)
            heard = await self._ask(request, Answers(request))
            if heard.outcomes is None:
                queue = [*split(request), *queue]
            else:
                for tag, outcome in zip(request.tags, heard.outcomes, strict=True):
                    self.store.keep_one(tag.name, outcome, at=heard.at, taken_at=heard.asked_at)

    async def write(self, name: str, value: Value) -> None:
        wired = self._tags.wired[name]
        if wired.area is Area.COIL:
            await self._link.write_coils(wired.start, [bool(bit) for bit in encode(wired, value)])
            return
        masks = mask(wired, value) if self._tags.limits.mask_write else None
        if masks is not None:
            await self._link.mask_register(*masks)
            return
        # read and written back: the machine must not change the other bits of such a register by itself
        is_part = wired.tag.is_part
        present = await self._link.read_registers(wired.area, wired.start, wired.count) if is_part else ()
        words = encode(wired, value, present)
        function = self._tags.limits.write_function
        if function == "auto":
            function = 6 if len(words) == 1 else 16
        await self._link.write_registers(wired.start, words, function)

    async def _ask(self, request: Request, answers: Answers) -> _Heard:
        """Make a request; one for a single tag that is refused says so of the tag."""
        asked_at, at = self._clock.monotonic(), self._clock.now()
        ask = self._link.read_bits if request.is_bits else self._link.read_registers
        outcomes: Sequence[Outcome] | None = None
        try:
            answer: Sequence[int] = await ask(request.area, request.start, request.count)
            if len(answer) < request.count:
                raise LinkRefused(f"{len(answer)} of {request.count} came")
            outcomes = answers.outcomes(answer)
        except LinkRefused as refusal:
            if len(request.tags) == 1:
                outcomes = (Bad(f"refused: {refusal}"),)
        return _Heard(outcomes=outcomes, at=at, asked_at=asked_at)

    def _schedule(self, request: Request, poll: Poll, at: float) -> _Due:
        names = [tag.name for tag in request.tags]
        return _Due(
            request=request,
            poll=poll,
            at=at,
            answers=Answers(request),
            names=frozenset(names),
            sheet=self.store.sheet(names),
        )

    def _divide(self, due: _Due) -> None:
        parts = split(due.request)
        log.warning("%s %s: read in %d parts from now on", due.request.area, due.request.start, len(parts))
        now = self._clock.monotonic()
        self._due.remove(due)
        self._due += [self._schedule(part, due.poll, now) for part in parts]


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Some nodes that are read in one call."""

    names: tuple[str, ...]
    poll: Poll
    at: float


@dataclass(slots=True, kw_only=True)
class _Told:
    """How often the subscription told of a tag, and what last."""

    times: int = 0
    value: NodeValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doubt:
    """A read that differed from what was told, which had been told `times` times by then."""

    times: int
    at: float


class NodeReader:
    """TagReader over OPC UA: fast tags by subscription, the others by batched reads.

    A subscription is believed as long as its publishes come (OPC 10000-4, 5.14.1: a keep-alive says that nothing changed), and
    is compared with plain reads every 5 s; one that misses a change ends the connection, so that it is made anew.
    """

    def __init__(self, tags: TagSet, link: NodeLink, clock: Clock) -> None:
        self._fast = tuple(w.name for w in tags.read(Poll.FAST))
        self.store = TagStore(limits_s=tags.limit_s, told=frozenset(self._fast))
        self._tags, self._link, self._clock = tags, link, clock
        self._nodes: dict[NodeId, list[str]] = {}
        for name, wired in tags.wired.items():
            self._nodes.setdefault(wired.node, []).append(name)
        self._decoders = {name: node_decoder(wired) for name, wired in tags.wired.items()}
        self._batches = [
            _Batch(names=names, poll=poll, at=0.0)
            for poll in Poll
            for names in _chunks([w.name for w in tags.read(poll)], tags.limits.max_nodes)
        ]
        self._told: dict[str, _Told] = {}
        self._doubts: dict[str, _Doubt] = {}

    async def begin(self) -> None:
        self.store.begin()
        self._told = {name: _Told() for name in self._fast}
        self._doubts = {}
        self.want(self._tags.wired)
        if self._fast:
            publish_ms = round(self._tags.period_s[Poll.FAST] * 1000)
            nodes = list(dict.fromkeys(self._tags.wired[name].node for name in self._fast))
            sample_ms = min(self._tags.sample_ms, publish_ms)
            for chunk in _chunks(nodes, self._tags.limits.max_nodes):
                await self._link.subscribe(chunk, self._hear, publish_ms=publish_ms, sample_ms=sample_ms)

    def due_at(self) -> float:
        return min((batch.at for batch in self._batches), default=NOTHING_DUE)

    async def step(self) -> None:
        self._believe()
        batch = min(self._batches, key=lambda b: b.at, default=None)
        now = self._clock.monotonic()
        if batch is None or batch.at > now:
            return
        period_s = VERIFY_S if batch.poll is Poll.FAST else self._tags.period_s[batch.poll]
        batch.at = max(batch.at + period_s, now)
        read = await self._read(batch.names)
        if batch.poll is Poll.FAST and self._is_in_doubt(read):
            batch.at = now + DOUBT_S

    def want(self, names: Iterable[str]) -> None:
        wanted, now = set(names), self._clock.monotonic()
        for batch in self._batches:
            if not wanted.isdisjoint(batch.names):
                batch.at = min(batch.at, now)

    async def read(self, names: Iterable[str]) -> None:
        for chunk in _chunks(list(names), self._tags.limits.max_nodes):
            await self._read(chunk)

    async def write(self, name: str, value: Value) -> None:
        wired = self._tags.wired[name]
        await self._link.write_nodes({wired.node: encode_node(wired, value)})

    def _hear(self, node: NodeId, told: NodeValue) -> None:
        for name in self._nodes.get(node, ()):
            if name in self._told:
                self._told[name] = _Told(times=self._told[name].times + 1, value=told)
                self._keep(name, told, self._clock.monotonic())

    def _believe(self) -> None:
        """Take the subscription's last publish as word that its tags are as they were last told."""
        if not self._fast:
            return
        silent_s = self._link.silent_s()
        if silent_s is None:
            return
        self.store.confirm(taken_at=self._clock.monotonic() - silent_s)
        if silent_s > min(self._tags.limit_s[name] for name in self._fast):
            raise LinkSilent(f"no publish for {silent_s:.1f} s")

    async def _read(self, names: Sequence[str]) -> dict[str, NodeValue]:
        asked_at = self._clock.monotonic()
        answers = await self._link.read_nodes([self._tags.wired[name].node for name in names])
        for name, answer in zip(names, answers, strict=True):
            self._keep(name, answer, asked_at)
        return dict(zip(names, answers, strict=True))

    def _keep(self, name: str, heard: NodeValue, taken_at: float) -> None:
        self.store.keep_one(name, self._outcome(name, heard), at=heard.at, taken_at=taken_at)

    def _outcome(self, name: str, heard: NodeValue) -> Outcome:
        if not heard.is_good:
            return Bad(heard.status)
        try:
            return self._decoders[name](heard.value)
        except ValueError as error:
            return Bad(str(error))

    def _is_in_doubt(self, read: Mapping[str, NodeValue]) -> bool:
        """Compare what was read with what was told; raises LinkDown for a change that stays untold."""
        now = self._clock.monotonic()
        for name, seen in read.items():
            told = self._told[name]
            if told.value is not None and _same(told.value, seen):
                self._doubts.pop(name, None)
                continue
            since = self._doubts.get(name)
            if since is None or since.times != told.times:
                self._doubts[name] = _Doubt(times=told.times, at=now)
            elif now - since.at >= DOUBT_S:
                raise LinkDown(f"the subscription does not tell of {name}")
        return bool(self._doubts)


def _same(one: NodeValue, other: NodeValue) -> bool:
    is_equal = one.value == other.value or (one.value != one.value and other.value != other.value)  # noqa: PLR0124 - NaN
    return is_equal and one.status == other.status


T = TypeVar("T")


def _chunks(things: Sequence[T], most: int) -> list[tuple[T, ...]]:
    return [tuple(things[at : at + most]) for at in range(0, len(things), most)]


def reader_for(tags: TagSet, link: object, clock: Clock) -> TagReader | None:
    """Make the reader that fits the link; None if the link carries no tags."""
    # asked by name: a link that wraps another one may pass its methods on without having them itself
    if hasattr(link, "read_registers"):
        return RegisterReader(tags, cast("RegisterLink", link), clock)
    if hasattr(link, "read_nodes"):
        return NodeReader(tags, cast("NodeLink", link), clock)
    return None
