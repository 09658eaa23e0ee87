"""Messages of hosts and couriers, taken once more by this release's intake into the recorded world; it writes into a list."""

from __future__ import annotations

from collections.abc import Collection, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from packline.core.clock import ManualClock
from packline.feeds.courier import read_delivery
from packline.feeds.intake import Intake
from packline.feeds.marketplace import read_order
from packline.orders.model import Event, Item, Order, OrderState, Parcel, ParcelState, PlaceOrder, Unit, UnitState
from packline.orders.ports import ExceptionRow, Label
from packline.store.world import Affair, World

T = TypeVar("T")


class NoTerms:
    """Deadlines of a site that nobody named: they are not compared."""

    reserve_s = pay_s = timedelta(days=1).total_seconds()


class Draft:
    """Implements IntakeBooks on one order of the recorded world; what is recorded is kept as a draft, and changes nothing."""

    def __init__(self, world: World, affair: Affair | None) -> None:
        self._world, self._affair = world, affair
        self.events: list[Event] = []

    async def order(self, order_id: str) -> Order | None:
        return self._affair.order if self._affair and self._affair.order.order_id == order_id else None

    async def orders(self, states: Collection[OrderState], limit: int = 1000, skip: int = 0) -> list[Order]:
        del states, limit, skip
        return []

    async def units(
        self,
        *,
        order_id: str | None = None,
        lpn: str | None = None,
        station: str | None = None,
        states: Collection[UnitState] | None = None,
    ) -> list[Unit]:
        del order_id, station
        units = self._affair.units if self._affair else ()
        return [u for u in units if lpn in (None, u.lpn) and (states is None or u.state in states)]

    async def parcel(self, lpn: str) -> Parcel | None:
        return next((parcel for parcel in self._affair.parcels if parcel.lpn == lpn), None) if self._affair else None

    async def parcels(
        self,
        *,
        order_id: str | None = None,
        states: Collection[ParcelState] | None = None,
        place: str | None = None,
    ) -> list[Parcel]:
        del order_id
        parcels = self._affair.parcels if self._affair else ()
        return [p for p in parcels if place in (None, p.place) and (states is None or p.state in states)]

    async def label(self, sscc: str) -> Label | None:
        return self._world.labels.get(sscc)

    async def item(self, sku: str) -> Item | None:
        """Give an item for every SKU: the item master of that day is not in the journal."""
        return Item(sku=sku, merchant="", name="")

    async def record(self, *events: Event) -> None:
        self.events += events

    async def open_exception(self, *_: Any, **__: Any) -> str:
        return ""

    async def close_exception(self, *_: Any, **__: Any) -> None:
        return None

    async def open_exceptions(self, station: str | None = None) -> list[ExceptionRow]:
        del station
        return []


def events_of_order(world: World, affair: Affair | None, new: PlaceOrder, at: datetime, terms: Any) -> list[Event]:
    """Give what taking `new` writes; raises Fault as the intake does."""
    draft = Draft(world, affair)
    _at_once(Intake(books=draft, clock=ManualClock(at), policy=terms or NoTerms()).take(new))
    return draft.events


def events_of_delivery(world: World, affair: Affair | None, body: bytes, courier: str, at: datetime) -> list[Event]:
    """Give what a courier's word writes; raises Fault as the intake does."""
    draft = Draft(world, affair)
    intake = Intake(books=draft, clock=ManualClock(at), policy=NoTerms())
    _at_once(intake.deliver(read_delivery(body), courier))
    return draft.events


def read_body(channel: str, body: bytes) -> PlaceOrder:
    """Read a host's message as this release does; raises Fault."""
    return read_order(channel, body)


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # what the coroutine returned
    work.close()
    raise RuntimeError("the intake waited for something")
