"""Checks the rows against the journal: played again from the first event, it must give the same orders, units, parcels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, select

from packline.core.faults import Fault
from packline.store.journal import PIECEMEAL, broken_links
from packline.store.orders import order_of
from packline.store.parcels import parcels_of
from packline.store.schema import journal, orders
from packline.store.units import units_of
from packline.store.world import World, event_of

MOST_FINDINGS = 50


def audit(connection: Connection) -> list[str]:
    """Say, at most MOST_FINDINGS times, what does not hold; reads the whole journal."""
    findings = list(broken_links(connection, MOST_FINDINGS))
    world = World()
    for row in connection.execute(select(journal).order_by(journal.c.seq), execution_options=PIECEMEAL).mappings():
        try:
            world.play(event_of(row), row["at"])
        except (Fault, KeyError, TypeError, ValueError) as error:
            findings.append(f"journal {row['seq']}: {row['kind']} of {row['subject']} cannot be played: {error}")
    findings.extend(differences(connection, world))
    return findings[:MOST_FINDINGS]


def differences(connection: Connection, world: World) -> Iterator[str]:
    """Say where the rows of orders, units and parcels are not those that the journal gives."""
    ids = connection.execute(select(orders.c.order_id)).scalars().all()
    rows = {order_id: order_of(connection, order_id) for order_id in ids}
    yield from _compare("order", rows, world.orders)
    yield from _compare("unit", {u.unit_id: u for u in units_of(connection)}, {u.unit_id: u for u in world.units()})
    yield from _compare("parcel", {p.lpn: p for p in parcels_of(connection)}, world.parcels)


def _compare(what: str, rows: Mapping[str, object], replayed: Mapping[str, object]) -> Iterator[str]:
    for name in sorted({*rows, *replayed}):
        if rows.get(name) != replayed.get(name):
            yield f"{what} {name}: row {rows.get(name)} but the journal gives {replayed.get(name)}"
