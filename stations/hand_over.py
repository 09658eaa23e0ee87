"""The courier hand-over by a person: the courier's own scan is the evidence."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.effects import RELEASE, Effect, EffectState
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import Parcel
from packline.orders.release import ship_blockers
from scanning import gs1
from stations.departure import Departure
from stations.kit import Kit
from stations.person import PersonDevice
from stations.ports import Machinery
from stations.screen import Instruction, Screen, say


class HandOver:
    """Scan the label: may it leave? Scan it again (or DO:DONE) when the courier has it."""

    kind = "courier_gate"

    def __init__(self, *, name: str, kit: Kit, screen: Screen) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = ()
        self._kit = kit
        self._hands = PersonDevice(
            station=name, screen=screen, clock=kit.clock, words=lambda e: say("hand_over", lpn=e.subject)
        )
        self._departure = Departure(name, kit)
        self._current = ""

    async def step(self) -> None:
        """Wait for the courier to take the scanned parcel."""
        self._current = self._current or await self._left_here()
        if not self._current:
            self.screen.about()
            self.screen.state, self.screen.next = "idle", say("place_parcel")
            return
        parcel, order = await self._kit.known(self._current, self.name)
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        parcel = await self._kit.arrive(parcel, self.name)
        effect = Effect(kind=RELEASE, subject=parcel.lpn, generation=parcel.visits, station=self.name)
        outcome = await self._kit.ledger.perform(effect, self._hands)
        self._current = ""
        if outcome.ok:
            await self._departure.book(parcel.lpn, outcome.evidence.source)

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
            if not self._hands.answer(parsed.value == "DONE", actor, f"DO:{parsed.value}"):
                raise Fault(4301, where=self.name, seen=f"DO:{parsed.value}", expected="a label first")
            return say("done", lpn=self._current)
        parcel = await self._parcel(parsed)
        if self._current and self._current != parcel.lpn:
            return say("finish_first", unit=self._current)
        order = await self._kit.order_of(parcel)
        if why := ship_blockers(order, parcel):
            self._hands.answer(False, actor, f"scan of {parcel.sscc}, refused")
            return say("take_back", lpn=parcel.lpn, why=list(why))
        if self._current and self._hands.answer(True, actor, f"scan of {parcel.sscc}"):
            return say("done", lpn=parcel.lpn)
        self._current = parcel.lpn
        return say("hand_over", lpn=parcel.lpn)

    async def _parcel(self, parsed: gs1.Parsed) -> Parcel:
        sscc = str(parsed.extra.get("sscc", parsed.value))
        label = await self._kit.books.label(sscc)
        if label is None:
            raise Fault(4106, where=self.name, seen=sscc, expected="a label of ours")
        if label.state == "voided":
            raise Fault(3006, where=self.name, seen=sscc, expected="the newest label")
        return (await self._kit.known(label.lpn, self.name))[0]
