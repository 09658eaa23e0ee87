"""Runs one station for ever: steps its work, holds it on faults, asks people, shows what happens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import Event
from packline.orders.policy import Reaction, actions_for, rule_for
from stations.away import BELL_AFTER_S, Away
from stations.bells import OF_STEPS, Bells
from stations.kit import Kit, Trouble
from stations.person import Held
from stations.ports import Machinery
from stations.rest import Rest
from stations.screen import Instruction, Screen, refuse, say

LOOK_AGAIN_S = 0.25
"""The slowest rhythm at which a station looks at its place when nothing wakes it."""
REST_S = 2.0
"""The same while it rests: whatever it waits for wakes it, but a wake-up that got lost must not stop the line."""
MOST_WAITING_SCANS = 64
FIRST_MACHINE_FAULT = 2000
SAFETY_OPEN = 2007
WITH_SENSOR = frozenset({"pack", "print_apply", "courier_gate"})
"""Kinds of stations whose machine feels what stands before it."""
STEP = "step"
AND = ", "
"""Between the names of those who hold one station: whoever lets it go sees who else may be reaching in."""

log = logging.getLogger("packline.station")


class Work(Protocol):
    """What one kind of station does; re-entrant: each step starts from the books and from what is seen."""

    name: str
    kind: str
    screen: Screen
    machines: Sequence[Machinery]
    rest: Rest | None
    """What the last step left to wait for; None while there is something to do. Cleared before each step."""

    async def step(self) -> None:
        """Make one pass of observe, decide, act, confirm; return when there is nothing to do now."""
        ...

    async def scanned(self, scan: Scan) -> Instruction:
        """Answer a person's or a fixed scanner's scan; raises Fault to refuse it."""
        ...


async def _forget(_: str) -> None:
    """Keep nothing: for a station whose controller has no books."""


class Post:
    """One station with its screen, its scans and its brakes."""

    def __init__(
        self,
        work: Work,
        kit: Kit,
        *,
        ready: Callable[[], Awaitable[None]],
        shown: Callable[[], None] = lambda: None,
        keep: Callable[[str], Awaitable[None]] = _forget,
    ) -> None:
        """`shown` is called when the screen may show something else: after each step and scan, and when it asks or holds.

        `keep` makes durable who holds the station ("" for nobody): a hold outlives the controller.
        """
        self.work = work
        self.name = work.name
        self.screen = work.screen
        self.bells = Bells(work.name, kit.books, kit.changed)
        self._away = Away(work.machines, work.screen, self.bells, kit.clock)
        self._kit = kit
        self._ready, self._shown, self._keep = ready, shown, keep
        self._is_kept = False
        self._bell = asyncio.Event()
        self._is_stepping = False
        self._scans: asyncio.Queue[Scan] = asyncio.Queue(MOST_WAITING_SCANS)
        self._tries: dict[tuple[int, str], int] = {}
        self._since: dict[int, float] = {}

    @property
    def waits(self) -> bool:
        """Tell whether the station is in order and has nothing to do that keeps it from the next parcel.

        In a rack there is room for one that comes, however many are to be fetched.
        """
        is_ready = self.screen.state == "idle" or (self.work.kind == "hold" and self.screen.state == "working")
        return is_ready and not self.screen.hold_by

    @property
    def sees_nothing(self) -> bool:
        """Tell whether it has nothing to do because a sensor of its machine sees that nothing stands there."""
        return self.waits and self.work.kind in WITH_SENSOR and bool(self.work.machines)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve_scans())
            group.create_task(self._away.run())
            while True:
                self._bell.clear()
                self._is_stepping = True
                await self._one_step()
                self._is_stepping = False
                self._shown()
                await self._pause(LOOK_AGAIN_S if self.work.rest is None else REST_S)

    def changed(self, *events: Event) -> None:
        """These events are in the books now, or without any, something else is: look again unless the station rests.

        What comes during a step may be newer than what the step has read.
        """
        rest = self.work.rest
        if self._is_stepping or rest is None or not events or any(map(rest.is_ended_by, events)):
            self.wake()

    def wake(self) -> None:
        """Something changed: look again now."""
        self._bell.set()

    def scan(self, scan: Scan) -> None:
        """Take a scan; when too many wait the newest is dropped and the person scans again.

        It is as old as its coming, by our clock: a reader's own may be off, and here it may wait behind others.
        """
        with contextlib.suppress(asyncio.QueueFull):
            self._scans.put_nowait(replace(scan, at=self._kit.clock.now()))

    async def hold(self, actor: str) -> None:
        """A person stops the station after its running job; a step that waits for a person ends at once.

        Raises Fault 5002 when that cannot be written down; the station is held all the same.
        """
        before = self.screen.hold_by.split(AND) if self._is_kept else []
        self.screen.hold_by, self._is_kept = AND.join(dict.fromkeys([*before, actor])), True
        self.screen.on_hold()
        self.wake()
        await self._keep(self.screen.hold_by)

    def hold_as_before(self, actor: str) -> None:
        """Begin held by `actor`, as an earlier run was; "" begins at work. Whoever relies on it may stand in the machine."""
        self.screen.hold_by, self._is_kept = actor, bool(actor)

    def demand_closed(self) -> None:
        """Raise Fault 2007 while the safety circuit of a machine is open: no machine takes a release then."""
        for machine in self.work.machines:
            if SAFETY_OPEN in machine.view().faults:
                raise Fault(SAFETY_OPEN, where=machine.name, seen="an open safety circuit", expected="a closed one")

    async def release(self, actor: str) -> None:
        """A person lets the station work again: machines are claimed and made ready afresh.

        Raises Fault 5002, and the station stays held, when that cannot be written down.
        """
        if self._is_kept:
            await self._keep("")
        self.screen.hold_by, self._is_kept = "", False
        for machine in self.work.machines:
            await machine.release()
        with contextlib.suppress(Fault):  # the books are away: the next step that ends well takes it back
            await self.bells.hush(STEP)  # a step may now wait for hands; what is still wrong rings again at once
        self.wake()

    def snapshot(self) -> dict[str, Any]:
        """Give the station's part of the live snapshot, without device states."""
        return {"name": self.name, "kind": self.work.kind, **self.screen.as_dict()}

    async def _one_step(self) -> None:
        self.work.rest = None
        if self.screen.hold_by:
            self._show("held", say("held", by=self.screen.hold_by), self.screen.fault)
            return
        try:
            await self._try_step()
        except Fault as worse:  # not even the reaction could be written down: the books are away, the station holds
            self._show("held", say("fault", code=worse.code), worse)

    async def _try_step(self) -> None:
        try:
            await self._ready()
            await self.work.step()
            await self._recovered()
        except Held:
            return  # its effect stays open: it is asked about again after the release
        except Trouble as trouble:
            await self._react(trouble.fault, trouble)
        except Fault as fault:
            await self._react(fault)
        except Exception as error:  # the one broad net: the station holds and says why
            log.exception("station %s", self.name)
            self.screen.hold_by = self.screen.hold_by or "software"  # who held it meanwhile still does
            await self._react(_software(self.name, error))

    async def _react(self, fault: Fault, about: Trouble | None = None) -> None:
        rule = rule_for(fault.code)
        subject, effect_id, kind = (about.subject, about.effect_id, about.kind) if about else (self.name, "", "")
        if self._may_retry(fault, subject, rule.tries):
            return
        if rule.reaction is Reaction.HOLD:
            if self._must_ring(fault):
                await self.bells.ring(fault, STEP)
                await self.bells.hush(STEP, but=fault.code)  # what held it before holds it no more
            self._show("offline" if fault.code < 2000 else "held", say("fault", code=fault.code), fault)
            return
        actions = [action.value for action in actions_for(fault.code, kind)]
        exception_id = await self._kit.books.open_exception(
            fault, station=self.name, subject=subject, actions=actions, effect_id=effect_id
        )
        self._kit.changed()
        await self.bells.hush(STEP)
        if rule.reaction is not Reaction.NOTE:
            self._show("asking", say("ask_person", exception=exception_id), fault)
            await self._until_closed(exception_id)

    def _must_ring(self, fault: Fault) -> bool:
        """A link that comes back at once (a start, a short cut) holds the station but rings no bell.

        While a machine is away, that is rung and taken back by who watches its link.
        """
        if fault.code < FIRST_MACHINE_FAULT and self._away.is_away:
            return False
        now = self._kit.clock.monotonic()
        since = self._since.setdefault(fault.code, now)
        return fault.code >= FIRST_MACHINE_FAULT or now - since >= BELL_AFTER_S

    def _may_retry(self, fault: Fault, subject: str, tries: int) -> bool:
        key = (fault.code, subject)
        used = self._tries.get(key, 0)
        if used >= tries:
            self._tries.pop(key, None)
            return False
        self._tries[key] = used + 1
        return True

    async def _until_closed(self, exception_id: str) -> None:
        while True:
            self._bell.clear()
            waiting = await self._kit.books.open_exceptions(self.name)
            if all(row.exception_id != exception_id for row in waiting) or self.screen.hold_by:
                self.screen.fault = None
                return
            await self._pause(1.0)

    async def _recovered(self) -> None:
        self._tries.clear()
        self._since.clear()
        self.screen.fault = None
        await self.bells.hush(STEP)
        await self.bells.forget_old_ones(OF_STEPS)

    def _show(self, state: str, instruction: Instruction, fault: Fault | None = None) -> None:
        self.screen.state, self.screen.next, self.screen.fault = state, instruction, fault
        self._shown()

    async def _pause(self, most_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await self._kit.clock.within(most_s, self._bell.wait())

    async def _serve_scans(self) -> None:
        while True:
            scan = await self._scans.get()
            result = await self._answer(scan)
            self.screen.scanned(self._kit.clock.now(), scan.text, result)
            self._shown()
            self.wake()  # others hear of what it has recorded

    async def _answer(self, scan: Scan) -> Instruction:
        try:
            return await self.work.scanned(scan)
        except Fault as fault:
            return refuse(fault)
        except Exception as error:  # a scan never stops the station; it is refused and the log tells why
            log.exception("scan at %s", self.name)
            return refuse(_software(self.name, error))


def _software(where: str, error: Exception) -> Fault:
    # The text of an error is for the log; its name lets a reader of the log find the place.
    return Fault(5001, where=where, seen=f"an error of the program, {type(error).__name__}")
