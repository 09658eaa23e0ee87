"""Why something waits: pure answers that a screen can print."""

from __future__ import annotations

from packline.orders.model import ORDER_LEFT, Order, OrderState, Parcel, ParcelState, Purchase, UnitState

UNITS_IN_WORK = frozenset({UnitState.WANTED, UnitState.INDUCTED, UnitState.INSPECTED})
PARCELS_IN_WORK = frozenset(
    {ParcelState.OPEN, ParcelState.COLLECTED, ParcelState.PACKED, ParcelState.PRINTED, ParcelState.LABELLED}
)
"""An order on the floor is in work while it has a piece or a carton in one of these states; only such ones use the floor."""


def order_blockers(order: Order, *, in_work: int, wip_limit: int) -> tuple[str, ...]:
    """Say why `order` is not released to the floor: keys for the screen, empty when it may go."""
    reasons = []
    if order.state is not OrderState.RECEIVED:
        reasons.append("not_waiting")
    if order.content.purchase is Purchase.CANCELLED:
        reasons.append("cancelled")
    if in_work >= wip_limit:
        reasons.append("wip_limit")
    return tuple(reasons)


def pack_blockers(order: Order, parcel: Parcel) -> tuple[str, ...]:
    """Say why `parcel` may not be packed yet."""
    return _sale(order) + _hold(order, parcel)


def label_blockers(order: Order, parcel: Parcel) -> tuple[str, ...]:
    """Say why `parcel` waits at labelling: it must be bought, paid and addressed."""
    reasons = list(_sale(order))
    if not order.content.paid:
        reasons.append("not_paid")
    if order.content.ship_to is None:
        reasons.append("no_address")
    return (*reasons, *_hold(order, parcel))


def ship_blockers(order: Order, parcel: Parcel) -> tuple[str, ...]:
    """Say why the courier may not take `parcel`."""
    reasons = list(_hold(order, parcel))
    if parcel.state is ParcelState.VERIFIED:
        reasons.append("not_approved")
    elif parcel.state is not ParcelState.APPROVED and not reasons:
        reasons.append("not_ready")
    return tuple(reasons)


def _sale(order: Order) -> tuple[str, ...]:
    return ("not_bought",) if order.content.purchase is Purchase.RESERVED else ()


def _hold(order: Order, parcel: Parcel) -> tuple[str, ...]:
    held = ("held",) if parcel.held else ()
    unclear = ("order_unclear",) if order.state is OrderState.CLARIFY else ()
    over = ("order_over",) if order.state in ORDER_LEFT else ()
    return (*held, *unclear, *over, *(("cancelled",) if order.content.purchase is Purchase.CANCELLED else ()))
