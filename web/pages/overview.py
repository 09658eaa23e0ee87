"""The line in one picture, to be read from five metres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template

from web import face, menu, speech
from web.floor import draw
from web.guard import needs
from web.live import View
from web.room import room
from web.troubles import quality_of

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
@needs("viewer")
def page() -> tuple[str, int]:
    """Show the line."""
    return face.page("overview.html", live="overview", **_values(room().hub.view()))


def fragment(view: View) -> str:
    """Render the part that changes."""
    return render_template("parts/overview.html", view=view, fresh=view.fresh, **_values(view))


def _aside(line: Mapping[str, Any]) -> int:
    """Count the orders on the floor that the limit does not count: their cartons all wait in the rack, or are gone."""
    return max(0, int((line.get("orders") or {}).get("released", 0)) - int(line.get("wip", 0)))


def _values(view: View) -> dict[str, Any]:
    waited_s = float(view.snapshot.get("line", {}).get("oldest_waiting_s") or 0)
    return {
        "floor": draw(view.snapshot),
        "beside": view.snapshot.get("devices", ()),
        "quality_of": quality_of,
        "line": view.snapshot.get("line", {}),
        "aside": _aside(view.snapshot.get("line", {})),
        "recovered": (view.snapshot.get("run") or {}).get("recovered"),
        "severities": menu.waiting(view).get("exceptions", {}).get("severities", {}),
        "oldest": speech.largest(waited_s) if waited_s else None,
    }
