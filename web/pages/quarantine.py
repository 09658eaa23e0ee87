"""Messages that are genuine but cannot be taken; they may be replayed, or dismissed with a note."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from packline.core.faults import Fault
from web import face
from web.acting import NotFresh, Unreadable
from web.guard import needs, person
from web.pages.acts import Said, outcome
from web.pages.orders import offset
from web.room import room

blueprint = Blueprint("quarantine", __name__)


@blueprint.get("/quarantine")
@needs("operator")
def listing() -> tuple[str, int]:
    """Show the quarantine."""
    return face.page("quarantine.html", found=room().settings.store.views.quarantine(offset=offset()))


@blueprint.get("/quarantine/<int:inbox_id>")
@needs("operator")
def message(inbox_id: int) -> tuple[str, int]:
    """Show one message, also when it has left the quarantine."""
    return _show(inbox_id)


@blueprint.post("/quarantine/<int:inbox_id>/dismiss")
@needs("supervisor")
def dismiss(inbox_id: int) -> Response | tuple[str, int]:
    """Take a message out of the quarantine for good, with a note."""
    said = _ask(inbox_id, request.form.get("note", ""), request.form.get("key", ""))
    return redirect(url_for("quarantine.listing"), 303) if said.ok else _show(inbox_id, error=said.text)


def _ask(inbox_id: int, note: str, key: str) -> Said:
    try:
        args = {"inbox_id": inbox_id, "note": note}
        return outcome(room().acting.act("dismiss", args, key=key, person=person()))
    except (Unreadable, NotFresh, Fault) as error:
        return outcome(error)


def _show(inbox_id: int, *, error: str = "") -> tuple[str, int]:
    settings = room().settings
    found = settings.store.views.message(inbox_id)
    if found is None:
        abort(404)
    # One form is one request, however often it is sent.
    key = settings.ids.ulid(int(settings.clock.now().timestamp() * 1000))
    return face.page("message.html", row=found, key=key, error=error)
