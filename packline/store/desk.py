"""Exceptions that wait for a person, and alarms that people must see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.ids import Ids
from packline.orders.ports import ExceptionRow
from packline.store.journal import Entry, append
from packline.store.prepared import Change, question, word
from packline.store.schema import alarm, exception, parcel, unit
from packline.store.writer import Writer

_WAITING = (
    select(exception).where(exception.c.state == word("open")).order_by(exception.c.opened_at, exception.c.exception_id)
)
_OPEN = question(_WAITING)
_OPEN_IDS = question(_WAITING.with_only_columns(exception.c.exception_id))
_OPEN_AT = question(_WAITING.where(exception.c.station == bindparam("station")))
_SAME = question(
    _WAITING.where(
        exception.c.code == bindparam("code"),
        exception.c.station == bindparam("station"),
        exception.c.subject == bindparam("subject"),
    )
)
_OF = question(select(exception).where(exception.c.exception_id == bindparam("of")))
_ADD = Change(insert(exception))
_CHANGE = Change(update(exception).where(exception.c.exception_id == bindparam("of")))

_RINGING = select(alarm).where(alarm.c.cleared_at.is_(None))
_ALARMS = question(_RINGING.order_by(alarm.c.id))
_STANDING = question(_RINGING.where(alarm.c.code == bindparam("code"), alarm.c.source == bindparam("source")))
_RETURNING = question(
    select(alarm)
    .where(alarm.c.code == bindparam("code"), alarm.c.source == bindparam("source"), alarm.c.acked_at.is_(None))
    .order_by(alarm.c.id.desc())
)
_UNSEEN = question(select(alarm.c.id, alarm.c.code, alarm.c.source).where(alarm.c.acked_at.is_(None)))
_ADD_ALARM = Change(insert(alarm))
_CHANGE_ALARM = Change(update(alarm).where(alarm.c.id == bindparam("of")))
_OWNERS = tuple(
    question(select(table.c.order_id).where(table.c[key] == bindparam("of")))
    for table, key in ((parcel, "lpn"), (unit, "unit_id"))
)


class ClerksDesk:
    """Implements `packline.orders.ports.Desk`; every opening and closing is in the journal."""

    def __init__(self, writer: Writer, clock: Clock, ids: Ids) -> None:
        self._writer = writer
        self._clock = clock
        self._ids = ids

    async def open_exception(
        self, fault: Fault, *, station: str, subject: str, actions: Collection[str], effect_id: str = ""
    ) -> str:
        """Open an exception, or give the id of the open one with the same code, station and subject."""
        at = self._clock.now()
        row = {
            "exception_id": self._ids.ulid(int(at.timestamp() * 1000)),
            "code": fault.code,
            "station": station,
            "subject": subject,
            "effect_id": effect_id,
            "opened_at": at,
            "fault": fault.as_dict(),
            "actions": [str(action) for action in actions],
            "resolution": {},
        }
        return await self._writer.write(lambda connection: _open(connection, row))

    async def close_exception(self, exception_id: str, *, action: str, actor: str, note: str = "") -> None:
        """Close an open exception with what was decided; one that is closed stays as it is. Raises Fault 4301."""
        at = self._clock.now()
        resolution = {"action": str(action), "actor": actor, "note": note}
        await self._writer.write(lambda connection: _close(connection, exception_id, resolution, at))

    async def open_exceptions(self, station: str | None = None) -> list[ExceptionRow]:
        """List what waits, oldest first."""
        return await self._writer.read(lambda connection: [_exception(row) for row in _open_rows(connection, station)])

    async def exception(self, exception_id: str) -> ExceptionRow | None:
        """Give an exception, open or closed."""
        row = await self._writer.read(lambda connection: _OF.first(connection, of=exception_id))
        return None if row is None else _exception(row)

    async def raise_alarm(self, fault: Fault, *, source: str) -> None:
        """Raise one alarm per (code, source); a repetition only counts while it stands or nobody has acknowledged it."""
        at = self._clock.now()
        await self._writer.write(lambda connection: _raise(connection, fault, source, at))

    async def clear_alarm(self, code: int, *, source: str) -> None:
        """Note that the cause is gone; nothing when no such alarm stands."""
        at = self._clock.now()
        if await self._writer.read(lambda connection: _standing(connection, code, source)) is not None:
            await self._writer.write(lambda connection: _clear(connection, code, source, at))

    async def acknowledge_alarm(self, alarm_id: int, *, actor: str) -> bool:
        """Note that `actor` has seen an alarm; False when there is none or somebody was first."""
        return await self.acknowledge_alarms((alarm_id,), actor=actor) == 1

    async def acknowledge_alarms(self, alarm_ids: Collection[int], *, actor: str) -> int:
        """Note that `actor` has seen these alarms, each in the journal; gives how many nobody had seen before."""
        at = self._clock.now()
        return await self._writer.write(lambda connection: _acknowledge(connection, set(alarm_ids), actor, at))

    async def standing_alarms(self) -> list[Mapping[str, Any]]:
        """List the alarms whose cause is there, oldest first: the columns of table `alarm`."""
        return await self._writer.read(lambda connection: [row._asdict() for row in _ALARMS.all(connection)])

    async def counts(self) -> tuple[int, int]:
        """Give (alarms nobody acknowledged, open exceptions)."""
        return await self._writer.read(
            lambda connection: (len(_UNSEEN.all(connection)), len(_OPEN_IDS.all(connection)))
        )


def _open(connection: Connection, row: dict[str, Any]) -> str:
    there = _SAME.first(connection, code=row["code"], station=row["station"], subject=row["subject"])
    if there is not None:
        return str(there.exception_id)
    _ADD.run(connection, row)
    data = {name: row[name] for name in ("exception_id", "code", "fault", "effect_id")}
    _note(connection, "ExceptionOpened", row["subject"], station=row["station"], at=row["opened_at"], data=data)
    return str(row["exception_id"])


def _close(connection: Connection, exception_id: str, resolution: dict[str, str], at: datetime) -> None:
    row = _OF.first(connection, of=exception_id)
    if row is None:
        raise Fault(4301, where=f"exception {exception_id}", seen="no such exception")
    if row.state != "open":
        return
    _CHANGE.run(connection, {"of": exception_id, "state": "closed", "resolution": resolution, "closed_at": at})
    data = {"exception_id": exception_id, "code": row.code, **resolution}
    _note(
        connection,
        "ExceptionClosed",
        row.subject,
        station=row.station,
        at=at,
        data=data,
        actor=resolution["actor"],
    )


def _raise(connection: Connection, fault: Fault, source: str, at: datetime) -> None:
    row = _standing(connection, fault.code, source)
    if row is not None:
        _CHANGE_ALARM.run(connection, {"of": row.id, "count": row.count + 1, "last_at": at, "fault": fault.as_dict()})
        return
    back = _RETURNING.first(connection, code=fault.code, source=source)
    if back is not None:  # ISA-18.2: what returns before anybody acknowledged it is the same alarm, active again
        again = {"of": back.id, "count": back.count + 1, "last_at": at, "fault": fault.as_dict(), "cleared_at": None}
        _CHANGE_ALARM.run(connection, again)
    else:
        _add_alarm(connection, fault, source, at)
    _note(connection, "AlarmRaised", source, at=at, data={"code": fault.code, "fault": fault.as_dict()})


def _add_alarm(connection: Connection, fault: Fault, source: str, at: datetime) -> None:
    new = {"code": fault.code, "source": source, "severity": fault.kind.severity.value, "fault": fault.as_dict()}
    _ADD_ALARM.run(connection, {**new, "raised_at": at, "last_at": at})


def _clear(connection: Connection, code: int, source: str, at: datetime) -> None:
    row = _standing(connection, code, source)
    if row is not None:
        _CHANGE_ALARM.run(connection, {"of": row.id, "cleared_at": at})
        _note(connection, "AlarmCleared", source, at=at, data={"code": code})


def _acknowledge(connection: Connection, alarm_ids: Collection[int], actor: str, at: datetime) -> int:
    seen = [row for row in _UNSEEN.all(connection) if row.id in alarm_ids]
    for row in seen:
        _CHANGE_ALARM.run(connection, {"of": row.id, "acked_at": at, "acked_by": actor})
        _note(connection, "AlarmAcknowledged", row.source, at=at, data={"code": row.code}, actor=actor)
    return len(seen)


def _standing(connection: Connection, code: int, source: str) -> Any:
    """Give the row of a standing alarm, None without one."""
    return _STANDING.first(connection, code=code, source=source)


def _open_rows(connection: Connection, station: str | None) -> list[Any]:
    return _OPEN.all(connection) if station is None else _OPEN_AT.all(connection, station=station)


def _note(
    connection: Connection,
    kind: str,
    subject: str,
    *,
    at: datetime,
    data: Mapping[str, Any],
    station: str = "",
    actor: str = "controller",
) -> None:
    order_id = _order_id(connection, subject)
    entry = Entry(at=at, kind=kind, subject=subject, order_id=order_id, station=station, actor=actor, data=data)
    append(connection, entry)


def _order_id(connection: Connection, subject: str) -> str:
    """Give the order that a parcel or a unit belongs to, so that the order's page tells the whole story."""
    owners = (owner.first(connection, of=subject) for owner in _OWNERS)
    return next((str(found.order_id) for found in owners if found), "")


def _exception(row: Any) -> ExceptionRow:
    return ExceptionRow(
        exception_id=row.exception_id,
        code=row.code,
        station=row.station,
        subject=row.subject,
        effect_id=row.effect_id,
        opened_at=row.opened_at,
        fault=row.fault,
        actions=tuple(row.actions),
        state=row.state,
        resolution=row.resolution,
    )
