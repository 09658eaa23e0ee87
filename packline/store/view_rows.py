"""What the screens' queries give: frozen rows, with times as they are kept (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packline.orders.model import Order, Parcel, Unit
from packline.orders.ports import ExceptionRow, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLineView:
    """A row of the order list: the order, its units by state, its parcels."""

    order: Order
    units: Mapping[str, int]
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows `offset` .. of `total`."""

    rows: tuple[Any, ...]
    total: int
    offset: int
    limit: int

    @property
    def next_offset(self) -> int | None:
        """Give where the next page starts; None on the last."""
        after = self.offset + self.limit
        return after if after < self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    seq: int
    at: datetime
    kind: str
    subject: str
    order_id: str
    station: str
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """An effect with its latest evidence `{state, source, data, fault}`."""

    effect_id: str
    subject: str
    kind: str
    generation: int
    station: str
    parameters: Mapping[str, Any]
    state: str
    attempt: int
    machine: str
    epoch: int
    sequence: int
    job: int
    evidence: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRow:
    picture_id: str
    kind: str
    subject: str
    order_id: str
    note: str
    camera: str
    frame: int
    captured_at: datetime
    sha256: str
    size_bytes: int
    """0 when only its row is kept any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One tracking event for one subscriber."""

    event_id: str
    name: str
    subject: str
    at: datetime
    subscriber: str
    state: str
    attempts: int
    answer: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    id: int
    code: int
    source: str
    severity: str
    fault: Mapping[str, Any]
    raised_at: datetime
    last_at: datetime
    count: int
    cleared_at: datetime | None
    acked_at: datetime | None
    acked_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    """A message that could not be taken; `body` is cut to what a screen shows, `fault` has the parts of the reason."""

    id: int
    channel: str
    kind: str
    delivery_id: str
    received_at: datetime
    state: str
    reason: str
    fault: Mapping[str, Any]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """The messages of one sender that nobody can read: how many are in quarantine, and what is wrong with the newest."""

    count: int
    fault: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetail:
    order: Order
    units: tuple[Unit, ...]
    parcels: tuple[Parcel, ...]
    journal: tuple[JournalRow, ...]
    pictures: tuple[PictureRow, ...]
    deliveries: tuple[DeliveryRow, ...]
    exceptions: tuple[ExceptionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelDetail:
    parcel: Parcel
    order: Order
    units: tuple[Unit, ...]
    labels: tuple[Label, ...]
    effects: tuple[EffectRow, ...]
    journal: tuple[JournalRow, ...]
    pictures: tuple[PictureRow, ...]
    deliveries: tuple[DeliveryRow, ...]
    exceptions: tuple[ExceptionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a scanned text names: `kind` is parcel | label | order | item; `key` an LPN, order id or SKU."""

    kind: str
    key: str
