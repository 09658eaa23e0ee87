"""Plays journal rows from the first on: the orders, units and parcels that they give, as the rows of the books should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from packline.core.faults import Fault
from packline.orders.lifecycle import TARGET, order_after, parcel_after, unit_after
from packline.orders.model import Event, Order, OrderState, Parcel, Unit
from packline.orders.ports import Label
from packline.store.codec import place_order
from packline.store.orders import received
from packline.store.parcels import LABEL_STATES, opened
from packline.store.units import wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Affair:
    """One order with its units and parcels, as they were at a moment."""

    order: Order
    units: Sequence[Unit]
    parcels: Sequence[Parcel]


class World:
    """What the journal says so far."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.parcels: dict[str, Parcel] = {}
        self.labels: dict[str, Label] = {}
        self._units: dict[str, dict[str, Unit]] = {}
        self._cartons: dict[str, list[str]] = {}
        self._owner: dict[str, str] = {}

    def play(self, event: Event, at: datetime) -> str:
        """Apply one event; gives the order that it is about. Raises Fault 5101, or KeyError for an unknown subject."""
        target = TARGET.get(event.kind)
        if target == "order":
            self._play_order(event, at)
            return event.subject
        if target == "unit":
            order_id = self.owner(event.subject)
            self._units[order_id][event.subject] = unit_after(self._units[order_id][event.subject], event)
            return order_id
        if target == "parcel":
            return self._play_parcel(event)
        return event.order_id

    def owner(self, unit_id: str) -> str:
        """Give the order of a unit; raises KeyError."""
        return self._owner[unit_id]

    def units(self) -> Iterator[Unit]:
        """Give all units."""
        for units in self._units.values():
            yield from units.values()

    def unit(self, unit_id: str) -> Unit:
        """Give one unit; raises KeyError."""
        return self._units[self._owner[unit_id]][unit_id]

    def affair(self, order_id: str) -> Affair | None:
        """Give an order with all that belongs to it."""
        order = self.orders.get(order_id)
        if order is None:
            return None
        units = tuple(sorted(self._units.get(order_id, {}).values(), key=_by_line))
        return Affair(order=order, units=units, parcels=tuple(self.parcels[n] for n in self._cartons.get(order_id, [])))

    def _play_order(self, event: Event, at: datetime) -> None:
        before = self.orders.get(event.subject)
        after = received(event.data["content"], at) if before is None else order_after(before, event)
        if before is not None and event.kind == "OrderReceived":
            raise Fault(5101, where=event.subject, seen="OrderReceived of an order that is there already")
        self.orders[event.subject] = after
        if before is None or (before.state is OrderState.RECEIVED and before.content.lines != after.content.lines):
            self._replace_units(after)

    def _replace_units(self, order: Order) -> None:
        old = self._units.get(order.order_id, {})
        for name in old:
            del self._owner[name]
        fresh = {}
        for unit in wanted(order.content):
            same = old.get(unit.unit_id)
            fresh[unit.unit_id] = same if same and same.sku == unit.sku else unit
            self._owner[unit.unit_id] = order.order_id
        self._units[order.order_id] = fresh

    def _play_parcel(self, event: Event) -> str:
        before = self.parcels.get(event.subject)
        if event.kind == "ParcelOpened":
            if before is not None or event.order_id not in self.orders:
                raise Fault(5101, where=event.subject, seen="ParcelOpened twice, or for no order")
            after = opened(event.subject, event.order_id, event.data)
            self._cartons.setdefault(event.order_id, []).append(event.subject)
        elif before is None:
            raise KeyError(event.subject)
        else:
            after = parcel_after(before, event)
            self._follow_label(event.kind, before, after)
        self.parcels[event.subject] = after
        return after.order_id

    def _follow_label(self, kind: str, before: Parcel, after: Parcel) -> None:
        if kind == "LabelAssigned":
            self._move_label(before.sscc, "voided")
            self.labels[after.sscc] = Label(
                sscc=after.sscc,
                lpn=after.lpn,
                print_number=after.print_number,
                generation=after.generation,
                state="assigned",
            )
        elif kind in LABEL_STATES:
            self._move_label(before.sscc, LABEL_STATES[kind])

    def _move_label(self, sscc: str, state: str) -> None:
        if sscc in self.labels:
            known = self.labels[sscc]
            self.labels[sscc] = Label(
                sscc=sscc,
                lpn=known.lpn,
                print_number=known.print_number,
                generation=known.generation,
                state=state,
            )


def event_of(row: Mapping[str, Any] | RowMapping) -> Event:
    """Give the event that a journal row tells of; raises KeyError, TypeError or ValueError for a content that is none."""
    data: Mapping[str, Any] = row["data"]
    if "content" in data and TARGET.get(row["kind"]) == "order":
        data = {**data, "content": place_order(data["content"])}
    names = ("kind", "subject", "order_id", "station", "actor")
    return Event(**{name: row[name] for name in names}, data=data)


def _by_line(unit: Unit) -> tuple[int, int]:
    return unit.line_no, int(unit.unit_id.rpartition(".")[2])
