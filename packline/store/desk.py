"""Exceptions that wait for a person, and alarms that people must see."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Table, bindparam, insert, select, update

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.ids import Ids
from packline.orders.ports import ExceptionRow
from packline.store.journal import Entry, append
from packline.store.schema import alarm, exception, parcel, unit
from packline.store.writer import Writer

_OPEN = select(exception).where(exception.c.state == "open").order_by(exception.c.opened_at, exception.c.exception_id)
_STANDING = select(alarm).where(alarm.c.cleared_at.is_(None))
_OWNERS: tuple[tuple[Table, str], ...] = ((parcel, "lpn"), (unit, "unit_id"))


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
        query = _OPEN if station is None else _OPEN.where(exception.c.station == station)
        return await self._writer.read(lambda connection: [_exception(row) for row in connection.execute(query)])

    async def exception(self, exception_id: str) -> ExceptionRow | None:
        """Give an exception, open or closed."""
        query = select(exception).where(exception.c.exception_id == exception_id)
        row = await self._writer.read(lambda connection: connection.execute(query).first())
        return None if row is None else _exception(row)

    async def raise_alarm(self, fault: Fault, *, source: str) -> None:
        """Raise one alarm per (code, source); a repetition while it stands only counts."""
        at = self._clock.now()
        await self._writer.write(lambda connection: _raise(connection, fault, source, at))

    async def clear_alarm(self, code: int, *, source: str) -> None:
        """Note that the cause is gone; nothing when no such alarm stands."""
        at = self._clock.now()
        if await self._writer.read(lambda connection: _standing(connection, code, source)) is not None:
            await self._writer.write(lambda connection: _clear(connection, code, source, at))

    async def acknowledge_alarm(self, alarm_id: int, *, actor: str) -> bool:
        """Note that `actor` has seen an alarm; False when there is none or somebody was first."""
        at = self._clock.now()
        return await self._writer.write(lambda connection: _acknowledge(connection, alarm_id, actor, at))

    async def standing_alarms(self) -> list[Mapping[str, Any]]:
        """List the alarms whose cause is there, oldest first: the columns of table `alarm`."""
        query = _STANDING.order_by(alarm.c.id)
        return await self._writer.read(lambda connection: [dict(r) for r in connection.execute(query).mappings()])

    async def counts(self) -> tuple[int, int]:
        """Give (alarms nobody acknowledged, open exceptions)."""
        return await self._writer.read(
            lambda connection: (
                len(connection.execute(select(alarm.c.id).where(alarm.c.acked_at.is_(None))).all()),
                len(connection.execute(_OPEN.with_only_columns(exception.c.exception_id)).all()),
            )
        )


def _open(connection: Connection, row: dict[str, Any]) -> str:
    same = [exception.c[name] == row[name] for name in ("code", "station", "subject")]
    there = connection.execute(_OPEN.where(*same)).first()
    if there is not None:
        return str(there.exception_id)
    connection.execute(insert(exception), row)
    data = {name: row[name] for name in ("exception_id", "code", "fault", "effect_id")}
    _note(connection, "ExceptionOpened", row["subject"], station=row["station"], at=row["opened_at"], data=data)
    return str(row["exception_id"])


def _close(connection: Connection, exception_id: str, resolution: dict[str, str], at: datetime) -> None:
    row = connection.execute(select(exception).where(exception.c.exception_id == exception_id)).first()
    if row is None:
        raise Fault(4301, where=f"exception {exception_id}", seen="no such exception")
    if row.state != "open":
        return
    change = update(exception).where(exception.c.exception_id == exception_id)
    connection.execute(change, {"state": "closed", "resolution": resolution, "closed_at": at})
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
        change = update(alarm).where(alarm.c.id == row["id"])
        connection.execute(change, {"count": row["count"] + 1, "last_at": at, "fault": fault.as_dict()})
        return
    new = {"code": fault.code, "source": source, "severity": fault.kind.severity.value, "fault": fault.as_dict()}
    connection.execute(insert(alarm), {**new, "raised_at": at, "last_at": at})
    _note(connection, "AlarmRaised", source, at=at, data={"code": fault.code, "fault": fault.as_dict()})


def _clear(connection: Connection, code: int, source: str, at: datetime) -> None:
    row = _standing(connection, code, source)
    if row is not None:
        connection.execute(update(alarm).where(alarm.c.id == row["id"]), {"cleared_at": at})
        _note(connection, "AlarmCleared", source, at=at, data={"code": code})


def _acknowledge(connection: Connection, alarm_id: int, actor: str, at: datetime) -> bool:
    row = connection.execute(select(alarm).where(alarm.c.id == alarm_id, alarm.c.acked_at.is_(None))).first()
    if row is None:
        return False
    connection.execute(update(alarm).where(alarm.c.id == alarm_id), {"acked_at": at, "acked_by": actor})
    _note(connection, "AlarmAcknowledged", row.source, at=at, data={"code": row.code}, actor=actor)
    return True


def _standing(connection: Connection, code: int, source: str) -> RowMapping | None:
    return connection.execute(_STANDING.where(alarm.c.code == code, alarm.c.source == source)).mappings().first()


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
    for table, key in _OWNERS:
        query = select(table.c.order_id).where(table.c[key] == bindparam("of"))
        if owner := connection.execute(query, {"of": subject}).scalar():
            return str(owner)
    return ""


def _exception(row: Row[Any]) -> ExceptionRow:
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
