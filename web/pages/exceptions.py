"""What waits for a person's decision: what happened, what it means, what may be done."""

from __future__ import annotations

from flask import Blueprint

from web import face
from web.cases import open_cases
from web.guard import needs
from web.room import room

blueprint = Blueprint("exceptions", __name__)


@blueprint.get("/exceptions")
@needs("viewer")
def listing() -> tuple[str, int]:
    """Show the queue, the most urgent first."""
    cases, counts = open_cases(), room().settings.store.views.exception_counts()
    return face.page("exceptions.html", cases=cases, unshown=max(0, sum(counts.values()) - len(cases)))
