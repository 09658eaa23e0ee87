"""What an order, a unit and a parcel are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Purchase(StrEnum):
    """How far the sale is: an item may be reserved and inspected before it is bought."""

    RESERVED = "reserved"
    BOUGHT = "bought"
    CANCELLED = "cancelled"


class OrderState(StrEnum):
    """States of an order; the table is `lifecycle.ORDER`."""

    RECEIVED = "received"
    RELEASED = "released"
    SHIPPED = "shipped"
    CLOSED = "closed"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    CLARIFY = "clarify"


class UnitState(StrEnum):
    """States of one piece of one order line; the table is `lifecycle.UNIT`."""

    WANTED = "wanted"
    INDUCTED = "inducted"
    INSPECTED = "inspected"
    BOXED = "boxed"
    SHORT = "short"
    RETURNED = "returned"


class ParcelState(StrEnum):
    """States of a parcel; the table is `lifecycle.PARCEL`."""

    OPEN = "open"
    COLLECTED = "collected"
    PACKED = "packed"
    PRINTED = "printed"
    LABELLED = "labelled"
    VERIFIED = "verified"
    APPROVED = "approved"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CLARIFY = "clarify"


ORDER_DONE = frozenset({OrderState.CLOSED, OrderState.RETURNED, OrderState.CANCELLED})
ORDER_LEFT = frozenset({OrderState.SHIPPED, *ORDER_DONE})
"""Orders of which nothing more may leave: a parcel that turns up all the same needs a person."""
PARCEL_DONE = frozenset({ParcelState.DELIVERED, ParcelState.RETURNED})
PARCEL_GONE = frozenset({ParcelState.SHIPPED, ParcelState.DELIVERED, ParcelState.RETURNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a parcel goes; lines as the host gave them."""

    recipient: str
    lines: tuple[str, ...]
    city: str
    postcode: str = ""
    country: str = "CN"
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """`quantity` pieces (>= 1) of one SKU; `unit_minor` is the price of one in minor units of the order's currency."""

    line_no: int
    sku: str
    name: str
    quantity: int
    unit_minor: int
    gtin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """The command a feed makes of a host's message: the whole state of one order at one version.

    `version` grows with every change at the host; `digest` is the SHA-256 of the normalised content.
    """

    channel: str
    external_id: str
    version: int
    digest: str
    merchant: str
    buyer: str
    placed_at: datetime
    currency: str
    lines: tuple[OrderLine, ...]
    total_minor: int
    purchase: Purchase
    paid: bool
    ship_to: Address | None
    ship_by: datetime | None = None
    approval: bool = True
    split_allowed: bool = True
    short_allowed: bool = True

    @property
    def order_id(self) -> str:
        """Give the house's id: the same host order always gets the same one, also after a restored backup."""
        return f"{self.channel}-{self.external_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the books have it. `priority`: 1 urgent .. 9 can wait."""

    order_id: str
    content: PlaceOrder
    state: OrderState
    received_at: datetime
    reserve_until: datetime | None = None
    pay_until: datetime | None = None
    reason: str = ""
    priority: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One piece. `unit_id` is `<order_id>.<line_no>.<n>`; `lpn` the carton it lies in; `station` where it was inducted."""

    unit_id: str
    order_id: str
    line_no: int
    sku: str
    state: UnitState
    station: str = ""
    lpn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A carton with a licence plate.

    `generation` counts labels (1 for the first; 0 before any); `visits` counts arrivals at stations, so that a second
    eject of the same parcel is another effect. `place` is a station name, a slot ("H03"), "lane-hold", "to:<station>",
    "shelf" or "gone". `approval` is "" | "asked" | "approved" | "rejected" | "expired".
    """

    lpn: str
    order_id: str
    state: ParcelState
    place: str = ""
    sscc: str = ""
    print_number: int = 0
    generation: int = 0
    visits: int = 0
    approval: str = ""
    approve_until: datetime | None = None
    held: bool = False
    bench: bool = False
    reason: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A row of the item master; sizes in millimetres, weight in grams."""

    sku: str
    merchant: str
    name: str
    barcodes: tuple[str, ...] = ()
    weight_g: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    picture: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact for the journal. `subject` is an order id, unit id, LPN or station name, as `kind` demands."""

    kind: str
    subject: str
    order_id: str = ""
    station: str = ""
    actor: str = "controller"
    data: Mapping[str, Any] = field(default_factory=dict)
