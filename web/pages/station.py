"""One station: what lies there, what to do next, what its machines say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template

from packline.core.tokens import sign
from web import face, speech
from web.cases import open_case
from web.floor import first_thing
from web.guard import needs
from web.headers import video_base
from web.live import View
from web.pages.scan import WRONG
from web.room import room
from web.troubles import beside, culprits, ended_by_release, quality_of, severity, state_of
from web.video_token import VIEWER_S, camera_claims, until

blueprint = Blueprint("station", __name__)

AT_ONCE_S = 1.0
# the words that a person may answer an instruction with, besides scanning; the first is the likely one
BUTTONS: Mapping[str, tuple[str, ...]] = {
    "pick": ("SHORT",),
    "place_on_table": ("NOTDONE",),
    "buyer_inspects": ("NOTDONE",),
    "box": ("NOTDONE",),
    "put_back": ("DONE",),
    "close_by_hand": ("DONE", "NOTDONE"),
    "stick_label": ("NOTDONE",),
    "hand_over": ("DONE", "NOTDONE"),
    "return_to_shelf": ("DONE",),
}


@blueprint.get("/station/<name>")
@needs("viewer")
def page(name: str) -> tuple[str, int]:
    """Show the station."""
    view = room().hub.view()
    if view.snapshot and view.station(name) is None:
        abort(404)
    return face.page(
        "station.html", live=f"station:{name}", name=name, stream=_stream(view, name), **_values(view, name)
    )


def fragment(view: View, name: str) -> str:
    """Render the part that changes; the live picture is not in it, so that it is never torn down."""
    return render_template("parts/station.html", view=view, fresh=view.fresh, name=name, **_values(view, name))


def side(view: View, name: str) -> str:
    """Render devices and pictures."""
    return render_template("parts/station_side.html", view=view, fresh=view.fresh, name=name, **_values(view, name))


def buttons(station: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the words that are legal now."""
    return BUTTONS.get(str(station.get("next", {}).get("key", "")), ())


def told_once(scans: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Leave out what a scanner read again at once: a label has its number in two symbols, and both are read."""
    return [
        scan
        for n, scan in enumerate(scans)
        if n == 0
        or any(scan[part] != scans[n - 1][part] for part in ("text", "result"))
        or not _at_once(scan, scans[n - 1])
    ]


def _at_once(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    moments = [datetime.fromisoformat(str(scan["at"])) for scan in (one, other)]
    return abs((moments[0] - moments[1]).total_seconds()) < AT_ONCE_S


def _values(view: View, name: str) -> dict[str, Any]:
    station = view.station(name)
    if station is None:
        return {"station": None}
    says, tasks = first_thing(station)
    instruction = station.get("next", {})
    exception = (instruction.get("params") or {}).get("exception") if instruction.get("key") == "ask_person" else None
    return {
        "station": station,
        "severity": severity(station),
        "shown_state": state_of(station),
        "beside": beside(station),
        "culprits": culprits(station),
        "ends": ended_by_release(station),
        "quality_of": quality_of,
        "wrong": WRONG,
        "scans": told_once(station["scans"]),
        "has_scans": bool(station["scans"]) or any("scanner" in device["kind"] for device in station["devices"]),
        "says": says,
        "tasks": tasks,
        "fault": speech.fault_of(station["fault"]) if station.get("fault") else None,
        "buttons": buttons(station),
        "exception": exception,
        "case": open_case(str(exception)) if exception else None,
    }


def _stream(view: View, name: str) -> dict[str, str] | None:
    """Give the addresses of the camera's stream and still, signed; None without camera or video process."""
    camera = (view.station(name) or {}).get("camera")
    base = video_base()
    if not camera or not base:
        return None
    token = sign(room().settings.secret, camera_claims(str(camera)), until(room().settings.clock, VIEWER_S))
    return {"name": str(camera), "src": f"{base}/stream/{camera}?token={token}"}
