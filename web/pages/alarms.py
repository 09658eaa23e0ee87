"""Alarms: what stands, what somebody must acknowledge, what was."""

from __future__ import annotations

from flask import Blueprint

from web import face
from web.guard import needs
from web.room import room

blueprint = Blueprint("alarms", __name__)


@blueprint.get("/alarms")
@needs("viewer")
def listing() -> tuple[str, int]:
    """Show alarms."""
    return face.page("alarms.html", rows=room().settings.store.views.alarms())
