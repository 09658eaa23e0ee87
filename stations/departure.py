"""Books a parcel as gone: once, by evidence, whatever the books did to it while the gate was open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from packline.core.effects import PRINT, RELEASE, Device, EffectState
from packline.core.faults import Fault
from packline.orders.model import PARCEL_GONE, Event, Order, Parcel, ParcelState
from packline.orders.policy import actions_for
from packline.orders.release import ship_blockers
from stations.kit import Kit, trouble_of
from stations.screen import Instruction, say

_LIVE = frozenset(ParcelState) - PARCEL_GONE
_NOTHING_HAPPENED = frozenset({EffectState.NOT_EXECUTED, EffectState.VOIDED, EffectState.FAILED})
_MAY_SHIP = frozenset({ParcelState.APPROVED, ParcelState.CLARIFY})
LEFT_MEANWHILE = 3018
Label = Mapping[str, Any]
"""Its "sscc", and its "print_number" where the books have voided it."""


def departure_of(parcel: Parcel, *, actor: str, witness: str, why: str, station: str = "", label: Label) -> list[Event]:
    """Give the events of a parcel that left with `label`; one that should have stayed goes out by way of clarification."""
    data = {**label, "witness": witness}
    who = {"subject": parcel.lpn, "order_id": parcel.order_id, "station": station, "actor": actor}
    events = [Event(kind="ParcelShipped", data=data, **who)]
    if parcel.state not in _MAY_SHIP:
        events.insert(0, Event(kind="ParcelClarify", data={"reason": why}, **who))
    return events


async def label_on(kit: Kit, parcel: Parcel) -> Label:
    """Give the label that a parcel wears, also where the books have voided it: the courier scans that one."""
    printed = await kit.ledger.find(PRINT, parcel.lpn, parcel.generation) if not parcel.sscc else None
    if printed is None:
        return {"sscc": parcel.sscc}
    return {name: printed.effect.parameters[name] for name in ("sscc", "print_number")}


class Departure:
    """One door to the outside."""

    def __init__(self, station: str, kit: Kit) -> None:
        self._station = station
        self._kit = kit

    async def book(self, lpn: str, witness: str) -> None:
        """Book a parcel whose release is confirmed; nothing when it is booked already."""
        parcel, order = await self._kit.known(lpn, self._station)
        if parcel.state in PARCEL_GONE:
            return
        label = await label_on(self._kit, parcel)
        if why := ship_blockers(order, parcel):
            await self._tell_of(parcel, order, why, label)  # first: a controller that dies in between does both again
        events = departure_of(
            parcel,
            actor="controller",
            witness=witness,
            why="left_meanwhile",
            station=self._station,
            label=label,
        )
        await self._kit.finish(parcel.order_id, *events)

    async def _tell_of(self, parcel: Parcel, order: Order, why: tuple[str, ...], label: Label) -> None:
        """Tell a person: courier and host must hear what the label does not say."""
        seen = f"{parcel.lpn} left, {parcel.reason or why[0]}"
        where = f"label {label['sscc']}"
        fault = Fault(LEFT_MEANWHILE, where=where, seen=seen, expected=f"a parcel of {order.order_id} to stay")
        actions = [action.value for action in actions_for(LEFT_MEANWHILE)]
        await self._kit.books.open_exception(fault, station=self._station, subject=parcel.lpn, actions=actions)
        self._kit.changed()

    async def expected(self) -> list[Parcel]:
        """Give the parcels that the books have at this door, or on their way to it."""
        at_it = await self._kit.books.parcels(states=_LIVE, place=self._station)
        return [*at_it, *await self._kit.books.parcels(states=_LIVE, place=f"to:{self._station}")]

    async def strays(self, parcels: Iterable[Parcel]) -> list[Instruction]:
        """Say where those of `parcels` belong that are not to leave any more: no other list has what lies at a door."""
        told = []
        for parcel in parcels:
            where, to = await self._kit.where_to(parcel, await self._kit.order_of(parcel))
            if where.kind != "gate":
                told.append(say("take_to", lpn=parcel.lpn, to=to, kind=where.kind))
        return told

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
