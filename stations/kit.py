"""What every station is handed, and the few steps that all of them share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from packline.core.clock import Clock
from packline.core.effects import EJECT, EffectState, Ledger, Outcome
from packline.core.faults import Fault
from packline.orders.closing import closing
from packline.orders.model import Event, Order, Parcel
from packline.orders.ports import Books
from packline.orders.routing import Destination, destination
from stations.ports import Machinery, Offload, View


class Trouble(Exception):  # noqa: N818 - the trade's word
    """A fault about one subject (LPN, unit or station); `effect_id` names the effect that is in doubt."""

    def __init__(self, fault: Fault, *, subject: str, effect_id: str = "") -> None:
        super().__init__(fault.text())
        self.fault = fault
        self.subject = subject
        self.effect_id = effect_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The site's numbers that stations follow; seconds are the controller's clock."""

    inspect_live_s: float = 30.0
    approve_s: float = 3600.0
    stills: int = 4
    machine_most_mm: tuple[int, int, int] = (400, 300, 250)
    company_prefix: str = "9521321"


@dataclass(slots=True, kw_only=True)
class Kit:
    """Everything a station may use."""

    books: Books
    ledger: Ledger
    clock: Clock
    offload: Offload
    rules: Rules
    places: Mapping[str, str]
    """Destination kind (collect, pack, bench, label, hold, gate, clarify, shelf) -> station name."""
    changed: Callable[[], None] = lambda: None
    """Tells the others that the books changed."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def record(self, *events: Event) -> None:
        """Commit events and wake whoever waits for a change."""
        await self.books.record(*events)
        self.changed()

    async def known(self, lpn: str, where: str) -> tuple[Parcel, Order]:
        """Give parcel and order of a plate; raises Fault 4106 if the books do not know it."""
        parcel = await self.books.parcel(lpn)
        order = await self.books.order(parcel.order_id) if parcel else None
        if parcel is None or order is None:
            raise Fault(4106, where=where, seen=lpn, expected="a carton that an order was put into")
        return parcel, order

    async def order_of(self, parcel: Parcel) -> Order:
        """Give the order of a parcel that the books know."""
        order = await self.books.order(parcel.order_id)
        if order is None:
            raise Fault(5101, where=parcel.lpn, seen=f"no order {parcel.order_id}")
        return order

    async def arrive(self, parcel: Parcel, station: str) -> Parcel:
        """Book the parcel in at `station` once a visit; gives it as it is then."""
        ejected = await self.ledger.find(EJECT, parcel.lpn, parcel.visits)
        is_back = ejected is not None and ejected.state is EffectState.CONFIRMED
        if parcel.place == station and not is_back:
            return parcel
        event = Event(kind="ParcelArrived", subject=parcel.lpn, order_id=parcel.order_id, station=station)
        await self.record(_at(event, station))
        return await self._again(parcel.lpn)

    async def moved(self, parcel: Parcel, place: str, station: str, actor: str = "controller") -> Parcel:
        """Book the parcel as on its way to, or at, `place`."""
        event = Event(kind="ParcelMoved", subject=parcel.lpn, order_id=parcel.order_id, station=station, actor=actor)
        await self.record(_at(event, place))
        return await self._again(parcel.lpn)

    async def _again(self, lpn: str) -> Parcel:
        parcel = await self.books.parcel(lpn)
        if parcel is None:
            raise Fault(5101, where=lpn, seen="a parcel that vanished from the books")
        return parcel

    def station_for(self, where: Destination, parcel: Parcel) -> str:
        """Give the station name of a destination; large parcels are packed and labelled at the bench."""
        kind = "bench" if parcel.bench and where.kind in ("pack", "label") else where.kind
        kind = "clarify" if kind == "shelf" else kind
        return self.places.get(kind) or self.places.get("clarify", "")

    async def where_to(self, parcel: Parcel, order: Order) -> tuple[Destination, str]:
        """Give the destination and its station."""
        where = destination(order, parcel)
        return where, self.station_for(where, parcel)

    async def close_order(self, order_id: str, actor: str = "controller") -> None:
        """Record what is due for the order after one of its parcels or units changed."""
        order = await self.books.order(order_id)
        if order is None:
            return
        units = await self.books.units(order_id=order_id)
        parcels = await self.books.parcels(order_id=order_id)
        if due := closing(order, units, parcels, actor):
            await self.record(*due)

    def deadline(self, seconds: float) -> str:
        """Give now plus `seconds` as ISO text."""
        return (self.clock.now() + timedelta(seconds=seconds)).isoformat()


def require_good(view: View, where: str) -> None:
    """Raise the fault that keeps a machine from taking jobs; links first, then ownership, then its own faults."""
    if view.quality in ("absent", "bad", "stale"):
        code = {"absent": 1001, "bad": 1003, "stale": 1002}[view.quality]
        raise Fault(code, where=where, seen=view.quality, expected="good")
    if not view.owned:
        raise Fault(1101, where=where, seen="another owner", expected="this controller")
    if view.faults:
        raise Fault(view.faults[0], where=where, seen=f"state {view.state}")


def sensors(machine: Machinery) -> Mapping[str, int]:
    """Give the inputs of a machine that may be believed now; raises its link fault otherwise."""
    view = machine.view()
    if view.quality != "good":
        raise Fault(1002, where=machine.name, seen=view.quality, expected="good")
    return view.inputs


def trouble_of(outcome: Outcome, *, where: str, subject: str, unknown: int = 2005, failed: int = 2006) -> Trouble:
    """Say what is wrong with an outcome that is not confirmed; a job that still runs holds the station."""
    otherwise = {EffectState.SENT: 2001, EffectState.UNKNOWN: unknown, EffectState.NOT_EXECUTED: 2003}
    code = outcome.evidence.fault or otherwise.get(outcome.state, failed)
    seen = f"{outcome.state} by {outcome.evidence.source}"
    return Trouble(
        Fault(code, where=where, seen=seen, expected="confirmed"), subject=subject, effect_id=outcome.effect_id
    )


def _at(event: Event, place: str) -> Event:
    return Event(
        kind=event.kind,
        subject=event.subject,
        order_id=event.order_id,
        station=event.station,
        actor=event.actor,
        data={**event.data, "place": place},
    )
