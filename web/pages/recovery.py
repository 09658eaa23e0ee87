"""What the controller found after an unclean stop."""

from __future__ import annotations

from flask import Blueprint

from web import face
from web.guard import needs
from web.room import room

blueprint = Blueprint("recovery", __name__)


@blueprint.get("/recovery")
@needs("viewer")
def page() -> tuple[str, int]:
    """Show the findings of this run's start."""
    run = room().hub.view().snapshot.get("run") or {}
    return face.page("recovery.html", run=run, recovered=run.get("recovered"))
