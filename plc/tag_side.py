"""The tags of one machine, as its task serves them: admitted by what is expected, kept fresh, written under leases."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from packline.core.clock import Clock
from packline.core.faults import Fault
from plc.links import LinkDown, LinkRefused, LinkSilent, LinkTrouble, Value
from plc.machine_file import MachineFile
from plc.tags.codec import check_writable
from plc.tags.fitting import reader_for
from plc.tags.model import Poll
from plc.tags.reader import NOTHING_DUE, TagReader, TagSet
from plc.tags.values import ABSENT, NEVER, Quality, TagValue, worst

WRITE_S = 5.0
"""How long a write may wait for its turn on the link."""
SAFE_RETRY_S = 0.5
LEAVE_S = 1.0
MOST_ORDERS = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A write that waits for its turn."""

    tag: str
    value: Value
    done: asyncio.Future[None]


def tag_set(file: MachineFile) -> TagSet:
    """Give the tags of a machine file with their periods and stale limits."""
    head = file.machine
    return TagSet(
        wired=file.wired,
        limits=file.limits,
        period_s={Poll.FAST: head.poll_ms / 1000, Poll.SLOW: head.slow_poll_ms / 1000, Poll.ONCE: NOTHING_DUE},
        limit_s={name: file.stale_after_s(name) for name in file.tags},
        sample_ms=head.fast_poll_ms,
    )


class TagSide:
    """Everything about tags that a machine's one task does; a machine without tags has nothing to do here.

    Outputs are leases: a tag with a safe value gets it when its lease ends, when the line's logic is silent, after each connect,
    and when the controller leaves in order. Raises Fault 4201 for a link that carries no tags.
    """

    def __init__(self, *, name: str, file: MachineFile, link: object, clock: Clock) -> None:
        self._name, self._file, self._clock = name, file, clock
        self._reader: TagReader | None = reader_for(tag_set(file), link, clock) if file.tags else None
        if file.tags and self._reader is None:
            raise Fault(4201, where=name, seen=type(link).__name__, expected="a link that carries tags")
        self._played = frozenset(file.parts.values())
        self._safe = {tag: part.safe for tag, part in file.tags.items() if part.safe is not None}
        self._leases: dict[str, float] = {}
        self._unsafe: dict[str, float] = {}
        self._orders: deque[_Order] = deque()
        self._is_open = False

    # -- the picture ---------------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Give a number that changes with every value."""
        return self._reader.store.version if self._reader else 0

    @property
    def moment(self) -> int:
        """Give a number that moves on with everything that is heard, be it new or not."""
        return self._reader.store.moment if self._reader else 0

    def values(self) -> Mapping[str, TagValue]:
        """Give all tags as they may be believed now, and the parts that tags play under their own names."""
        if self._reader is None:
            return {}
        now = self._clock.monotonic()
        return self._reader.store.snapshot(now, self._file.parts)

    def value(self, tag: str) -> TagValue:
        """Give one tag as it may be believed now."""
        return self._reader.store.get(tag, self._clock.monotonic()) if self._reader else ABSENT

    def taken_at(self, tag: str) -> float:
        """Give when a tag was last heard of over this connection, on the monotonic clock."""
        return self._reader.store.taken_at(tag) if self._reader else NEVER

    def parts_at(self) -> float:
        """Give when the oldest of the tags that the stations stand on was last heard of; infinity if there is none."""
        return min((self.taken_at(tag) for tag in self._file.parts.values()), default=float("inf"))

    def inputs(self) -> dict[str, int]:
        """Give the parts that are whole numbers and have a value."""
        found: dict[str, int] = {}
        if not self._played:
            return found
        for part, tag in self._file.parts.items():
            value = self.value(tag).value
            if isinstance(value, int):  # a bool is one too
                found[part] = int(value)
        return found

    def quality(self) -> Quality:
        """Give the worst quality of the tags that the stations stand on."""
        if not self._played:
            return Quality.GOOD
        return worst(self.value(tag).quality for tag in self._played)

    def boot(self) -> int:
        """Give the number of starts of a machine whose file names a tag for it; 0 if none, or not known now."""
        tag = self._file.capability.get("boot")
        value = self.value(tag) if tag else ABSENT
        return value.value if value.is_good and isinstance(value.value, int) else 0

    # -- the one task --------------------------------------------------------------------------------------------------

    async def admit(self) -> None:
        """Begin on a fresh connection; raises Fault 1010 when the machine is not what its file says."""
        if self._reader is None:
            return
        await self._reader.begin()
        await self._read_first()
        self._check_expected()
        self._leases.clear()
        self._unsafe = dict.fromkeys(self._safe, NEVER)
        self._is_open = True

    async def see_boot(self, boot: int) -> None:
        """Note the machine's start number; after a new one nothing that was read before is believed."""
        if self._reader is None or not self._reader.store.see_boot(boot):
            return
        self._reader.want(self._file.tags)
        await self._read_first()

    def due_at(self) -> float:
        """Give when the next request is due."""
        return self._reader.due_at() if self._reader else NOTHING_DUE

    async def step(self) -> None:
        """Make the one read that is due longest."""
        if self._reader is not None:
            await self._reader.step()

    async def write_due(self, *, is_ticking: bool) -> bool:
        """Write what was ordered, then safe values whose lease has ended; True if anything was written."""
        if not self._is_open or self._reader is None:
            return False
        self._end_leases(is_ticking=is_ticking)
        wrote = bool(self._orders)
        while self._orders:
            await self._obey(self._orders.popleft())
        now = self._clock.monotonic()
        for tag in [tag for tag, at in self._unsafe.items() if at <= now]:
            wrote = True
            await self._make_safe(tag)
        return wrote

    def write_due_at(self) -> float:
        """Give when something is due to be written that was not ordered: the end of a lease, a safe value."""
        return min((*self._leases.values(), *self._unsafe.values()), default=NOTHING_DUE)

    def lose(self) -> None:
        """Note that the connection is gone."""
        self._is_open = False
        if self._reader is not None:
            self._reader.store.begin()
        while self._orders:
            _fail(self._orders.popleft(), LinkDown("the connection was lost before it was written"))

    async def leave(self) -> None:
        """Write the safe values of what is still held, or owes its own since they were refused, within 1 s; never raises LinkTrouble."""
        if not self._is_open or not (self._leases or self._unsafe):
            return
        self._leases = dict.fromkeys(self._leases, NEVER)
        self._unsafe = dict.fromkeys(self._unsafe, NEVER)
        try:
            await self._clock.within(LEAVE_S, self.write_due(is_ticking=False))
        except (LinkTrouble, TimeoutError) as trouble:
            log.warning("%s: left without writing its safe values: %s", self._name, trouble)

    # -- for others ----------------------------------------------------------------------------------------------------

    def want(self, tags: Iterable[str]) -> None:
        """Make tags due at once."""
        if self._reader is not None:
            self._reader.want(tags)

    def order(self, tag: str, value: Value, lease_s: float | None) -> asyncio.Future[None]:
        """Put a write in line; raises Fault 4201 for what the tag cannot take. A held output may be prolonged by ordering it again."""
        self._check_order(tag, value, lease_s)
        if not self._is_open or len(self._orders) >= MOST_ORDERS:
            raise Fault(1002, where=self._name, seen="not connected" if not self._is_open else "too many writes wait")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._orders.append(_Order(tag=tag, value=value, done=done))
        if lease_s is not None:
            self._leases[tag] = self._clock.monotonic() + lease_s
            self._unsafe.pop(tag, None)
        return done

    async def write(self, tag: str, value: Value, lease_s: float | None, wake: Callable[[], None]) -> None:
        """Order a write, `wake` the task that makes it, and wait for it at most 5 s; raises as `order` does, and LinkTrouble."""
        done = self.order(tag, value, lease_s)
        wake()
        try:
            await self._clock.within(WRITE_S, done)
        except TimeoutError as error:
            raise LinkSilent(f"{tag} was not written within {WRITE_S:g} s") from error

    # -- inside --------------------------------------------------------------------------------------------------------

    async def _read_first(self) -> None:
        """Read what nothing may be decided without."""
        assert self._reader is not None  # noqa: S101 - asked by the callers
        first = {*self._file.parts.values(), *(expected.tag for expected in self._file.expect.values())}
        await self._reader.read(sorted(first))

    def _check_expected(self) -> None:
        for name, expected in self._file.expect.items():
            seen = self.value(expected.tag)
            if not seen.is_good or seen.value is None:
                words = f"{expected.tag} {seen.quality}: {seen.reason}"
                raise Fault(1010, where=f"{self._name} expect.{name}", seen=words, expected=expected.wanted())
            if not expected.holds(seen.value):
                words = f"{expected.tag} = {seen.value}"
                raise Fault(1010, where=f"{self._name} expect.{name}", seen=words, expected=expected.wanted())

    def _check_order(self, name: str, value: Value, lease_s: float | None) -> None:
        tag = self._file.tags.get(name)
        where = f"{self._name} {name}"
        if tag is None or not tag.is_written:
            raise Fault(4201, where=where, seen="a write", expected="a tag with access w or rw")
        if (tag.safe is None) != (lease_s is None):
            raise Fault(
                4201,
                where=where,
                seen="a lease" if lease_s else "no lease",
                expected="a lease for a tag with a safe value",
            )
        try:
            check_writable(tag, value)
        except ValueError as error:
            raise Fault(4201, where=where, seen=str(value), expected=str(error)) from error

    def _end_leases(self, *, is_ticking: bool) -> None:
        now = self._clock.monotonic()
        for tag in [tag for tag, until in self._leases.items() if now >= until or not is_ticking]:
            del self._leases[tag]
            self._unsafe[tag] = now

    async def _obey(self, order: _Order) -> None:
        assert self._reader is not None  # noqa: S101 - asked by the caller
        if order.done.cancelled():
            return
        if order.tag in self._unsafe:  # or it would be on for a moment, and an edge is enough for many a machine
            _fail(order, LinkSilent(f"the lease of {order.tag} was over before it could be written"))
            return
        try:
            await self._reader.write(order.tag, order.value)
        except (LinkRefused, ValueError) as refusal:
            trouble = refusal if isinstance(refusal, LinkRefused) else LinkRefused(str(refusal))
            _fail(order, trouble)
        except LinkTrouble as trouble:
            _fail(order, trouble)
            raise
        except asyncio.CancelledError:
            order.done.cancel()
            raise
        else:
            if not order.done.done():
                order.done.set_result(None)

    async def _make_safe(self, tag: str) -> None:
        assert self._reader is not None  # noqa: S101 - asked by the caller
        try:
            await self._reader.write(tag, self._safe[tag])
        except LinkRefused as refusal:
            log.warning("%s: the safe value of %s was refused: %s", self._name, tag, refusal)
            self._unsafe[tag] = self._clock.monotonic() + SAFE_RETRY_S
        else:
            self._unsafe.pop(tag, None)


def _fail(order: _Order, trouble: LinkTrouble) -> None:
    if not order.done.done():
        order.done.set_exception(trouble)
        order.done.exception()  # whoever waited may be gone
