"""The courier hand-over by a person: the courier's own scan is the evidence."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.effects import OPEN_STATES, RELEASE, Effect, EffectState
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import PARCEL_GONE, Order, Parcel
from packline.orders.release import ship_blockers
from scanning import gs1
from stations.departure import Departure
from stations.in_hand import InHand
from stations.kit import Kit
from stations.person import PersonDevice
from stations.ports import Machinery
from stations.rest import Rest
from stations.screen import Instruction, Screen, say

AGAIN_S = 2.0
"""A second scan of a label says that the courier has it only when it comes this long after the one before."""


class HandOver:
    """Scan the label: may it leave? Scan it again after AGAIN_S (or DO:DONE) when the courier has it."""

    kind = "courier_gate"

    def __init__(self, *, name: str, kit: Kit, screen: Screen) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = ()
        self.rest: Rest | None = None
        self._kit = kit
        self._hands = PersonDevice(
            station=name, screen=screen, clock=kit.clock, words=lambda e: say("hand_over", lpn=e.subject)
        )
        self._departure = Departure(name, kit)
        self._current = ""
        self._in_hand = InHand(name)
        self._scan = ("", 0.0)

    async def step(self) -> None:
        """Wait for the courier to take the scanned parcel."""
        await self._drop_what_may_not_leave()
        if not self._current and (left := await self._left_here()):
            self._current = self._current or left  # a scan may have been quicker
        if not self._current:
            self.screen.about()
            self.screen.state, self.screen.next = "idle", say("place_parcel")
            expected = await self._departure.expected()
            self.screen.tasks = await self._departure.strays(expected)
            self.rest = Rest(places=(self.name, f"to:{self.name}"), orders={parcel.order_id for parcel in expected})
            return
        parcel, order = await self._kit.known(self._current, self.name)
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        parcel = await self._kit.arrive(parcel, self.name)
        effect = Effect(kind=RELEASE, subject=parcel.lpn, generation=parcel.visits, station=self.name)
        outcome = await self._kit.ledger.perform(effect, self._hands)
        self._current = ""
        self._in_hand.put_down()
        if outcome.ok:
            await self._departure.book(parcel.lpn, outcome.evidence.source)

    async def _drop_what_may_not_leave(self) -> None:
        """Between scan and step a parcel may be booked as gone or taken back; one that was asked about stays a question."""
        if not self._current:
            return
        parcel, order = await self._kit.known(self._current, self.name)
        row = await self._kit.ledger.find(RELEASE, parcel.lpn, parcel.visits)
        is_asked = row is not None and row.state in OPEN_STATES
        if parcel.state in PARCEL_GONE or (ship_blockers(order, parcel) and not is_asked):
            self._current = ""

    async def _left_here(self) -> str:
        """A restart finds the parcel that the courier was asked for; one that went before it is booked."""
        for parcel, state in await self._departure.open_here():
            if state is not EffectState.CONFIRMED:
                return parcel.lpn
            await self._departure.settle(parcel, self._hands)
        return ""

    async def scanned(self, scan: Scan) -> Instruction:
        """Take the label's code or a word."""
        parsed = gs1.parse(scan.text, scan.symbology)
        actor = scan.actor or "courier"
        if parsed.kind is gs1.Kind.ACTION:
            return await self._word(parsed.value, scan)
        parcel, order = await self._parcel(parsed)
        if self._current and self._current != parcel.lpn:
            return say("finish_first", unit=self._current)
        if why := ship_blockers(order, parcel):
            return self._withdraw(parcel, why, actor, f"scan of {parcel.sscc}, refused")
        if self._is_second_look(parcel.lpn) and self._hands.answer(True, actor, f"scan of {parcel.sscc}"):
            return say("done", lpn=parcel.lpn)
        self._current = parcel.lpn
        self._in_hand.take(parcel.lpn, scan)
        return say("hand_over", lpn=parcel.lpn)

    async def _word(self, word: str, scan: Scan) -> Instruction:
        job, actor = self._hands.job, scan.actor or "courier"
        if job is None or word not in ("DONE", "NOTDONE"):
            raise Fault(4304, where=self.name, seen=f"DO:{word}", expected="a label first")
        self._in_hand.meant_by(scan)  # a word that is late by one parcel means the one that is gone
        parcel, order = await self._kit.known(job.subject, self.name)
        why = ship_blockers(order, parcel) if word == "DONE" else ()
        if why:
            return self._withdraw(parcel, why, actor, f"DO:{word}, refused")
        self._hands.answer(word == "DONE", actor, f"DO:{word}")
        return say("done", lpn=parcel.lpn)

    def _withdraw(self, parcel: Parcel, why: tuple[str, ...], actor: str, witness: str) -> Instruction:
        """The books refuse it by now: the courier is not to have it, and the job ends undone."""
        if self._hands.job is not None and self._hands.job.subject == parcel.lpn:
            self._hands.answer(False, actor, witness)
        return say("take_back", lpn=parcel.lpn, to=self._kit.places["hold"], why=list(why))

    def _is_second_look(self, lpn: str) -> bool:
        """Tell whether this scan is another than the last: a scanner that bounces reads a label twice at once."""
        before, self._scan = self._scan, (lpn, self._kit.clock.monotonic())
        return before[0] == lpn == self._current and self._scan[1] - before[1] >= AGAIN_S

    async def _parcel(self, parsed: gs1.Parsed) -> tuple[Parcel, Order]:
        sscc = str(parsed.extra.get("sscc", parsed.value))
        label = await self._kit.books.label(sscc)
        if label is None:
            raise Fault(4106, where=self.name, seen=sscc, expected="a label of ours")
        if label.state == "voided":
            raise Fault(3006, where=self.name, seen=sscc, expected="the newest label")
        return await self._kit.known(label.lpn, self.name)
