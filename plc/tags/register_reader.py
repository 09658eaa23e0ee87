"""Reads and writes tags over Modbus: merged requests, polled."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from packline.core.clock import Clock
from plc.links import Area, LinkRefused, RegisterLink, Value
from plc.tags.answers import Answers
from plc.tags.codec import encode, mask
from plc.tags.model import Poll
from plc.tags.plan import Request, plan, split
from plc.tags.reader import NOTHING_DUE, TagSet
from plc.tags.values import Bad, Outcome, TagStore

log = logging.getLogger(__name__)


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
        if heard is None:
            return
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
            if heard is None:
                continue
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

    async def _ask(self, request: Request, answers: Answers) -> _Heard | None:
        """Make a request; one for a single tag that is refused says so of the tag. None if the device has no answer just now."""
        asked_at, at = self._clock.monotonic(), self._clock.now()
        ask = self._link.read_bits if request.is_bits else self._link.read_registers
        outcomes: Sequence[Outcome] | None = None
        try:
            answer: Sequence[int] = await ask(request.area, request.start, request.count)
            if len(answer) < request.count:
                raise LinkRefused(f"{len(answer)} of {request.count} came")
            outcomes = answers.outcomes(answer)
        except LinkRefused as refusal:
            if refusal.is_passing:  # what is known grows old, and is asked for again
                return None
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
