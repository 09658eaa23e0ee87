"""After a stop: compares the books with the machines before anything moves, and says what it found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from packline.core.clock import Clock
from packline.core.effects import PRINT, Device, EffectState, Ledger, OpenEffect
from packline.core.faults import Fault
from packline.orders.policy import rule_for
from packline.orders.ports import Desk

JUMPS: Mapping[str, int] = {
    "sscc": 10_000,
    "print": 100_000,
    "job": 100_000,
    "discard": 100_000,
    "lamp": 100_000,
    "turn": 100_000,
}
"""How far serial numbers leap over those that a lost part of the books may have given out."""
JOURNAL_LEAP = 1_000_000
"""Receivers drop what carries an older sequence than they have."""
FIRST_LOOK_S = 3.0
"""Nobody acts before every machine was seen once, or for this long: a machine that is off tells its tale later."""
LOOK_S = 0.05
ASK_HOSTS_AGAIN_S = 10.0


RESTORED = "restored"
"""The mark in the books that they are older than the world: "yes" until everything was re-based, then HOSTS, then "no"."""
HOSTS = "hosts"
"""What the mark says while a host was not asked yet: no stop of ours answers for it."""

log = logging.getLogger("packline.recovery")


class Serials(Protocol):
    """Where durable numbers and marks are kept."""

    async def get(self, name: str, default: Any = None) -> Any:
        """Give what is kept under `name`."""
        ...

    async def put(self, name: str, value: Any) -> None:
        """Keep `value` under `name`, durably."""
        ...

    async def jump_serials(self, steps: Mapping[str, int]) -> object:
        """Raise each named serial by that much, durably."""
        ...

    async def leap_journal(self, by: int, at: datetime) -> None:
        """Skip that many numbers of the journal, durably."""
        ...

    async def serials(self) -> Mapping[str, int]:
        """Give the last number given of every serial."""
        ...


@dataclass(slots=True, kw_only=True)
class Findings:
    """What the dashboard shows of a recovery."""

    unclean: bool
    books_older: bool = False
    effects: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any] | None:
        """Give JSON; None when the last stop was clean and nothing was found."""
        if not (self.unclean or self.books_older or self.effects):
            return None
        return {"effects": self.effects, "books_older": self.books_older, "notes": self.notes, "unclean": self.unclean}


class Recovery:
    """One reconciliation per station and run; a machine that is off is reconciled when it comes back."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        desk: Desk,
        serials: Serials,
        unclean: bool,
        books_older: Callable[[], bool],
        set_aside: Callable[[], Awaitable[None]],
        reconcile_hosts: Callable[[], Awaitable[bool]],
        clock: Clock,
        void_label: Callable[[OpenEffect], Awaitable[None]],
        newest_job: Callable[[], int] = lambda: 0,
        all_seen: Callable[[], bool] = lambda: True,
        restored: str = "no",
    ) -> None:
        """Take what it needs.

        `restored` is what the mark RESTORED says: a backup was put back, whatever the machines say. `set_aside` keeps every order in work
        from being worked before a person has looked; `void_label` takes back the label of an open print; `newest_job` is the greatest job number that any machine echoes; `all_seen` tells whether each has answered;
        `reconcile_hosts` whether every host could be asked.
        """
        self.findings = Findings(unclean=unclean)
        self._ledger = ledger
        self._desk = desk
        self._serials = serials
        self._books_older = books_older
        self._restored = restored == "yes"
        self._set_aside = set_aside
        self._reconcile_hosts = reconcile_hosts
        self._clock = clock
        self._void_label = void_label
        self._started_at = clock.monotonic()
        self._newest_job = newest_job
        self._all_seen = all_seen
        self._known_job = 0
        self._is_rebased = False
        self._has_jumped = False
        self._hosts_wait = asyncio.Event()
        if restored == HOSTS:
            self._hosts_wait.set()
        self._settled: set[str] = set()
        self._found: dict[str, dict[str, Any]] = {}
        self._lock = asyncio.Lock()

    async def ready(self, station: str, devices: Mapping[str, Device]) -> None:
        """Come back when `station` may act: the books' age is known and its open effects were asked after.

        Raises a link Fault while a machine that must be asked is away. Quick once it is done.
        """
        if self._restored:
            await self._rebase()
        await self._first_look()
        if not self._is_rebased and (self._books_older() or await self._knows_newer_job()):
            await self._rebase()
        if station in self._settled:
            return
        for row in await self._ledger.open_effects(station):
            await self._ask(row, devices)
        self._settled.add(station)

    @property
    def may_release(self) -> bool:
        """Tell whether new orders may go to the floor: after a restore only when every host was asked what it has of them."""
        is_old = self._restored or self.findings.books_older
        return not self._hosts_wait.is_set() and (self._is_rebased or not is_old)

    async def run(self) -> None:
        """Ask hosts that were away after a restore until they answer, for ever; stations do not wait for that."""
        while True:
            await self._hosts_wait.wait()
            await self._clock.sleep(ASK_HOSTS_AGAIN_S)
            try:
                if await self._reconcile_hosts():
                    await self._serials.put(RESTORED, "no")
                    self._hosts_wait.clear()
            except Fault as fault:  # the books are away: no reason to end the line
                log.warning("hosts wait: %s", fault)

    async def _first_look(self) -> None:
        while self._clock.monotonic() - self._started_at < FIRST_LOOK_S and not self._all_seen():
            await self._clock.sleep(LOOK_S)

    async def _knows_newer_job(self) -> bool:
        """A backup of the same run has the machines' epoch; a job number that was never given tells it apart."""
        job = self._newest_job()
        if job <= self._known_job:
            return False
        self._known_job = (await self._serials.serials()).get("job", 0)
        return job > self._known_job

    async def _ask(self, row: OpenEffect, devices: Mapping[str, Device]) -> None:
        device = devices.get(row.effect.kind.name)
        if device is None:
            return  # a person's job: its screen shows it again
        if row.state is EffectState.UNKNOWN and not row.effect.kind.once:
            return  # the ledger would send it again, and nothing moves before reconciliation ends; its station repeats it
        if self.findings.books_older and row.effect.kind.name == PRINT.name:
            # a printer's counters say nothing of a job that only the lost books could tell from the next one
            await self._void_label(row)
            return
        outcome = await self._ledger.ask(row.effect, device)
        finding = {
            "station": row.effect.station,
            "kind": row.effect.kind.name,
            "subject": row.effect.subject,
            "was": row.state.value,
            "is": outcome.state.value,
            "witness": outcome.evidence.source,
        }
        self._note(row.effect_id, finding)
        link = outcome.evidence.fault
        if link is not None and link < 2000 and not outcome.ok:
            raise Fault(
                link, where=row.effect.station, seen=f"{row.effect.kind.name} of {row.effect.subject} still in doubt"
            )

    def _note(self, effect_id: str, finding: dict[str, Any]) -> None:
        """Keep one line for an effect: while its machine is away it is asked after again and again."""
        before = self._found.get(effect_id)
        if before is None:
            self._found[effect_id] = finding
            self.findings.effects.append(finding)
        else:
            before.update({name: finding[name] for name in ("is", "witness")})

    async def _rebase(self) -> None:
        """The machines know more than the books: a backup was restored, or the database is new."""
        async with self._lock:
            if self._is_rebased:
                return
            self.findings.books_older = True
            await self._serials.put(RESTORED, "yes")  # a stop from here on begins again
            await self._jump()
            fault = Fault(
                3009,
                where="recovery",
                seen="a backup put back" if self._restored else "machines with newer epochs or jobs",
                expected="books as new as the floor",
            )
            actions = [action.value for action in rule_for(fault.code).actions]
            await self._desk.open_exception(fault, station="line", subject="books", actions=actions)
            self.findings.notes.append("serials_jumped")
            # before anybody acts: what was worked in the lost time must not be worked again
            await self._set_aside()
            if not await self._reconcile_hosts():
                self._hosts_wait.set()
            await self._serials.put(RESTORED, HOSTS if self._hosts_wait.is_set() else "no")
            self._is_rebased = True

    async def _jump(self) -> None:
        """Once a run: a station asks again every quarter second while something of the rest fails, and numbers are not endless."""
        if self._has_jumped:
            return
        await self._serials.jump_serials(JUMPS)
        await self._serials.leap_journal(JOURNAL_LEAP, self._clock.now())
        self._has_jumped = True
