"""The line as an animated plan: stations, belts and the parcels on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template, request

from packline.core.faults import severity_of
from packline.orders.model import ParcelState
from web import face, menu
from web.floor import draw
from web.ground import TALL, WIDE, lay
from web.guard import needs
from web.live import View
from web.replay import FACTORS
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


def begin() -> None:
    """Let a recording go on from its beginning, if nobody has looked at it before: a page that is only fetched is no look."""
    if player := room().settings.player:
        player.look()
        room().hub.poll()


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


def controls(view: View) -> str:
    """Render where a replay is, and its buttons."""
    return render_template("parts/plan_replay.html", view=view, fresh=view.fresh, **_replay(view))


@blueprint.post("/plan/replay")
@needs("viewer")
def replay() -> tuple[str, int]:
    """Let a replay go on or stand still (`do` is play | pause), go to `part` of a thousand, or change its `factor`."""
    player = room().settings.player
    if player is None:
        abort(404)
    part, factor = request.form.get("part", type=int), request.form.get("factor", type=int)
    if part is not None:
        player.seek(part)
    elif factor in FACTORS:
        player.speed(factor)
    elif request.form.get("do") == "pause":
        player.pause()
    else:
        player.play()
    room().hub.poll()
    return "", 204


def _replay(view: View) -> dict[str, Any]:
    replay = view.snapshot.get("replay")
    if not replay:
        return {"replay": None, "factors": FACTORS}
    times = {
        name: datetime.fromisoformat(replay[name]).astimezone(room().settings.zone) for name in ("at", "begin", "end")
    }
    return {"replay": {**replay, **times}, "factors": FACTORS}


def _severities(view: View) -> Mapping[str, int]:
    """Count open exceptions by urgency, as the menu does; of a recording only its snapshot tells."""
    counted: Mapping[str, int] | None = menu.waiting(view).get("exceptions", {}).get("severities")
    cases = (view.snapshot.get("floor") or {}).get("cases", ())
    return counted if counted is not None else Counter(severity_of(case["code"]).value for case in cases)


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
        "severities": _severities(view),
        **_replay(view),
    }
