"""Where a parcel belongs next, from its state alone."""

from __future__ import annotations

from dataclasses import dataclass

from packline.orders.model import ORDER_LEFT, Item, Order, OrderState, Parcel, ParcelState
from packline.orders.release import label_blockers, pack_blockers


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """`kind` is collect | pack | label | hold | gate | clarify | shelf | gone; `why` are keys for the screen."""

    kind: str
    why: tuple[str, ...] = ()


P = ParcelState
_FIXED = {
    P.OPEN: "collect",
    P.PRINTED: "label",
    P.LABELLED: "label",
    P.VERIFIED: "hold",
    P.APPROVED: "gate",
    P.SHIPPED: "gone",
    P.DELIVERED: "gone",
    P.RETURNING: "shelf",
    P.RETURNED: "gone",
    P.CLARIFY: "clarify",
}
_IN_WORK = frozenset({P.COLLECTED, P.PACKED, P.PRINTED, P.LABELLED, P.VERIFIED, P.APPROVED})
_WAITS = {P.COLLECTED: ("pack", pack_blockers), P.PACKED: ("label", label_blockers)}


def destination(order: Order, parcel: Parcel) -> Destination:
    """Give the place `parcel` must go to now."""
    if parcel.held and parcel.state not in (P.SHIPPED, P.DELIVERED, P.RETURNED):
        return Destination(kind="clarify" if parcel.state is P.CLARIFY else "hold", why=("held",))
    if order.state in ORDER_LEFT and (parcel.state is P.OPEN or parcel.state in _IN_WORK):
        return Destination(kind="clarify", why=("order_over",))
    if order.state is OrderState.CLARIFY and parcel.state in _IN_WORK:
        return Destination(kind="hold", why=("order_unclear",))
    if parcel.state in _WAITS:
        kind, blockers = _WAITS[parcel.state]
        why = blockers(order, parcel)
        return Destination(kind="hold", why=why) if why else Destination(kind=kind)
    why = ("not_approved",) if parcel.state is P.VERIFIED else ()
    return Destination(kind=_FIXED[parcel.state], why=why)


def needs_bench(items: list[Item], *, most_mm: tuple[int, int, int]) -> bool:
    """Tell whether any item is too large for the packaging machine (length, width, height in mm, sorted)."""
    limit = sorted(most_mm)
    return any(a > b for item in items for a, b in zip(_sizes(item), limit, strict=True))


def _sizes(item: Item) -> list[int]:
    return sorted((item.length_mm, item.width_mm, item.height_mm))
