"""Checks the rows against the journal: played again from the first event, it must give the same orders, units, parcels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from packline.core.faults import Fault
from packline.orders.lifecycle import TARGET, order_after, parcel_after, unit_after
from packline.orders.model import Event, Order, OrderState, Parcel, Unit
from packline.store.codec import place_order
from packline.store.journal import broken_links
from packline.store.orders import order_of, received
from packline.store.parcels import opened, parcels_of
from packline.store.schema import journal, orders
from packline.store.units import units_of, wanted

MOST_FINDINGS = 50


@dataclass(slots=True)
class _Replayed:
    """What the journal says the rows should be."""

    orders: dict[str, Order] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    parcels: dict[str, Parcel] = field(default_factory=dict)


def audit(connection: Connection) -> list[str]:
    """Say, at most MOST_FINDINGS times, what does not hold; reads the whole journal."""
    findings = list(broken_links(connection, MOST_FINDINGS))
    replayed = _Replayed()
    for row in connection.execute(select(journal).order_by(journal.c.seq)).mappings():
        try:
            _play(replayed, row)
        except (Fault, KeyError, TypeError, ValueError) as error:
            findings.append(f"journal {row['seq']}: {row['kind']} of {row['subject']} cannot be played: {error}")
    findings.extend(_differences(connection, replayed))
    return findings[:MOST_FINDINGS]


def _play(replayed: _Replayed, row: RowMapping) -> None:
    event = _event(row)
    target = TARGET.get(event.kind)
    if target == "order":
        _play_order(replayed, event, row)
    elif target == "unit":
        replayed.units[event.subject] = unit_after(replayed.units[event.subject], event)
    elif event.kind == "ParcelOpened":
        replayed.parcels[event.subject] = opened(event.subject, event.order_id, event.data)
    elif target == "parcel":
        replayed.parcels[event.subject] = parcel_after(replayed.parcels[event.subject], event)


def _play_order(replayed: _Replayed, event: Event, row: RowMapping) -> None:
    before = replayed.orders.get(event.subject)
    after = received(event.data["content"], row["at"]) if before is None else order_after(before, event)
    replayed.orders[event.subject] = after
    if before is None or (before.state is OrderState.RECEIVED and before.content.lines != after.content.lines):
        _replace_units(replayed, after)


def _replace_units(replayed: _Replayed, order: Order) -> None:
    old = {name: unit for name, unit in replayed.units.items() if unit.order_id == order.order_id}
    for name in old:
        del replayed.units[name]
    for unit in wanted(order.content):
        same = old.get(unit.unit_id)
        replayed.units[unit.unit_id] = same if same and same.sku == unit.sku else unit


def _event(row: RowMapping) -> Event:
    data: Mapping[str, Any] = row["data"]
    if "content" in data and TARGET.get(row["kind"]) == "order":
        data = {**data, "content": place_order(data["content"])}
    return Event(
        kind=row["kind"],
        subject=row["subject"],
        order_id=row["order_id"],
        station=row["station"],
        actor=row["actor"],
        data=data,
    )


def _differences(connection: Connection, replayed: _Replayed) -> Iterator[str]:
    ids = connection.execute(select(orders.c.order_id)).scalars().all()
    rows = {order_id: order_of(connection, order_id) for order_id in ids}
    yield from _compare("order", rows, replayed.orders)
    yield from _compare("unit", {u.unit_id: u for u in units_of(connection)}, replayed.units)
    yield from _compare("parcel", {p.lpn: p for p in parcels_of(connection)}, replayed.parcels)


def _compare(what: str, rows: Mapping[str, object], replayed: Mapping[str, object]) -> Iterator[str]:
    for name in sorted({*rows, *replayed}):
        if rows.get(name) != replayed.get(name):
            yield f"{what} {name}: row {rows.get(name)} but the journal gives {replayed.get(name)}"
