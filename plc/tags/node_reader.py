"""Reads and writes tags over OPC UA: fast ones by a subscription that is believed with care, the others in batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

from packline.core.clock import Clock
from plc.links import LinkDown, LinkSilent, NodeId, NodeLink, NodeValue, Value
from plc.tags.codec import encode_node, node_decoder
from plc.tags.model import Poll
from plc.tags.reader import NOTHING_DUE, TagSet
from plc.tags.values import Bad, Outcome, TagStore

T = TypeVar("T")

VERIFY_S = 5.0
"""How often a subscription is compared with plain reads: it can fall silent without telling."""
BELIEVE_SHARE = 0.25
"""How often a subscription is asked whether it still lives: this share of the time after which its tags are stale."""
DOUBT_S = 3.0
"""A change that was read must have been told within this; servers may stretch publishing and sampling to a second each."""


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Some nodes that are read in one call every `period_s`, as the proof of what a subscription tells or as all that is known."""

    names: tuple[str, ...]
    period_s: float
    at: float = 0.0
    is_proof: bool = False


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
    """TagReader over OPC UA: fast tags by subscription, the others by batched reads, and so are fast ones that cannot be watched.

    A subscription is believed as long as its publishes come (OPC 10000-4, 5.14.1: a keep-alive says that nothing changed), and
    is compared with plain reads every 5 s; one that misses a change ends the connection, so that it is made anew.
    """

    def __init__(self, tags: TagSet, link: NodeLink, clock: Clock) -> None:
        self._fast = tuple(wired.name for wired in tags.read(Poll.FAST))
        self.store = TagStore(limits_s=tags.limit_s)
        self._tags, self._link, self._clock = tags, link, clock
        self._nodes: dict[NodeId, list[str]] = {}
        for name, wired in tags.wired.items():
            self._nodes.setdefault(wired.node, []).append(name)
        self._decoders = {name: node_decoder(wired) for name, wired in tags.wired.items()}
        self._least_limit_s = min((tags.limit_s[name] for name in self._fast), default=NOTHING_DUE)
        self._told: dict[str, _Told] = {}
        self._doubts: dict[str, _Doubt] = {}
        self._batches: list[_Batch] = []
        self._believe_at = NOTHING_DUE
        self._plan()

    async def begin(self) -> None:
        self.store.begin()
        self._told = {name: _Told() for name in self._fast}
        self._doubts = {}
        publish_ms = round(self._tags.period_s[Poll.FAST] * 1000)
        nodes = list(dict.fromkeys(self._tags.wired[name].node for name in self._fast))
        sample_ms = min(self._tags.sample_ms, publish_ms)
        for chunk in _chunks(nodes, self._tags.limits.max_nodes):
            await self._link.subscribe(chunk, self._hear, publish_ms=publish_ms, sample_ms=sample_ms)
        self._plan()
        self.want(self._tags.wired)

    def due_at(self) -> float:
        return min((self._believe_at, *(batch.at for batch in self._batches)))

    async def step(self) -> None:
        self._believe()
        batch = min(self._batches, key=lambda b: b.at, default=None)
        now = self._clock.monotonic()
        if batch is None or batch.at > now:
            return
        batch.at = max(batch.at + batch.period_s, now)
        read = await self._read(batch.names)
        if batch.is_proof and self._is_in_doubt(read):
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

    def _plan(self) -> None:
        """Settle what is read and how often, by what the subscription tells of."""
        self.store.tell_of(self._told)
        self._believe_at = self._clock.monotonic() if self._told else NOTHING_DUE
        classes = [
            (tuple(self._told), VERIFY_S, True),
            (tuple(name for name in self._fast if name not in self._told), self._tags.period_s[Poll.FAST], False),
            *((self._of(poll), self._tags.period_s[poll], False) for poll in Poll if poll is not Poll.FAST),
        ]
        self._batches = [
            _Batch(names=names, period_s=period_s, is_proof=is_proof)
            for some, period_s, is_proof in classes
            for names in _chunks(some, self._tags.limits.max_nodes)
        ]

    def _of(self, poll: Poll) -> tuple[str, ...]:
        return tuple(wired.name for wired in self._tags.read(poll))

    def _hear(self, node: NodeId, told: NodeValue) -> None:
        for name in self._nodes.get(node, ()):
            if not told.is_watched:
                self._told.pop(name, None)
            elif name in self._told:
                self._told[name] = _Told(times=self._told[name].times + 1, value=told)
                self._keep(name, told, self._clock.monotonic())

    def _believe(self) -> None:
        """Take the subscription's last publish as word that its tags are as they were last told."""
        if not self._told:
            return
        self._believe_at = self._clock.monotonic() + self._least_limit_s * BELIEVE_SHARE
        silent_s = self._link.silent_s()
        if silent_s is None:
            return
        self.store.confirm(taken_at=self._clock.monotonic() - silent_s)
        if silent_s > self._least_limit_s:
            raise LinkSilent(f"no publish for {silent_s:.1f} s" if isfinite(silent_s) else "the subscription is over")

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


def _chunks(things: Sequence[T], most: int) -> list[tuple[T, ...]]:
    return [tuple(things[at : at + most]) for at in range(0, len(things), most)]
