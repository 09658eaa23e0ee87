"""Alarms: what stands, what somebody must acknowledge, what was."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint

from packline.store.view_rows import AlarmRow
from packline.store.views import urgency
from web import face
from web.guard import needs
from web.room import room

blueprint = Blueprint("alarms", __name__)


@blueprint.get("/alarms")
@needs("viewer")
def listing() -> tuple[str, int]:
    """Show alarms."""
    stations = {str(station["name"]) for station in room().hub.view().snapshot.get("stations", ())}
    return face.page(
        "alarms.html", rows=by_need(room().settings.store.views.alarms()), stations=stations, device_of=device_of
    )


def by_need(rows: Sequence[AlarmRow]) -> list[AlarmRow]:
    """Sort alarms: what stands before what is over, the urgent first, then what nobody has seen yet, the newest first."""
    newest = sorted(rows, key=lambda row: row.last_at, reverse=True)
    return sorted(newest, key=lambda row: (row.cleared_at is not None, urgency(row.code), row.acked_at is not None))


def device_of(row: AlarmRow) -> str:
    """Give what an alarm is about, where that is more than the station that rings it."""
    where = str(row.fault.get("where") or "")
    return "" if where == row.source else where.removeprefix(f"{row.source} ")
