"""Rows of units: one per piece."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, update

from packline.orders.model import PlaceOrder, Unit, UnitState
from packline.store.schema import unit

_FIELDS = (unit.c.unit_id, unit.c.order_id, unit.c.line_no, unit.c.sku, unit.c.state, unit.c.station, unit.c.lpn)
_ALL = select(*_FIELDS).order_by(unit.c.order_id, unit.c.line_no, unit.c.n)
_ONE = select(*_FIELDS).where(unit.c.unit_id == bindparam("of"))
_ADD = insert(unit)
_CHANGE = update(unit).where(unit.c.unit_id == bindparam("of"))
_REMOVE = delete(unit).where(unit.c.unit_id == bindparam("of"))


def unit_of(connection: Connection, unit_id: str) -> Unit | None:
    """Give the unit, if the books have it."""
    row = connection.execute(_ONE, {"of": unit_id}).first()
    return None if row is None else _unit(row)


def units_of(
    connection: Connection,
    *,
    order_id: str | None = None,
    lpn: str | None = None,
    station: str | None = None,
    states: Collection[UnitState] | None = None,
) -> list[Unit]:
    """Give the units that answer every question asked, by order, line and number."""
    asked = {"order_id": order_id, "lpn": lpn, "station": station, "states": None if states is None else list(states)}
    values = {name: value for name, value in asked.items() if value is not None}
    return [_unit(row) for row in connection.execute(_asking(frozenset(values)), values)]


@cache
def _asking(names: frozenset[str]) -> Select[*tuple[Any, ...]]:
    """Give the statement for a set of questions, built once: it is asked hundreds of times a second."""
    columns = {"order_id": unit.c.order_id, "lpn": unit.c.lpn, "station": unit.c.station}
    query = _ALL
    for name in sorted(names & columns.keys()):
        query = query.where(columns[name] == bindparam(name))
    return query.where(unit.c.state.in_(bindparam("states", expanding=True))) if "states" in names else query


def wanted(content: PlaceOrder) -> list[Unit]:
    """Give the units that an order's lines ask for; `<order_id>.<line_no>.<n>`, n from 1."""
    return [
        Unit(
            unit_id=f"{content.order_id}.{line.line_no}.{n}",
            order_id=content.order_id,
            line_no=line.line_no,
            sku=line.sku,
            state=UnitState.WANTED,
        )
        for line in content.lines
        for n in range(1, line.quantity + 1)
    ]


def add_units(connection: Connection, units: Collection[Unit], at: datetime) -> None:
    """Insert new units."""
    rows = [
        {
            "unit_id": u.unit_id,
            "order_id": u.order_id,
            "line_no": u.line_no,
            "n": int(u.unit_id.rpartition(".")[2]),
            "sku": u.sku,
            **_changing(u, at),
        }
        for u in units
    ]
    if rows:
        connection.execute(_ADD, rows)


def change_unit(connection: Connection, changed: Unit, at: datetime) -> None:
    """Write a unit's row anew."""
    connection.execute(_CHANGE, {"of": changed.unit_id, **_changing(changed, at)})


def rewrite_units(connection: Connection, content: PlaceOrder, at: datetime) -> None:
    """Make an untouched order's units those that `content` asks for."""
    old = {(u.unit_id, u.sku) for u in units_of(connection, order_id=content.order_id)}
    new = wanted(content)
    gone = old - {(u.unit_id, u.sku) for u in new}
    if gone:
        connection.execute(_REMOVE, [{"of": unit_id} for unit_id, _ in sorted(gone)])
    add_units(connection, [u for u in new if (u.unit_id, u.sku) not in old], at)


def _unit(row: Row[*tuple[Any, ...]]) -> Unit:
    return Unit(
        unit_id=row.unit_id,
        order_id=row.order_id,
        line_no=row.line_no,
        sku=row.sku,
        state=row.state,
        station=row.station,
        lpn=row.lpn,
    )


def _changing(changed: Unit, at: datetime) -> dict[str, Any]:
    return {"state": changed.state, "station": changed.station, "lpn": changed.lpn, "changed_at": at}
