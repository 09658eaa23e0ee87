"""Alarms: what stands, what somebody must acknowledge, what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint

from packline.core.faults import urgency
from packline.store.view_rows import AlarmRow
from web import face
from web.guard import needs
from web.room import room
from web.troubles import Standing, standing

blueprint = Blueprint("alarms", __name__)

CHATTER_S, CHATTER_TIMES = 600, 3
"""An alarm that rings so often in so short a time chatters (ISA-18.2): its cause is looked for, and not each ring."""


@blueprint.get("/alarms")
@needs("viewer")
def listing() -> tuple[str, int]:
    """Show alarms."""
    place = room()
    stations = {str(station["name"]): station for station in place.hub.view().snapshot.get("stations", ())}
    rows = by_need(place.settings.store.views.alarms())
    about = {row.id: devices_of(row, stations.get(row.source, {})) for row in rows}
    names = {row.id: named(row, stations.get(row.source, {})) for row in rows}
    since = place.settings.clock.now() - timedelta(seconds=CHATTER_S)
    return face.page(
        "alarms.html",
        rows=rows,
        unseen=[row.id for row in rows if row.acked_at is None],
        rings=place.settings.store.views.alarm_rings(since),
        least=CHATTER_TIMES,
        minutes=CHATTER_S // 60,
        stations=stations,
        about=about,
        names=names,
    )


def by_need(rows: Sequence[AlarmRow]) -> list[AlarmRow]:
    """Sort alarms: what stands before what is over, the urgent first, then what nobody has seen yet, the newest first."""
    newest = sorted(rows, key=lambda row: row.last_at, reverse=True)
    return sorted(newest, key=lambda row: (row.cleared_at is not None, urgency(row.code), row.acked_at is not None))


def devices_of(row: AlarmRow, station: Mapping[str, Any]) -> list[Standing]:
    """Give the devices that have the trouble of an alarm now: one alarm of a station may be about several."""
    return [one for one in standing(station) if one.code == row.code] if row.cleared_at is None else []


def named(row: AlarmRow, station: Mapping[str, Any]) -> str:
    """Give what an alarm named when it rang, where that is more than the station; a station's printer by its name."""
    where = str(row.fault.get("where") or "")
    rest = "" if where in (row.source, f"subscriber {row.source}") else where.removeprefix(f"{row.source} ")
    if rest != "printer":
        return rest
    return ", ".join(str(one["name"]) for one in station.get("devices", ()) if one.get("kind") == "printer") or rest
