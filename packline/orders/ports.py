"""What stations and feeds ask of the books; `packline.store` answers, an in-memory engine in tests too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from packline.core.faults import Fault
from packline.core.pictures import Still
from packline.orders.model import Event, Item, Order, OrderState, Parcel, ParcelState, Unit, UnitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label number ever assigned. `state`: assigned | printed | applied | verified | voided."""

    sscc: str
    lpn: str
    print_number: int
    generation: int
    state: str


ABOUT_ONE, ABOUT_ALL = "inbox:", "unreadable:"
"""What the subject of an exception about messages begins with: `inbox:17`, `unreadable:feed:marketplace`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRow:
    """An exception that waits for a person. `effect_id` names the effect in doubt, if any."""

    exception_id: str
    code: int
    station: str
    subject: str
    effect_id: str
    opened_at: datetime
    fault: Mapping[str, Any]
    actions: tuple[str, ...]
    state: str = "open"
    resolution: Mapping[str, Any] = field(default_factory=dict)


class Catalogue(Protocol):
    """Reads of what is committed."""

    async def order(self, order_id: str) -> Order | None: ...

    async def orders(self, states: Collection[OrderState], limit: int = 1000, skip: int = 0) -> list[Order]:
        """Give at most `limit` orders in one of `states` behind the first `skip`: urgent first, then by date, then as they came."""
        ...

    async def units(
        self,
        *,
        order_id: str | None = None,
        lpn: str | None = None,
        station: str | None = None,
        states: Collection[UnitState] | None = None,
        released: bool = False,
    ) -> list[Unit]: ...

    async def parcel(self, lpn: str) -> Parcel | None: ...

    async def parcels(
        self,
        *,
        order_id: str | None = None,
        states: Collection[ParcelState] | None = None,
        place: str | None = None,
    ) -> list[Parcel]: ...

    async def label(self, sscc: str) -> Label | None:
        """Give the label ever assigned under `sscc`, voided ones too."""
        ...

    async def proof(self, lpn: str) -> str:
        """Give the id of the picture by which the parcel's label was proved last; "" without one."""
        ...


class ItemMaster(Protocol):
    """The item master."""

    async def item(self, sku: str) -> Item | None: ...

    async def item_of(self, barcode: str) -> list[Item]:
        """Give the items that carry `barcode`: none, one, or several merchants' ones."""
        ...


class Journal(Protocol):
    """The only way to change an order, a unit or a parcel."""

    async def record(self, *events: Event) -> None:
        """Apply `events` in order by the tables of `lifecycle`, with their journal and outbox rows, in ONE transaction.

        Raises Fault 5101 and changes nothing if a table refuses one. Returns after the commit.
        `OrderReceived` needs data["content"] = PlaceOrder (creates the order and its units, WANTED); `ParcelOpened`
        has subject = LPN, order_id, data["place"], data["bench"]; `LabelAssigned` inserts a Label row.
        """
        ...

    async def serial(self, name: str) -> int:
        """Give the next durable number of `name` ("sscc", "print", "job", "turn", "lamp", "discard"), from 1; never the same twice."""
        ...


class Desk(Protocol):
    """Exceptions and alarms for people."""

    async def open_exception(
        self, fault: Fault, *, station: str, subject: str, actions: Collection[str], effect_id: str = ""
    ) -> str:
        """Open (or give the id of the open one with the same code, station and subject) an exception row."""
        ...

    async def close_exception(self, exception_id: str, *, action: str, actor: str, note: str = "") -> None: ...

    async def open_exceptions(self, station: str | None = None) -> list[ExceptionRow]: ...

    async def raise_alarm(self, fault: Fault, *, source: str) -> None:
        """Raise one alarm per (code, source); a repetition while it stands only counts."""
        ...

    async def clear_alarm(self, code: int, *, source: str) -> None: ...


class Album(Protocol):
    """Pictures as evidence."""

    async def keep_picture(self, still: Still, *, kind: str, subject: str, order_id: str, note: str = "") -> str:
        """Store a still with its SHA-256; `kind` is "inspection" | "before" | "label" | "gate"; returns the picture id."""
        ...


class Books(Catalogue, ItemMaster, Journal, Desk, Album, Protocol):
    """All that a station may ask."""
