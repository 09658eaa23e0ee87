"""Rows of units: one per piece."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from packline.orders.model import OrderState, PlaceOrder, Unit, UnitState
from packline.store.prepared import MOST_QUESTIONS, Change, Question, made_of, one_of, word
from packline.store.schema import orders, unit

_FIELDS = (unit.c.unit_id, unit.c.order_id, unit.c.line_no, unit.c.sku, unit.c.state, unit.c.station, unit.c.lpn)
_ALL = select(*_FIELDS).order_by(unit.c.order_id, unit.c.line_no, unit.c.n)
_RELEASED = unit.c.order_id.in_(select(orders.c.order_id).where(orders.c.state == word(OrderState.RELEASED)))
_unit = made_of(Unit, tuple(column.name for column in _FIELDS))
_ONE = Question(select(*_FIELDS).where(unit.c.unit_id == bindparam("of")), _unit)
_ADD = Change(insert(unit))
_CHANGE = Change(update(unit).where(unit.c.unit_id == bindparam("of")))
_REMOVE = Change(delete(unit).where(unit.c.unit_id == bindparam("of")))


def unit_of(connection: Connection, unit_id: str) -> Unit | None:
    """Give the unit, if the books have it."""
    return _ONE.first(connection, of=unit_id)


def units_of(
    connection: Connection,
    *,
    order_id: str | None = None,
    lpn: str | None = None,
    station: str | None = None,
    states: Collection[UnitState] | None = None,
    released: bool = False,
) -> list[Unit]:
    """Give the units that answer every question asked, by order, line and number; `released`: only of released orders."""
    asked = {"order_id": order_id, "lpn": lpn, "station": station}
    values = {name: value for name, value in asked.items() if value is not None}
    if order_id is None and lpn is None and not released:
        return _asking(tuple(values), None if states is None else tuple(states)).all(connection, **values)
    # The index of states would be taken for that of orders; a shift has thousands of units in the last state, and its queue in the first.
    rows = _asking(tuple(values), None, released=released).all(connection, **values)
    return rows if states is None else [row for row in rows if row.state in states]


@lru_cache(maxsize=MOST_QUESTIONS)
def _asking(names: tuple[str, ...], states: tuple[UnitState, ...] | None, *, released: bool = False) -> Question[Unit]:
    """Give the statement for a set of questions, built once: it is asked hundreds of times a second."""
    query = _ALL.where(_RELEASED) if released else _ALL
    for name in names:
        query = query.where(unit.c[name] == bindparam(name))
    return Question(query if states is None else query.where(one_of(unit.c.state, states)), _unit)


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
    _ADD.run_all(connection, rows)


def change_unit(connection: Connection, changed: Unit, at: datetime) -> None:
    """Write a unit's row anew."""
    _CHANGE.run(connection, {"of": changed.unit_id, **_changing(changed, at)})


def rewrite_units(connection: Connection, content: PlaceOrder, at: datetime) -> None:
    """Make an untouched order's units those that `content` asks for."""
    old = {(u.unit_id, u.sku) for u in units_of(connection, order_id=content.order_id)}
    new = wanted(content)
    gone = old - {(u.unit_id, u.sku) for u in new}
    _REMOVE.run_all(connection, [{"of": unit_id} for unit_id, _ in sorted(gone)])
    add_units(connection, [u for u in new if (u.unit_id, u.sku) not in old], at)


def _changing(changed: Unit, at: datetime) -> dict[str, Any]:
    return {"state": changed.state, "station": changed.station, "lpn": changed.lpn, "changed_at": at}
