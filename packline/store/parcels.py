"""Rows of parcels and of every label number they ever had."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update

from packline.orders.model import Parcel, ParcelState
from packline.orders.ports import Label
from packline.store.schema import journal, label, parcel

_NAMES = tuple(field.name for field in fields(Parcel))
_FIELDS = tuple(parcel.c[name] for name in _NAMES)
_ALL = select(*_FIELDS).order_by(parcel.c.opened_at, parcel.c.lpn)
_ONE = select(*_FIELDS).where(parcel.c.lpn == bindparam("of"))
_ADD = insert(parcel)
_CHANGE = update(parcel).where(parcel.c.lpn == bindparam("of"))

_LABEL = select(label.c.sscc, label.c.lpn, label.c.print_number, label.c.generation, label.c.state).where(
    label.c.sscc == bindparam("of")
)
_PROOF = (
    select(journal.c.data)
    .where(journal.c.subject == bindparam("of"), journal.c.kind == "LabelVerified")
    .order_by(journal.c.seq.desc())
    .limit(1)
)
_ADD_LABEL = insert(label)
_CHANGE_LABEL = update(label).where(label.c.sscc == bindparam("of"))
LABEL_STATES: Mapping[str, str] = {
    "LabelPrinted": "printed",
    "LabelApplied": "applied",
    "LabelVerified": "verified",
    "LabelVoided": "voided",
}


def parcel_of(connection: Connection, lpn: str) -> Parcel | None:
    """Give the parcel, if the books have it."""
    row = connection.execute(_ONE, {"of": lpn}).first()
    return None if row is None else _parcel(row)


def parcels_of(
    connection: Connection,
    *,
    order_id: str | None = None,
    states: Collection[ParcelState] | None = None,
    place: str | None = None,
) -> list[Parcel]:
    """Give the parcels that answer every question asked, oldest first."""
    asked = {"order_id": order_id, "place": place, "states": None if states is None else list(states)}
    values = {name: value for name, value in asked.items() if value is not None}
    return [_parcel(row) for row in connection.execute(_asking(frozenset(values)), values)]


@cache
def _asking(names: frozenset[str]) -> Select[*tuple[Any, ...]]:
    """Give the statement for a set of questions, built once: it is asked hundreds of times a second."""
    columns = {"order_id": parcel.c.order_id, "place": parcel.c.place}
    query = _ALL
    for name in sorted(names & columns.keys()):
        query = query.where(columns[name] == bindparam(name))
    return query.where(parcel.c.state.in_(bindparam("states", expanding=True))) if "states" in names else query


def opened(lpn: str, order_id: str, data: Mapping[str, Any]) -> Parcel:
    """Give the parcel that `ParcelOpened` makes."""
    place, bench = str(data.get("place", "")), bool(data.get("bench", False))
    return Parcel(lpn=lpn, order_id=order_id, state=ParcelState.OPEN, place=place, bench=bench)


def add_parcel(connection: Connection, new: Parcel, at: datetime) -> None:
    """Insert a new parcel."""
    connection.execute(_ADD, {**_row(new), "opened_at": at, "changed_at": at})


def change_parcel(connection: Connection, changed: Parcel, at: datetime) -> None:
    """Write a parcel's row anew."""
    connection.execute(_CHANGE, {**_row(changed), "of": changed.lpn, "changed_at": at})


def label_of(connection: Connection, sscc: str) -> Label | None:
    """Give the label ever assigned under `sscc`."""
    row = connection.execute(_LABEL, {"of": sscc}).first()
    return None if row is None else Label(**row._asdict())


def proof_of(connection: Connection, lpn: str) -> str:
    """Give the id of the picture by which the parcel's label was proved last; "" without one."""
    data = connection.execute(_PROOF, {"of": lpn}).scalar()
    return str((data or {}).get("picture", ""))


def follow_label(connection: Connection, kind: str, before: Parcel, after: Parcel, at: datetime) -> None:
    """Bring the label rows after an event of their parcel; a parcel has at most one that is not voided."""
    if kind == "LabelAssigned":
        _move_label(connection, before.sscc, "voided", at)
        _add_label(connection, after, at)
    elif kind in LABEL_STATES:
        _move_label(connection, before.sscc, LABEL_STATES[kind], at)


def _add_label(connection: Connection, after: Parcel, at: datetime) -> None:
    row = {
        "sscc": after.sscc,
        "lpn": after.lpn,
        "print_number": after.print_number,
        "generation": after.generation,
        "state": "assigned",
        "assigned_at": at,
        "changed_at": at,
    }
    connection.execute(_ADD_LABEL, row)


def _move_label(connection: Connection, sscc: str, state: str, at: datetime) -> None:
    if sscc:
        connection.execute(_CHANGE_LABEL, {"of": sscc, "state": state, "changed_at": at})


def _parcel(row: Row[Any]) -> Parcel:
    return Parcel(**row._asdict())


def _row(changed: Parcel) -> dict[str, Any]:
    return {name: getattr(changed, name) for name in _NAMES}
