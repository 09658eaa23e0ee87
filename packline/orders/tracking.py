"""Which journal events the outside world hears of, and under which name."""

from __future__ import annotations

from collections.abc import Mapping

TRACKING: Mapping[str, str] = {
    "OrderReceived": "order.accepted",
    "UnitInducted": "item.on_stage",
    "UnitInspected": "item.inspected",
    "UnitShort": "item.short",
    "ParcelPacked": "parcel.packed",
    "LabelApplied": "parcel.labelled",
    "LabelVerified": "parcel.verified",
    "ApprovalAsked": "parcel.approval_asked",
    "ParcelApproved": "parcel.approved",
    "ParcelRejected": "parcel.rejected",
    "ParcelShipped": "parcel.handed_over",
    "ParcelDelivered": "parcel.delivered",
    "ParcelReturned": "parcel.returned",
    "OrderReturned": "order.returned",
    "OrderCancelled": "order.cancelled",
    "OrderClosed": "order.closed",
}

BUYER_HEARS = frozenset(TRACKING.values()) - {"parcel.labelled"}
AUDIENCE: Mapping[str, frozenset[str]] = {
    "merchant": frozenset(TRACKING.values()),
    "buyer": BUYER_HEARS,
    "archive": frozenset(TRACKING.values()),
}
"""Subscriber role -> event names it receives."""


def hears(role: str, name: str) -> bool:
    """Tell whether a subscriber of `role` receives the event called `name`."""
    return name in AUDIENCE.get(role, frozenset())
