"""The clarification place: parcels that need a decision, and those that go back to the shelf."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.lifecycle import PARCEL
from packline.orders.model import Event, Parcel, ParcelState, UnitState
from scanning import gs1
from stations.in_hand import InHand
from stations.kit import Kit, plate_of
from stations.ports import Machinery
from stations.rest import Rest
from stations.screen import Instruction, Screen, say

_LISTED = frozenset({ParcelState.RETURNING, ParcelState.CLARIFY})
_COMES_HERE = frozenset(
    kind for (before, kind), after in PARCEL.items() if after in _LISTED and before not in _LISTED
) | {"ParcelResumed"}


class Clarification:
    """A table with a hand scanner; plate, then DO:DONE, books a parcel as unpacked and back on the shelf."""

    kind = "clarification"

    def __init__(self, *, name: str, kit: Kit, screen: Screen) -> None:
        self.name = name
        self.screen = screen
        self.machines: Sequence[Machinery] = ()
        self.rest: Rest | None = None
        self._kit = kit
        self._in_hand = InHand(name)

    async def step(self) -> None:
        """List what waits here."""
        returning = await self._kit.books.parcels(states={ParcelState.RETURNING})
        unclear = await self._kit.books.parcels(states={ParcelState.CLARIFY})
        tasks = [say("return_to_shelf", lpn=p.lpn) for p in returning]
        tasks += [say("decide", lpn=p.lpn, exception=p.reason) for p in unclear]
        self.screen.tasks = tasks
        self.screen.next = tasks[0] if tasks else say("idle")
        self.screen.state = "working" if tasks else "idle"
        if not tasks:
            self.screen.about()
        self.rest = Rest(orders={p.order_id for p in (*returning, *unclear)}, kinds=_COMES_HERE)

    async def scanned(self, scan: Scan) -> Instruction:
        """Take a plate, then the word that it is unpacked."""
        parsed = gs1.parse(scan.text, scan.symbology)
        if parsed.kind is gs1.Kind.ACTION:
            return await self._answered(parsed.value, scan)
        parcel, order = await self._kit.known(plate_of(parsed, self.name), self.name)
        where, to = await self._kit.where_to(parcel, order)
        if to != self.name:
            if where.kind != "gone":
                await self._kit.moved(parcel, f"to:{to}", self.name)
            return say("take_to", lpn=parcel.lpn, to=to, kind=where.kind)
        parcel = await self._kit.arrive(parcel, self.name)
        self._in_hand.take(parcel.lpn, scan)
        self.screen.about(parcel=parcel.lpn, order=order.order_id)
        key = "return_to_shelf" if parcel.state is ParcelState.RETURNING else "decide"
        return say(key, lpn=parcel.lpn, exception=parcel.reason)

    async def _answered(self, action: str, scan: Scan) -> Instruction:
        lpn = self._in_hand.meant_by(scan)
        if action != "DONE" or not lpn:
            raise Fault(4304, where=self.name, seen=f"DO:{action}", expected="a plate first, then DO:DONE")
        parcel, _ = await self._kit.known(lpn, self.name)
        if parcel.state is not ParcelState.RETURNING:
            raise Fault(
                4301, where=self.name, seen=f"{parcel.lpn} is {parcel.state}", expected="a parcel that goes back"
            )
        await self._kit.finish(parcel.order_id, *await self._returned(parcel, scan.actor or "operator"))
        self._in_hand.put_down()
        self.screen.about()
        return say("done", lpn=parcel.lpn)

    async def _returned(self, parcel: Parcel, actor: str) -> list[Event]:
        def event(kind: str, subject: str, **data: str) -> Event:
            return Event(
                kind=kind, subject=subject, order_id=parcel.order_id, station=self.name, actor=actor, data=data
            )

        void = [event("LabelVoided", parcel.lpn, sscc=parcel.sscc, why="returned")] if parcel.sscc else []
        units = await self._kit.books.units(lpn=parcel.lpn, states={UnitState.BOXED})
        return [*void, *(event("UnitReturned", u.unit_id) for u in units), event("ParcelReturned", parcel.lpn)]
