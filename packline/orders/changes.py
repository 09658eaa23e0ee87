"""What a newer version of an order means for the work already done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from packline.core.faults import Fault
from packline.orders.lifecycle import can
from packline.orders.model import (
    ORDER_DONE,
    PARCEL_GONE,
    Event,
    Order,
    OrderState,
    Parcel,
    ParcelState,
    PlaceOrder,
    Purchase,
    Unit,
    UnitState,
)

CANCELLED = "cancelled"
ADDRESS_CHANGED = "address_changed"
# PRINTED: the arm may have it already, and what is glued on but not readable no camera sees
_ON_THE_PARCEL = frozenset({ParcelState.PRINTED, ParcelState.LABELLED, ParcelState.VERIFIED, ParcelState.APPROVED})
_NOT_BEGUN = frozenset({UnitState.WANTED, UnitState.SHORT})


def changes(order: Order, units: Sequence[Unit], parcels: Sequence[Parcel], new: PlaceOrder) -> list[Event]:
    """Give the events that bring `order` from its content to `new`, a newer version of it.

    Raises Fault 4005 for what cannot be followed any more: other lines after the release, anything new in an order that
    is over, another address once everything left. The message then waits in the quarantine for a person.
    """
    if order.state in ORDER_DONE:
        return _after_the_end(order, new)
    _check_lines(order, new)
    if new.purchase is Purchase.CANCELLED:
        return _cancelled(order, units, parcels, new)
    # the order may go to the floor before this is written down: then its lines are fixed, and all is decided anew
    seen = {"was": OrderState.RECEIVED.value} if _goods(new) != _goods(order.content) else {}
    if new.ship_to == order.content.ship_to:
        return [_changed(order, new, **seen)]
    # a label may be given out before this is written down: then it has the old address, and all is decided anew
    labels = sorted(parcel.sscc for parcel in parcels if parcel.sscc)
    return [_changed(order, new, labels=labels, **seen), *_readdressed(order, parcels, new)]


def way_back(order: Order, units: Sequence[Unit], parcels: Sequence[Parcel], reason: str) -> list[Event]:
    """Give the events that send what is not gone back to the shelf; units on a table or in a hand are the station's."""
    back = [u for u in units if u.state in _NOT_BEGUN]
    live = [p for p in parcels if p.state not in PARCEL_GONE and p.state is not ParcelState.RETURNING]
    return [
        # a hand may scan the piece before this is written down: then it is not back, and all is decided anew
        *(_event("UnitReturned", unit.unit_id, order, reason=reason, was=unit.state.value) for unit in back),
        *(_event("ParcelReturning", parcel.lpn, order, reason=reason) for parcel in live),
    ]


def is_begun(units: Sequence[Unit], parcels: Sequence[Parcel]) -> bool:
    """Tell whether hands or machines have touched anything of an order."""
    return bool(parcels) or any(u.state not in _NOT_BEGUN for u in units)


def _after_the_end(order: Order, new: PlaceOrder) -> list[Event]:
    """An order that is over hears only what it knows, or that it is cancelled when nothing was sent."""
    if new.digest == order.content.digest:
        return []
    if new.purchase is Purchase.CANCELLED and order.state is not OrderState.CLOSED:
        return []
    raise _too_late(order, f"version {new.version}", f"no change: the order is {order.state}")


def _check_lines(order: Order, new: PlaceOrder) -> None:
    if order.state is OrderState.RECEIVED or _goods(new) == _goods(order.content):
        return
    raise _too_late(order, "other lines", f"the released lines: the order is {order.state}")


def _goods(content: PlaceOrder) -> list[tuple[int, str, int]]:
    """What must lie in the boxes; names and prices may still change."""
    return sorted((line.line_no, line.sku, line.quantity) for line in content.lines)


def _cancelled(order: Order, units: Sequence[Unit], parcels: Sequence[Parcel], new: PlaceOrder) -> list[Event]:
    if order.state is OrderState.RECEIVED:
        was = OrderState.RECEIVED.value
        return [_event("OrderCancelled", order.order_id, order, content=new, reason=CANCELLED, was=was)]
    back = way_back(order, units, parcels, CANCELLED)
    if order.state is not OrderState.SHIPPED and not is_begun(units, parcels):
        return [*back, _event("OrderCancelled", order.order_id, order, content=new, reason=CANCELLED)]
    return [_changed(order, new, reason=CANCELLED), *back]


def _readdressed(order: Order, parcels: Sequence[Parcel], new: PlaceOrder) -> Iterator[Event]:
    if order.state is OrderState.SHIPPED:
        raise _too_late(order, "another address", "the address that the courier has")
    for parcel in parcels:
        if parcel.sscc and can(parcel, "LabelVoided"):
            yield from _relabel(order, parcel)


def _relabel(order: Order, parcel: Parcel) -> Iterator[Event]:
    yield _event("LabelVoided", parcel.lpn, order, sscc=parcel.sscc, reason=ADDRESS_CHANGED)
    # A label that is on the carton must come off by hand before the next one goes on: the way there is clarification.
    if parcel.state in _ON_THE_PARCEL:
        yield _event("ParcelClarify", parcel.lpn, order, reason=ADDRESS_CHANGED)


def _changed(order: Order, new: PlaceOrder, **data: Any) -> Event:
    return _event("OrderChanged", order.order_id, order, content=new, **data)


def _event(kind: str, subject: str, order: Order, **data: Any) -> Event:
    return Event(kind=kind, subject=subject, order_id=order.order_id, actor=f"feed {order.content.channel}", data=data)


def _too_late(order: Order, seen: str, expected: str) -> Fault:
    return Fault(
        4005, where=f"order {order.order_id}", seen=seen, expected=expected, remedy="Settle it with the host by hand."
    )
