"""The item master: a list, and import from CSV."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from packline.store.item_file import ImportReport
from web import face, speech
from web.audit import note
from web.guard import needs, visitor
from web.pages.orders import MOST_SEARCH_CHARS, offset
from web.room import room

blueprint = Blueprint("items", __name__)
MOST_MISTAKES = 50


@blueprint.get("/items")
@needs("viewer")
def listing() -> tuple[str, int]:
    """List items."""
    return _show(None)


@blueprint.post("/items")
@needs("supervisor")
def take() -> tuple[str, int] | Response:
    """Import a CSV file and say what became of it."""
    file = request.files.get("file")
    data = file.read() if file else b""
    if not data:
        return _show(None, error=speech.say("items.no_file"))
    settings = room().settings
    report = settings.store.items.import_csv(data)
    counts = {"good": report.good, "bad": len(report.bad)}
    note(settings.store, settings.clock.now(), "ItemsImported", "items", actor=visitor().name, **counts)
    return _show(report)


def _show(report: ImportReport | None, error: str = "") -> tuple[str, int]:
    search = request.args.get("q", "").strip()[:MOST_SEARCH_CHARS]
    found = room().settings.store.views.items(search=search, offset=offset())
    mistakes = report.bad[:MOST_MISTAKES] if report else ()
    return face.page("items.html", found=found, search=search, report=report, mistakes=mistakes, error=error)
