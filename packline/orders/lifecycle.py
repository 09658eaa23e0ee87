"""The life of orders, units and parcels as tables; an event that a table does not know changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from packline.core.faults import Fault
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

O, U, P = OrderState, UnitState, ParcelState  # noqa: E741 - tables below stay readable

ORDER: Mapping[tuple[OrderState, str], OrderState] = {
    (O.RECEIVED, "OrderChanged"): O.RECEIVED,
    (O.RECEIVED, "OrderReleased"): O.RELEASED,
    (O.RECEIVED, "OrderCancelled"): O.CANCELLED,
    (O.RELEASED, "OrderChanged"): O.RELEASED,
    (O.RELEASED, "OrderShipped"): O.SHIPPED,
    (O.RELEASED, "OrderReturned"): O.RETURNED,
    (O.RELEASED, "OrderCancelled"): O.CANCELLED,
    (O.SHIPPED, "OrderChanged"): O.SHIPPED,
    (O.SHIPPED, "OrderClosed"): O.CLOSED,
    (O.RECEIVED, "OrderClarify"): O.CLARIFY,
    (O.RELEASED, "OrderClarify"): O.CLARIFY,
    (O.CLARIFY, "OrderChanged"): O.CLARIFY,
    (O.CLARIFY, "OrderReleased"): O.RELEASED,
    (O.CLARIFY, "OrderCancelled"): O.CANCELLED,
    (O.CLARIFY, "OrderShipped"): O.SHIPPED,
}

UNIT: Mapping[tuple[UnitState, str], UnitState] = {
    (U.WANTED, "UnitInducted"): U.INDUCTED,
    (U.INDUCTED, "UnitInspected"): U.INSPECTED,
    (U.INDUCTED, "UnitPutBack"): U.WANTED,
    (U.INSPECTED, "UnitPutBack"): U.WANTED,
    (U.INSPECTED, "UnitBoxed"): U.BOXED,
    (U.WANTED, "UnitShort"): U.SHORT,
    (U.INDUCTED, "UnitShort"): U.SHORT,
    (U.INSPECTED, "UnitShort"): U.SHORT,
    (U.SHORT, "UnitFound"): U.WANTED,
    (U.WANTED, "UnitReturned"): U.RETURNED,
    (U.INDUCTED, "UnitReturned"): U.RETURNED,
    (U.INSPECTED, "UnitReturned"): U.RETURNED,
    (U.BOXED, "UnitReturned"): U.RETURNED,
    (U.SHORT, "UnitReturned"): U.RETURNED,
}

_BEFORE_LABEL = (P.OPEN, P.COLLECTED, P.PACKED)
_WITH_LABEL = (P.PRINTED, P.LABELLED, P.VERIFIED, P.APPROVED)
_LIVE = tuple(s for s in P if s not in PARCEL_GONE)

PARCEL: Mapping[tuple[ParcelState, str], ParcelState] = {
    (P.OPEN, "ParcelCollected"): P.COLLECTED,
    (P.COLLECTED, "ParcelPacked"): P.PACKED,
    (P.PACKED, "LabelAssigned"): P.PACKED,
    (P.PACKED, "LabelPrinted"): P.PRINTED,
    (P.PRINTED, "LabelApplied"): P.LABELLED,
    (P.LABELLED, "LabelVerified"): P.VERIFIED,
    (P.VERIFIED, "ApprovalAsked"): P.VERIFIED,
    (P.VERIFIED, "ParcelApproved"): P.APPROVED,
    (P.VERIFIED, "ParcelRejected"): P.RETURNING,
    (P.APPROVED, "ParcelRejected"): P.RETURNING,
    (P.APPROVED, "ParcelShipped"): P.SHIPPED,
    (P.SHIPPED, "ParcelDelivered"): P.DELIVERED,
    (P.RETURNING, "ParcelReturned"): P.RETURNED,
    (P.CLARIFY, "ParcelReturned"): P.RETURNED,
    (P.CLARIFY, "ParcelShipped"): P.SHIPPED,
    (P.PACKED, "LabelVoided"): P.PACKED,
    (P.CLARIFY, "LabelVoided"): P.CLARIFY,
    (P.RETURNING, "LabelVoided"): P.RETURNING,
    **{(s, "LabelVoided"): P.PACKED for s in _WITH_LABEL},
    **{(s, "ParcelReturning"): P.RETURNING for s in _LIVE if s is not P.RETURNING},
    **{(s, "ParcelClarify"): P.CLARIFY for s in _LIVE if s is not P.CLARIFY},
    **{(s, kind): s for s in _LIVE for kind in ("ParcelArrived", "ParcelMoved", "ParcelHeld", "ParcelUnheld")},
}
RESUMABLE = frozenset({*_BEFORE_LABEL, *_WITH_LABEL, P.RETURNING})

CREATES = {"OrderReceived": "order", "ParcelOpened": "parcel"}
TARGET: Mapping[str, str] = {
    **CREATES,
    **{event: "order" for _, event in ORDER},
    **{event: "unit" for _, event in UNIT},
    **{event: "parcel" for _, event in PARCEL},
    "ParcelResumed": "parcel",
}
"""Which row an event changes; kinds that are not here are plain journal entries."""


def order_after(order: Order, event: Event) -> Order:
    """Give the order after `event`; raises Fault 5101. `OrderChanged` brings `content` as a PlaceOrder in data.

    `was` in data is the state in which the order was seen when this was decided; in another one it must be decided anew.
    """
    _as_seen(order.state, event)
    state = _step(ORDER, order.state, event)
    content = event.data.get("content", order.content)
    return replace(order, state=state, content=content, **_times(event), reason=event.data.get("reason", order.reason))


def unit_after(unit: Unit, event: Event) -> Unit:
    """Give the unit after `event`; raises Fault 5101.

    `was` in data is the state in which the unit was seen when this was decided; in another one it must be decided anew.
    """
    _as_seen(unit.state, event)
    state = _step(UNIT, unit.state, event)
    station = event.station if event.kind == "UnitInducted" else unit.station
    lpn = event.data.get("lpn", unit.lpn)
    return replace(unit, state=state, station=station, lpn=lpn)


def parcel_after(parcel: Parcel, event: Event) -> Parcel:
    """Give the parcel after `event`; raises Fault 5101.

    `was` in data is the state in which the parcel was seen when this was decided; in another one it must be decided anew.
    """
    _as_seen(parcel.state, event)
    if event.kind == "ParcelResumed":
        return _resumed(parcel, event)
    _same_label(parcel, event)
    state = _step(PARCEL, parcel.state, event)
    change = _PARCEL_CHANGES.get(event.kind)
    changed = replace(parcel, state=state, **(change(parcel, event.data) if change else {}))
    return replace(
        changed, place=event.data.get("place", changed.place), reason=event.data.get("reason", parcel.reason)
    )


def can(parcel: Parcel, kind: str) -> bool:
    """Tell whether the table knows `kind` in the parcel's state."""
    return (parcel.state, kind) in PARCEL


_OF_ONE_LABEL = frozenset({"LabelPrinted", "LabelApplied", "LabelVerified", "LabelVoided"})


def _same_label(parcel: Parcel, event: Event) -> None:
    """What happened to a label that was voided meanwhile did not happen to the parcel's label of now."""
    sscc = event.data.get("sscc", parcel.sscc)
    if event.kind in _OF_ONE_LABEL and sscc != parcel.sscc:
        raise Fault(5101, where=event.subject, seen=f"{event.kind} of {sscc}", expected=parcel.sscc or "no label")


def _resumed(parcel: Parcel, event: Event) -> Parcel:
    to = event.data.get("to", parcel.resume)
    if parcel.state is not P.CLARIFY or to not in {s.value for s in RESUMABLE}:
        raise Fault(5101, where=f"parcel {parcel.lpn}", seen=f"ParcelResumed to {to} in {parcel.state}")
    return replace(parcel, state=ParcelState(to), resume="", reason="", held=False)


_PARCEL_CHANGES: Mapping[str, Any] = {
    "LabelAssigned": lambda p, d: {
        "sscc": d["sscc"],
        "print_number": d["print_number"],
        "generation": p.generation + 1,
    },
    "LabelVoided": lambda p, d: {
        "sscc": "",
        "print_number": 0,
        "approval": "",
        "approve_until": None,
        # nothing comes back from clarification as labelled when its label is void
        "resume": P.PACKED.value if p.resume in {s.value for s in _WITH_LABEL} else p.resume,
    },
    "ApprovalAsked": lambda p, d: {"approval": "asked", "approve_until": _when(d["until"])},
    "ParcelApproved": lambda p, d: {"approval": d.get("approval", "approved"), "approve_until": None},
    "ParcelRejected": lambda p, d: {"approval": "rejected", "approve_until": None},
    "ParcelArrived": lambda p, d: {"visits": p.visits + 1},
    "ParcelHeld": lambda p, d: {"held": True},
    "ParcelUnheld": lambda p, d: {"held": False, "reason": ""},
    "ParcelClarify": lambda p, d: {"resume": p.state.value},
    "ParcelShipped": lambda p, d: {
        "place": "gone",
        # voided while it left: it wears that label all the same, and the courier tells its delivery by it
        "sscc": p.sscc or d.get("sscc", ""),
        "print_number": p.print_number or d.get("print_number", 0),
    },
    "ParcelReturned": lambda p, d: {"place": "shelf"},
}


def _times(event: Event) -> dict[str, Any]:
    return {k: _when(event.data[k]) for k in ("reserve_until", "pay_until") if k in event.data}


def _when(value: str | datetime | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _as_seen(state: OrderState | UnitState | ParcelState, event: Event) -> None:
    was = event.data.get("was", state)
    if was != state:
        raise Fault(5101, where=event.subject, seen=f"{event.kind} in state {state}", expected=str(was))


def _step(table: Mapping[tuple[Any, str], Any], state: Any, event: Event) -> Any:
    try:
        return table[state, event.kind]
    except KeyError:
        raise Fault(5101, where=event.subject, seen=f"{event.kind} in state {state}") from None


__all__ = ["ORDER", "PARCEL", "PARCEL_DONE", "TARGET", "UNIT", "can", "order_after", "parcel_after", "unit_after"]
