"""Orders, units and parcels in any state, for tests of the rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from packline.orders.model import (
    Address,
    Event,
    Order,
    OrderLine,
    OrderState,
    Parcel,
    ParcelState,
    PlaceOrder,
    Purchase,
    Unit,
    UnitState,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADDRESS = Address(recipient="王小明", lines=("中山路 1 号",), city="上海")


def content(**changes: Any) -> PlaceOrder:
    """Make a host's order."""
    fields: dict[str, Any] = {
        "channel": "market",
        "external_id": "HM-1",
        "version": 1,
        "digest": "0" * 64,
        "merchant": "m",
        "buyer": "b",
        "placed_at": NOW,
        "currency": "CNY",
        "lines": (OrderLine(line_no=1, sku="CUP", name="Cup", quantity=1, unit_minor=100),),
        "total_minor": 100,
        "purchase": Purchase.BOUGHT,
        "paid": True,
        "ship_to": ADDRESS,
    }
    return PlaceOrder(**{**fields, **changes})


def order(state: OrderState = OrderState.RELEASED, **changes: Any) -> Order:
    """Make an order in a state."""
    return Order(order_id="market-HM-1", content=content(**changes), state=state, received_at=NOW)


def unit(state: UnitState = UnitState.WANTED, n: int = 1) -> Unit:
    """Make a unit in a state."""
    return Unit(unit_id=f"market-HM-1.1.{n}", order_id="market-HM-1", line_no=1, sku="CUP", state=state)


def parcel(state: ParcelState = ParcelState.OPEN, **changes: Any) -> Parcel:
    """Make a parcel in a state; one that left has a label."""
    label = "395213210000000019" if state in (ParcelState.SHIPPED, ParcelState.DELIVERED) else ""
    fields: dict[str, Any] = {"lpn": "PL0000000017", "order_id": "market-HM-1", "state": state, "sscc": label}
    return Parcel(**{**fields, **changes})


def event(kind: str, subject: str = "PL0000000017", **data: Any) -> Event:
    """Make an event."""
    return Event(kind=kind, subject=subject, order_id="market-HM-1", data=data)


FULL: dict[str, dict[str, Any]] = {
    "LabelAssigned": {"sscc": "395213210000009999", "print_number": 7},
    "ApprovalAsked": {"until": NOW.isoformat()},
}
"""What events must bring so that they can be applied."""

ORDERS = st.builds(
    order,
    st.sampled_from(OrderState),
    purchase=st.sampled_from(Purchase),
    paid=st.booleans(),
    ship_to=st.sampled_from([None, ADDRESS]),
)
PARCELS = st.builds(
    parcel,
    st.sampled_from(ParcelState),
    held=st.booleans(),
    bench=st.booleans(),
    sscc=st.sampled_from(["", "395213210000009999"]),
    resume=st.sampled_from(["", "open", "packed", "verified"]),
    generation=st.integers(0, 3),
    visits=st.integers(0, 3),
)
