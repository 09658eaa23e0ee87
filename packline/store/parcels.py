"""Rows of parcels and of every label number they ever had."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.core.faults import Fault
from packline.orders.model import Parcel, ParcelState
from packline.orders.ports import Label
from packline.store.prepared import MOST_QUESTIONS, Change, Question, at_most, made_of, one_of, question
from packline.store.schema import journal, label, parcel

_NAMES = tuple(field.name for field in fields(Parcel))
_FIELDS = tuple(parcel.c[name] for name in _NAMES)
_ALL = select(*_FIELDS).order_by(parcel.c.opened_at, parcel.c.lpn)
_parcel = made_of(Parcel, _NAMES)
_ONE = Question(select(*_FIELDS).where(parcel.c.lpn == bindparam("of")), _parcel)
_ADD = Change(insert(parcel))
_CHANGE = Change(update(parcel).where(parcel.c.lpn == bindparam("of")))

_LABEL_FIELDS = tuple(label.c[field.name] for field in fields(Label))
_LABEL = Question(
    select(*_LABEL_FIELDS).where(label.c.sscc == bindparam("of")),
    made_of(Label, tuple(column.name for column in _LABEL_FIELDS)),
)
_PROOF = question(
    at_most(
        select(journal.c.data)
        .where(journal.c.subject == bindparam("of"), journal.c.kind == "LabelVerified")
        .order_by(journal.c.seq.desc()),
        1,
    )
)
_ADD_LABEL = Change(insert(label))
_CHANGE_LABEL = Change(update(label).where(label.c.sscc == bindparam("of")))
LABEL_STATES: Mapping[str, str] = {
    "LabelPrinted": "printed",
    "LabelApplied": "applied",
    "LabelVerified": "verified",
    "LabelVoided": "voided",
}


def parcel_of(connection: Connection, lpn: str) -> Parcel | None:
    """Give the parcel, if the books have it."""
    return _ONE.first(connection, of=lpn)


def parcels_of(
    connection: Connection,
    *,
    order_id: str | None = None,
    states: Collection[ParcelState] | None = None,
    place: str | None = None,
) -> list[Parcel]:
    """Give the parcels that answer every question asked, oldest first."""
    asked = {"order_id": order_id, "place": place}
    values = {name: value for name, value in asked.items() if value is not None}
    if not values:
        return _asking((), None if states is None else tuple(states)).all(connection)
    # The index of states would be taken for that of orders, and a shift has thousands of parcels in the last state.
    rows = _asking(tuple(values), None).all(connection, **values)
    return rows if states is None else [row for row in rows if row.state in states]


@lru_cache(maxsize=MOST_QUESTIONS)
def _asking(names: tuple[str, ...], states: tuple[ParcelState, ...] | None) -> Question[Parcel]:
    """Give the statement for a set of questions, built once: it is asked hundreds of times a second."""
    query = _ALL
    for name in names:
        query = query.where(parcel.c[name] == bindparam(name))
    return Question(query if states is None else query.where(one_of(parcel.c.state, states)), _parcel)


def opened(lpn: str, order_id: str, data: Mapping[str, Any]) -> Parcel:
    """Give the parcel that `ParcelOpened` makes."""
    place, bench = str(data.get("place", "")), bool(data.get("bench", False))
    return Parcel(lpn=lpn, order_id=order_id, state=ParcelState.OPEN, place=place, bench=bench)


def add_parcel(connection: Connection, new: Parcel, at: datetime) -> None:
    """Insert a new parcel."""
    _ADD.run(connection, {**_row(new), "opened_at": at, "changed_at": at})


def change_parcel(connection: Connection, changed: Parcel, at: datetime) -> None:
    """Write a parcel's row anew."""
    _CHANGE.run(connection, {**_row(changed), "of": changed.lpn, "changed_at": at})


def label_of(connection: Connection, sscc: str) -> Label | None:
    """Give the label ever assigned under `sscc`."""
    return _LABEL.first(connection, of=sscc)


def proof_of(connection: Connection, lpn: str) -> str:
    """Give the id of the picture by which the parcel's label was proved last; "" without one."""
    row = _PROOF.first(connection, of=lpn)
    return "" if row is None else str(row.data.get("picture", ""))


def follow_label(connection: Connection, kind: str, before: Parcel, after: Parcel, at: datetime) -> None:
    """Bring the label rows after an event of their parcel; a parcel has at most one that is not voided."""
    if kind == "LabelAssigned":
        _move_label(connection, before.sscc, "voided", at)
        _add_label(connection, after, at)
    elif kind in LABEL_STATES:
        _move_label(connection, before.sscc, LABEL_STATES[kind], at)
    elif after.sscc and not before.sscc:  # it left with the label that was voided meanwhile
        worn = label_of(connection, after.sscc)
        if worn is None or worn.lpn != after.lpn:
            raise Fault(5101, where=after.lpn, seen=f"{kind} with {after.sscc}", expected="a label of this parcel")
        _move_label(connection, after.sscc, "verified", at)


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
    _ADD_LABEL.run(connection, row)


def _move_label(connection: Connection, sscc: str, state: str, at: datetime) -> None:
    if sscc:
        _CHANGE_LABEL.run(connection, {"of": sscc, "state": state, "changed_at": at})


def _row(changed: Parcel) -> dict[str, Any]:
    return {name: getattr(changed, name) for name in _NAMES}
