"""Books a parcel as gone: once, by evidence, whatever the books did to it while the gate was open."""

from __future__ import annotations

from packline.core.effects import RELEASE, Device, EffectState
from packline.core.faults import Fault
from packline.orders.model import PARCEL_GONE, Event, Parcel, ParcelState
from stations.kit import Kit, trouble_of

_LIVE = frozenset(ParcelState) - PARCEL_GONE
_NOTHING_HAPPENED = frozenset({EffectState.NOT_EXECUTED, EffectState.VOIDED, EffectState.FAILED})
_MAY_SHIP = frozenset({ParcelState.APPROVED, ParcelState.CLARIFY})


def departure_of(parcel: Parcel, *, actor: str, witness: str, why: str, station: str = "") -> list[Event]:
    """Give the events of a parcel that left; one that should have stayed goes out by way of clarification."""
    data = {"sscc": parcel.sscc, "witness": witness}
    who = {"subject": parcel.lpn, "order_id": parcel.order_id, "station": station, "actor": actor}
    events = [Event(kind="ParcelShipped", data=data, **who)]
    if parcel.state not in _MAY_SHIP:
        events.insert(0, Event(kind="ParcelClarify", data={"reason": why}, **who))
    return events


class Departure:
    """One door to the outside."""

    def __init__(self, station: str, kit: Kit) -> None:
        self._station = station
        self._kit = kit

    async def book(self, lpn: str, witness: str) -> None:
        """Book a parcel whose release is confirmed; nothing when it is booked already."""
        parcel, _ = await self._kit.known(lpn, self._station)
        if parcel.state in PARCEL_GONE:
            return
        events = departure_of(parcel, actor="controller", witness=witness, why="left_meanwhile", station=self._station)
        await self._kit.finish(parcel.order_id, *events)

    async def open_here(self) -> list[tuple[Parcel, EffectState]]:
        """Give the parcels that the books have at this door with a release that was meant, and how it stands."""
        found = []
        for parcel in await self._kit.books.parcels(states=_LIVE, place=self._station):
            row = await self._kit.ledger.find(RELEASE, parcel.lpn, parcel.visits)
            if row is not None and row.state not in _NOTHING_HAPPENED:
                found.append((parcel, row.state))
        return found

    async def settle(self, parcel: Parcel, device: Device) -> None:
        """Ask after a release whose parcel is not there any more, and book what is proved; raises Trouble for a doubt."""
        row = await self._kit.ledger.find(RELEASE, parcel.lpn, parcel.visits)
        if row is None:
            raise Fault(5101, where=parcel.lpn, seen="a release that vanished from the ledger")
        outcome = await self._kit.ledger.ask(row.effect, device)
        if outcome.ok:
            await self.book(parcel.lpn, outcome.evidence.source)
        elif outcome.state in (EffectState.UNKNOWN, EffectState.SENT):
            where = f"{self._station} parcel {parcel.lpn}"
            raise trouble_of(outcome, where=where, subject=parcel.lpn, unknown=3014)
