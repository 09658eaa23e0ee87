"""The books of the warehouse: what stations and feeds ask, answered from the database."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.ids import Ids
from packline.core.pictures import Still
from packline.orders.model import Event, Item, Order, OrderState, Parcel, ParcelState, Unit, UnitState
from packline.orders.ports import ExceptionRow, Label
from packline.store import orders, parcels, serials, units
from packline.store.desk import ClerksDesk
from packline.store.items import Items
from packline.store.pictures import Pictures
from packline.store.recording import record
from packline.store.writer import Writer


class StoredBooks:
    """Implements `packline.orders.ports.Books`."""

    def __init__(
        self, writer: Writer, clock: Clock, ids: Ids, *, items: Items, desk: ClerksDesk, pictures: Pictures
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._ids = ids
        self._items = items
        self._desk = desk
        self._pictures = pictures

    # --- catalogue

    async def order(self, order_id: str) -> Order | None:
        """Give an order."""
        return await self._writer.read(lambda connection: orders.order_of(connection, order_id))

    async def orders(self, states: Collection[OrderState], limit: int = 1000, skip: int = 0) -> list[Order]:
        """Give at most `limit` orders in one of `states` behind the first `skip`: urgent first, then by date, then as they came."""
        return await self._writer.read(lambda connection: orders.orders_in(connection, states, limit, skip))

    async def units(
        self,
        *,
        order_id: str | None = None,
        lpn: str | None = None,
        station: str | None = None,
        states: Collection[UnitState] | None = None,
        released: bool = False,
    ) -> list[Unit]:
        """Give the units that answer every question asked, by order, line and number; `released`: only of released orders."""
        return await self._writer.read(
            lambda connection: units.units_of(
                connection, order_id=order_id, lpn=lpn, station=station, states=states, released=released
            )
        )

    async def parcel(self, lpn: str) -> Parcel | None:
        """Give a parcel."""
        return await self._writer.read(lambda connection: parcels.parcel_of(connection, lpn))

    async def parcels(
        self,
        *,
        order_id: str | None = None,
        states: Collection[ParcelState] | None = None,
        place: str | None = None,
    ) -> list[Parcel]:
        """Give the parcels that answer every question asked, oldest first."""
        return await self._writer.read(
            lambda connection: parcels.parcels_of(connection, order_id=order_id, states=states, place=place)
        )

    async def label(self, sscc: str) -> Label | None:
        """Give the label ever assigned under `sscc`, voided ones too."""
        return await self._writer.read(lambda connection: parcels.label_of(connection, sscc))

    async def proof(self, lpn: str) -> str:
        """Give the id of the picture by which the parcel's label was proved last; "" without one."""
        return await self._writer.read(lambda connection: parcels.proof_of(connection, lpn))

    # --- item master

    async def item(self, sku: str) -> Item | None:
        """Give the item called `sku`."""
        return await self._items.item(sku)

    async def item_of(self, barcode: str) -> list[Item]:
        """Give the items that carry `barcode`."""
        return await self._items.item_of(barcode)

    # --- journal

    async def record(self, *events: Event) -> None:
        """Apply `events` in order, with their journal and outbox rows, in one transaction; raises Fault 5101."""
        await self._writer.write(self._recording(events))

    def _recording(self, events: Collection[Event]) -> Callable[[Connection], None]:
        at = self._clock.now()
        named = [(event, self._ids.ulid(int(at.timestamp() * 1000))) for event in events]
        return lambda connection: _record(connection, named, at)

    async def serial(self, name: str) -> int:
        """Give the next durable number of `name`, from 1; never the same twice."""
        return await self._writer.write(lambda connection: serials.advance(connection, name))

    # --- desk

    async def open_exception(
        self, fault: Fault, *, station: str, subject: str, actions: Collection[str], effect_id: str = ""
    ) -> str:
        """Open an exception, or give the id of the open one with the same code, station and subject."""
        return await self._desk.open_exception(
            fault, station=station, subject=subject, actions=actions, effect_id=effect_id
        )

    async def close_exception(self, exception_id: str, *, action: str, actor: str, note: str = "") -> None:
        """Close an exception with what was decided."""
        await self._desk.close_exception(exception_id, action=action, actor=actor, note=note)

    async def open_exceptions(self, station: str | None = None) -> list[ExceptionRow]:
        """List what waits for a person, oldest first."""
        return await self._desk.open_exceptions(station)

    async def raise_alarm(self, fault: Fault, *, source: str) -> None:
        """Raise one alarm per (code, source)."""
        await self._desk.raise_alarm(fault, source=source)

    async def clear_alarm(self, code: int, *, source: str) -> None:
        """Note that an alarm's cause is gone."""
        await self._desk.clear_alarm(code, source=source)

    # --- album

    async def keep_picture(self, still: Still, *, kind: str, subject: str, order_id: str, note: str = "") -> str:
        """Store a still; gives the picture's id."""
        return await self._pictures.keep_picture(still, kind=kind, subject=subject, order_id=order_id, note=note)


def _record(connection: Connection, named: Collection[tuple[Event, str]], at: datetime) -> None:
    for event, event_id in named:
        try:
            record(connection, event, at, event_id)
        except (IntegrityError, DataError, UnicodeEncodeError) as error:
            # A number that is taken, half a character that a scanner made up, or a NUL, which a server cannot keep.
            seen = f"{event.kind} with a number that is taken, or with text that cannot be kept"
            raise Fault(5101, where=ascii(event.subject)[1:-1], seen=seen) from error
