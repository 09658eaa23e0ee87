"""Sign in, sign out, language and light."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response

from web.doors import MOST_S, Pass, Refused
from web.face import PREFERENCE_S, THEMES, page
from web.guard import cookie_name
from web.room import room
from web.speech import say, span

blueprint = Blueprint("doors", __name__)


@blueprint.get("/login")
def login() -> tuple[str, int]:
    """Show the door."""
    return _door()


@blueprint.post("/login")
def enter() -> Response | tuple[str, int]:
    """Let somebody in, or say why not."""
    name, password = request.form.get("user", "").strip(), request.form.get("password", "")
    try:
        entry = room().doors.enter(name, password, request.remote_addr or "")
    except Refused as refusal:
        said = say(refusal.reason, span=span(refusal.wait_s))
        return _door(user=name, error=said, status=429 if refusal.wait_s else 401)
    return let_in(redirect(_inside(request.form.get("next", "")), 303), entry)


@blueprint.post("/logout")
def logout() -> Response:
    """End the session."""
    if g.visitor:
        room().doors.leave(request.cookies.get(cookie_name(), ""), g.visitor.name)
    answer = redirect(url_for("doors.login"), 303)
    answer.delete_cookie(cookie_name(), path="/", secure=room().settings.https, httponly=True, samesite="Lax")
    return answer


@blueprint.post("/prefs")
def prefs() -> Response:
    """Remember language or light in this browser, then go back."""
    answer = redirect(_inside(request.form.get("back", "")), 303)
    for name, allowed in (("lang", room().words.languages), ("theme", THEMES)):
        value = request.form.get(name)
        if value in allowed:
            answer.set_cookie(
                name, value, max_age=PREFERENCE_S, secure=room().settings.https, httponly=True, samesite="Lax"
            )
    return answer


def let_in(answer: Response, entry: Pass) -> Response:
    """Hand the session's cookie over."""
    answer.set_cookie(
        cookie_name(),
        entry.token,
        max_age=int(MOST_S),
        path="/",
        secure=room().settings.https,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _door(*, user: str = "", error: str = "", status: int = 200) -> tuple[str, int]:
    target = _inside(request.values.get("next", ""))
    return page("login.html", status=status, live=None, user=user, error=error, target=target)


def _inside(address: str) -> str:
    """Give `address` if it is a path of ours, else the first page; a link must not lead out of the house."""
    parts = urlsplit(address)
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return address if ours and "\\" not in address else url_for("overview.page")
