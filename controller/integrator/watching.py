"""Follows the tags of one machine over its own link, without owning or moving anything."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass

from controller.integrator.target import Target
from packline.core.backoff import Backoff
from packline.core.clock import Clock
from plc.drivers.opening import open_link
from plc.handshake import frames
from plc.links import BlockLink, LinkTrouble, Value
from plc.machine_view import read_inputs
from plc.packml import State, name_of
from plc.security import LinkBarred
from plc.tag_side import tag_set
from plc.tags.fitting import reader_for
from plc.tags.values import NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value at one look; `age_s` is None for what was never read."""

    value: Value | None
    quality: str
    reason: str = ""
    unit: str = ""
    age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All values at one moment. `trouble` says why the machine is not there."""

    at: str
    values: Mapping[str, Shown]
    trouble: str = ""


class Watcher:
    """Reads as the controller does, and reconnects as it does; barred from writing."""

    def __init__(self, target: Target, clock: Clock, rng: random.Random) -> None:
        target = target.looked_at()
        self._file, self._clock = target.file, clock
        self._link: BlockLink = open_link(target.file, target.address, target.reach)
        self._reader = reader_for(tag_set(target.file), self._link, clock) if target.file.tags else None
        self._backoff = Backoff(rng=rng)
        self._trouble = "not connected yet"
        self._connect_at = clock.monotonic()
        self._status: dict[str, Shown] = {}

    async def looks(self, every_s: float) -> AsyncGenerator[Look, None]:
        """Give a look every `every_s` seconds, for ever; raises LinkBarred where the site file must say more."""
        try:
            while True:
                ends_at = self._clock.monotonic() + every_s
                while (left := ends_at - self._clock.monotonic()) > 0:
                    await self._serve(left)
                yield self._look()
        finally:
            await self._link.close()

    async def _serve(self, left: float) -> None:
        try:
            if self._trouble:
                await self._connect(left)
            elif self._reader is not None and self._reader.due_at() <= self._clock.monotonic():
                await self._reader.step()
                await self._clock.sleep(0)
            else:
                await self._rest(left)
        except LinkBarred:
            raise
        except LinkTrouble as trouble:
            self._trouble = str(trouble)
            self._connect_at = self._clock.monotonic() + self._backoff.next_s()
            if self._reader is not None:
                self._reader.store.begin()

    async def _connect(self, left: float) -> None:
        wait = self._connect_at - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(min(wait, left))
            return
        await self._link.connect()
        if self._reader is not None:
            await self._reader.begin()
            await self._reader.read([n for n, w in self._file.wired.items() if w.tag.is_read])
        self._trouble = ""
        self._backoff.reset()

    async def _rest(self, left: float) -> None:
        due = self._reader.due_at() - self._clock.monotonic() if self._reader else left
        poll_s = self._file.machine.poll_ms / 1000
        if not self._file.is_plain:
            self._see(await self._link.read(frames.STATUS))
        await self._clock.sleep(max(0.0, min(left, due, poll_s)))

    def _see(self, words: tuple[int, ...]) -> None:
        with suppress(frames.StatusRefused):  # read again, as the controller does
            status = frames.decode_status(words)
            state = name_of(State(status.state)) if status.state in State.__members__.values() else str(status.state)
            values: dict[str, Value] = {"state": state, "boot": status.boot, "owner": f"{status.owner_id:08X}"}
            values |= {"busy": status.ack != status.done, **read_inputs(self._file, status)}
            self._status = {name: Shown(value=value, quality="good", age_s=0.0) for name, value in values.items()}

    def _look(self) -> Look:
        now = self._clock.monotonic()
        values = {} if self._trouble else dict(self._status)
        for name, tag in self._file.tags.items():
            if self._reader is None or not tag.is_read:
                continue
            seen, taken_at = self._reader.store.get(name, now), self._reader.store.taken_at(name)
            age = None if taken_at == NEVER else round(now - taken_at, 2)
            values[name] = Shown(
                value=seen.value, quality=str(seen.quality), reason=seen.reason, unit=tag.unit, age_s=age
            )
        return Look(at=self._clock.now().isoformat(timespec="milliseconds"), values=values, trouble=self._trouble)


async def watch(target: Target, clock: Clock, *, every_s: float, count: int | None) -> AsyncGenerator[Look, None]:
    """Give `count` looks, or looks for ever."""
    watcher = Watcher(target, clock, random.Random())  # noqa: S311 - jitter, no secret
    async with aclosing(watcher.looks(every_s)) as looks:
        number = 0
        async for look in looks:
            yield look
            number += 1
            if count is not None and number >= count:
                return
