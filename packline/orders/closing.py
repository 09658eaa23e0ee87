"""When an order is over: shipped, closed, returned or cancelled, from its units and parcels."""

from __future__ import annotations

from collections.abc import Sequence

from packline.orders.model import (
    PARCEL_DONE,
    PARCEL_GONE,
    Event,
    Order,
    OrderState,
    Parcel,
    ParcelState,
    Unit,
    UnitState,
)

_UNFINISHED = frozenset({UnitState.WANTED, UnitState.INDUCTED, UnitState.INSPECTED})
_LEFT = frozenset({ParcelState.SHIPPED, ParcelState.DELIVERED})


def closing(order: Order, units: Sequence[Unit], parcels: Sequence[Parcel], actor: str = "controller") -> list[Event]:
    """Give the order events that are due now that units or parcels changed; empty when nothing is."""
    kinds: list[str] = []
    if order.state is OrderState.RELEASED:
        kinds = _leaving(units, parcels)
    if _is_shipped(order, kinds) and parcels and all(is_done(p) for p in parcels):
        kinds.append("OrderClosed")
    return [Event(kind=k, subject=order.order_id, order_id=order.order_id, actor=actor) for k in kinds]


def is_done(parcel: Parcel) -> bool:
    """Tell whether nothing more is to be heard of a parcel.

    One that left under a label that the books have lost (a restored backup) can never be told delivered.
    """
    return parcel.state in PARCEL_DONE or (parcel.state is ParcelState.SHIPPED and not parcel.sscc)


def _leaving(units: Sequence[Unit], parcels: Sequence[Parcel]) -> list[str]:
    if any(u.state in _UNFINISHED for u in units) or any(p.state not in PARCEL_GONE for p in parcels):
        return []
    if any(p.state in _LEFT for p in parcels):
        return ["OrderShipped"]
    return ["OrderReturned"] if parcels or any(u.state is UnitState.RETURNED for u in units) else ["OrderCancelled"]


def _is_shipped(order: Order, kinds: list[str]) -> bool:
    return order.state is OrderState.SHIPPED or "OrderShipped" in kinds


def is_collected(order_units: Sequence[Unit]) -> bool:
    """Tell whether every unit of an order is in a carton, short or returned, and at least one is in a carton."""
    return not any(u.state in _UNFINISHED for u in order_units) and any(u.state is UnitState.BOXED for u in order_units)
