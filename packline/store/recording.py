"""Applies events by the tables of `lifecycle`: row, journal and outbox in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from packline.core.faults import Fault
from packline.orders.lifecycle import TARGET, order_after, parcel_after, unit_after
from packline.orders.model import Event, Order, OrderState, Parcel, PlaceOrder, Unit
from packline.orders.tracking import TRACKING
from packline.store import effect_rows, orders, outbox_rows, parcels, units
from packline.store.journal import Entry, append


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an event did: the row after it, and the order it belongs to."""

    order_id: str
    state: str = ""
    row: Order | Unit | Parcel | None = None


def record(connection: Connection, event: Event, at: datetime, event_id: str) -> int:
    """Apply one event at time `at`; gives its number. `event_id` names it outside. Raises Fault 5101."""
    applied = _APPLY[TARGET.get(event.kind, "")](connection, event, at)
    seq = append(
        connection,
        Entry(
            at=at,
            kind=event.kind,
            subject=event.subject,
            order_id=applied.order_id,
            station=event.station,
            actor=event.actor,
            data=event.data,
        ),
    )
    if event.kind in _LABELS_BACK:
        _void_what_was_done(connection, event, applied, at)
    if event.kind in TRACKING:
        _tell(connection, event, applied, seq=seq, at=at, event_id=event_id)
    return seq


def _apply_none(connection: Connection, event: Event, at: datetime) -> Applied:
    return Applied(order_id=event.order_id)


def _apply_order(connection: Connection, event: Event, at: datetime) -> Applied:
    before = orders.order_of(connection, event.subject)
    if event.kind == "OrderReceived":
        return _receive(connection, event, before, at)
    if before is None:
        raise _impossible(event, "no such order")
    _demand_labels_as_seen(connection, event)
    after = order_after(before, event)
    orders.change_order(connection, after, at)
    if before.state is OrderState.RECEIVED and after.content.lines != before.content.lines:
        units.rewrite_units(connection, after.content, at)
    return Applied(order_id=after.order_id, state=after.state, row=after)


def _demand_labels_as_seen(connection: Connection, event: Event) -> None:
    """`labels` in data are the label numbers that a change of address was decided by: another one must be voided as well."""
    seen = event.data.get("labels")
    if seen is None:
        return
    now = sorted(p.sscc for p in parcels.parcels_of(connection, order_id=event.subject) if p.sscc)
    if now != list(seen):
        raise _impossible(event, f"labels {now} were given out meanwhile")


def _demand_order_as_seen(connection: Connection, event: Event) -> None:
    """`order_version` in data is the version of the order that this was decided by: after a newer one it is decided anew."""
    seen = event.data.get("order_version")
    if seen is None:
        return
    order = orders.order_of(connection, event.order_id)
    if order is None or order.content.version != seen:
        raise _impossible(event, f"version {order.content.version if order else 0} was taken meanwhile")


def _receive(connection: Connection, event: Event, before: Order | None, at: datetime) -> Applied:
    content = event.data.get("content")
    if before is not None or not isinstance(content, PlaceOrder) or content.order_id != event.subject:
        raise _impossible(event, "an order that is there already" if before else "no content of this order")
    new = orders.received(content, at)
    orders.add_order(connection, new)
    units.add_units(connection, units.wanted(content), at)
    return Applied(order_id=new.order_id, state=new.state, row=new)


def _apply_unit(connection: Connection, event: Event, at: datetime) -> Applied:
    before = units.unit_of(connection, event.subject)
    if before is None:
        raise _impossible(event, "no such unit")
    _demand_order_as_seen(connection, event)
    after = unit_after(before, event)
    units.change_unit(connection, after, at)
    return Applied(order_id=after.order_id, state=after.state, row=after)


def _apply_parcel(connection: Connection, event: Event, at: datetime) -> Applied:
    before = parcels.parcel_of(connection, event.subject)
    if event.kind == "ParcelOpened":
        return _open(connection, event, before, at)
    if before is None:
        raise _impossible(event, "no such parcel")
    _demand_order_as_seen(connection, event)
    after = parcel_after(before, event)
    parcels.change_parcel(connection, after, at)
    parcels.follow_label(connection, event.kind, before, after, at)
    return Applied(order_id=after.order_id, state=after.state, row=after)


def _open(connection: Connection, event: Event, before: Parcel | None, at: datetime) -> Applied:
    if before is not None or orders.order_of(connection, event.order_id) is None:
        raise _impossible(event, "a parcel that is there already" if before else f"no order {event.order_id}")
    new = parcels.opened(event.subject, event.order_id, event.data)
    parcels.add_parcel(connection, new, at)
    return Applied(order_id=new.order_id, state=new.state, row=new)


_APPLY: Mapping[str, Callable[[Connection, Event, datetime], Applied]] = {
    "": _apply_none,
    "order": _apply_order,
    "unit": _apply_unit,
    "parcel": _apply_parcel,
}


_LABELS_BACK: Mapping[str, int] = {"LabelVoided": 0, "LabelAssigned": 1}
"""Events after which a label is over; it is that many generations before the parcel's newest."""


def _void_what_was_done(connection: Connection, event: Event, applied: Applied, at: datetime) -> None:
    """In the same transaction: no moment in which a void label's print or application still proves something."""
    if isinstance(applied.row, Parcel):
        generation = applied.row.generation - _LABELS_BACK[event.kind]
        effect_rows.void_label(connection, applied.row.lpn, generation, at, by=event.actor)


def _tell(connection: Connection, event: Event, applied: Applied, *, seq: int, at: datetime, event_id: str) -> None:
    row = applied.row
    order = row if isinstance(row, Order) else orders.order_of(connection, applied.order_id)
    if order is None:
        raise _impossible(event, "an event of no order")
    outbox_rows.put(
        connection,
        outbox_rows.News(
            event_id=event_id,
            seq=seq,
            at=at,
            name=TRACKING[event.kind],
            subject=event.subject,
            order_id=order.order_id,
            body={**_order_part(order), **_subject_part(row, event), "state": applied.state, **_detail(event)},
        ),
    )


def _order_part(order: Order) -> dict[str, Any]:
    content = order.content
    return {
        "order_id": order.order_id,
        "channel": content.channel,
        "external_id": content.external_id,
        "merchant": content.merchant,
        "order_state": order.state,
    }


def _subject_part(row: Order | Unit | Parcel | None, event: Event) -> dict[str, Any]:
    parcel = row if isinstance(row, Parcel) else None
    unit = row if isinstance(row, Unit) else None
    return {
        "lpn": parcel.lpn if parcel else unit.lpn if unit else "",
        # a parcel may leave in the moment in which its label is voided: then the event says what the courier scans
        "sscc": parcel.sscc or str(event.data.get("sscc", "")) if parcel else "",
        "generation": parcel.generation if parcel else 0,
        "approval": parcel.approval if parcel else "",
        "unit": unit.unit_id if unit else "",
        "sku": unit.sku if unit else "",
    }


def _detail(event: Event) -> dict[str, Any]:
    return {
        "station": event.station,
        "reason": event.data.get("reason", ""),
        "until": event.data.get("until"),
        "proof": event.data.get("proof", ""),
    }


def _impossible(event: Event, seen: str) -> Fault:
    return Fault(5101, where=event.subject, seen=f"{event.kind}: {seen}")
