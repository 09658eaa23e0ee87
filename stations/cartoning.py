"""Puts pieces into the cartons of their order, and knows when a carton waits for nothing more."""

from __future__ import annotations

from collections.abc import Iterable

from packline.core.faults import Fault
from packline.core.identity import Lpn
from packline.orders.closing import is_collected
from packline.orders.model import Event, Order, Parcel, ParcelState, Purchase, Unit, UnitState
from packline.orders.routing import needs_bench
from stations.kit import Kit

STILL_TO_BOX = frozenset({UnitState.INDUCTED, UnitState.INSPECTED})
"""A unit in one of these states lies at an induct station and is in no carton yet."""


class Cartoning:
    """The cartons of the induct station `station`. Who changes them holds the kit's lock, as `put_in` and `collected` expect."""

    def __init__(self, station: str, kit: Kit) -> None:
        self._station = station
        self._kit = kit

    async def complete(self, here: Iterable[Parcel]) -> None:
        """Complete cartons that wait for nothing more: the last piece came or was given up somewhere else."""
        for carton in (carton for carton in here if carton.state is ParcelState.OPEN):
            async with self._kit.lock:
                order = await self._kit.order_of(carton)
                if order.content.purchase is not Purchase.CANCELLED:
                    if events := await self.collected(order, None, "", "controller"):
                        await self._kit.record(*events)

    async def open_carton(self, order: Order) -> Parcel | None:
        """Give the first carton of an order that is still open."""
        cartons = await self._kit.books.parcels(order_id=order.order_id, states={ParcelState.OPEN})
        return cartons[0] if cartons else None

    async def holds(self, lpn: Lpn, unit: Unit) -> bool:
        """Tell whether the books have `unit` in carton `lpn`."""
        return any(inside.unit_id == unit.unit_id for inside in await self._kit.books.units(lpn=lpn.text))

    async def put_in(self, unit: Unit, order: Order, lpn: Lpn, actor: str) -> None:
        """Book a unit into a carton, a fresh one is opened by it; raises Fault 4302 (cancelled), 4105 (another order's carton)."""
        if order.content.purchase is Purchase.CANCELLED:
            raise Fault(
                4302, where=self._station, seen=order.order_id, expected="the item back on its shelf, then DO:DONE"
            )
        parcel = await self._kit.books.parcel(lpn.text)
        opening = [] if parcel else await self._opening(lpn, order, actor)
        if parcel and (parcel.order_id != order.order_id or parcel.state is not ParcelState.OPEN):
            raise Fault(4105, where=self._station, seen=f"{lpn} of {parcel.order_id}", expected=order.order_id)
        boxed = self._event("UnitBoxed", unit.unit_id, order, actor, {"lpn": lpn.text})
        await self._kit.record(*opening, boxed, *await self.collected(order, unit, lpn.text, actor))

    async def collected(self, order: Order, unit: Unit | None, lpn: str, actor: str) -> list[Event]:
        """Give ParcelCollected for every open carton of the order when `unit` was the last piece."""
        units = await self._kit.books.units(order_id=order.order_id)
        rest = [u for u in units if unit is None or u.unit_id != unit.unit_id]
        if unit is not None and any(u.state in (UnitState.WANTED, *STILL_TO_BOX) for u in rest):
            return []
        if unit is None and not is_collected(units):
            return []
        cartons = {p.lpn for p in await self._kit.books.parcels(order_id=order.order_id, states={ParcelState.OPEN})}
        all_open = sorted(cartons | ({lpn} if lpn else set()))
        return [self._event("ParcelCollected", carton, order, actor, {}) for carton in all_open]

    async def _opening(self, lpn: Lpn, order: Order, actor: str) -> list[Event]:
        existing = await self.open_carton(order)
        if existing is not None and not order.content.split_allowed:
            expected = f"{existing.lpn}: this order must not be split"
            raise Fault(4105, where=self._station, seen=str(lpn), expected=expected)
        items = [item for line in order.content.lines if (item := await self._kit.books.item(line.sku))]
        bench = needs_bench(items, most_mm=self._kit.rules.machine_most_mm)
        return [self._event("ParcelOpened", lpn.text, order, actor, {"place": self._station, "bench": bench})]

    def _event(self, kind: str, subject: str, order: Order, actor: str, data: dict[str, object]) -> Event:
        return Event(kind=kind, subject=subject, order_id=order.order_id, station=self._station, actor=actor, data=data)
