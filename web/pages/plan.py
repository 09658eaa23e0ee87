"""The line as an animated plan: stations, belts and the parcels on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template

from packline.orders.model import ParcelState
from web import face
from web.floor import draw
from web.ground import TALL, WIDE, lay
from web.guard import needs
from web.live import View
from web.room import room
from web.scene import scene

blueprint = Blueprint("plan", __name__)

P = ParcelState
LABELLED = frozenset({P.LABELLED, P.VERIFIED, P.APPROVED})
"""Parcels that are drawn with a label on them."""


@blueprint.get("/plan")
@needs("viewer")
def page() -> tuple[str, int]:
    """Show the plan."""
    return face.page("plan.html", live="plan", **_values(room().hub.view()))


def fragment(view: View) -> str:
    """Render the stations, belts and doors."""
    return render_template("parts/plan.html", view=view, fresh=view.fresh, **_values(view))


def parcels(view: View) -> str:
    """Render the parcels, which lie over the stations."""
    return render_template("parts/plan_parcels.html", view=view, fresh=view.fresh, **_values(view))


def side(view: View) -> str:
    """Render what stands above the plan: an emergency stop, the line's figures, parcels that are nowhere."""
    return render_template("parts/plan_side.html", view=view, fresh=view.fresh, **_values(view))


def words(view: View) -> str:
    """Render the same in words."""
    return render_template("parts/plan_words.html", view=view, fresh=view.fresh, **_values(view))


def _values(view: View) -> dict[str, Any]:
    snapshot: Mapping[str, Any] = view.snapshot
    stations = snapshot.get("stations", ())
    wide, tall = (scene(snapshot, lay(stations, shape)) for shape in (WIDE, TALL))
    floor = draw(snapshot)
    return {
        "scenes": (("wide", wide), ("tall", tall)) if stations else (),
        "wide": wide,
        "labelled": LABELLED,
        "line": snapshot.get("line", {}),
        "devices": floor.devices,
        "silent": len(floor.silent),
        "severities": face.waiting(view).get("exceptions", {}).get("severities", {}),
    }
