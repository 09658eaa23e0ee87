"""One's own password."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from packline.store.users import LEAST_PASSWORD_CHARS, MOST_PASSWORD_CHARS
from web import face, speech
from web.audit import note
from web.doors import Refused, hash_password
from web.guard import needs, visitor
from web.pages.doors import let_in
from web.room import room

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
@needs("viewer")
def page() -> tuple[str, int]:
    """Show the form."""
    return _show()


@blueprint.post("")
@needs("viewer")
def change() -> Response | tuple[str, int]:
    """Change the password, against the old one; every session ends and a new one begins here."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    name, place = visitor().name, room()
    if not LEAST_PASSWORD_CHARS <= len(new) <= MOST_PASSWORD_CHARS:
        return _show(error=speech.say("account.length", least=LEAST_PASSWORD_CHARS, most=MOST_PASSWORD_CHARS))
    try:
        place.doors.enter(name, old, request.remote_addr or "")
    except Refused as refusal:
        return _show(error=speech.say(refusal.reason, span=speech.span(refusal.wait_s)))
    place.settings.store.users.set_password(name, hash_password(new), place.settings.clock.now())
    note(place.settings.store, place.settings.clock.now(), "UserPasswordChanged", name, actor=name)
    text, status = _show(said=speech.say("account.changed"))
    return let_in(Response(text, status, mimetype="text/html"), place.doors.enter(name, new, request.remote_addr or ""))


def _show(*, error: str = "", said: str = "") -> tuple[str, int]:
    return face.page("account.html", error=error, said=said, least=LEAST_PASSWORD_CHARS, most=MOST_PASSWORD_CHARS)
