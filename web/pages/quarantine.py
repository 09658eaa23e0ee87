"""Messages that are genuine but cannot be taken; they may be replayed."""

from __future__ import annotations

from flask import Blueprint

from web import face
from web.guard import needs
from web.pages.orders import offset
from web.room import room

blueprint = Blueprint("quarantine", __name__)


@blueprint.get("/quarantine")
@needs("operator")
def listing() -> tuple[str, int]:
    """Show the quarantine."""
    return face.page("quarantine.html", found=room().settings.store.views.quarantine(offset=offset()))
