"""Keeps strangers, other sites and lesser roles out; runs before every request."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import abort, g, make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from web.acting import Person, has_role
from web.doors import Visitor
from web.room import room

P = ParamSpec("P")
R = TypeVar("R")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_BLUEPRINTS = frozenset({"intake", "buyer"})
"""Rooms whose visitors prove themselves by a signature or a token in the link; no session, so nothing to forge."""

FOR_SCRIPTS = frozenset({"api", "stream", "scan"})
"""Rooms that scripts call: a redirect to the door would only look like an answer."""

SIGN_IN = frozenset({"api.login", "doors.enter"})
"""Whoever signs in again proves it by the password; the old session's token may be long forgotten."""


def cookie_name() -> str:
    """Give the session cookie's name; the __Host- prefix needs https."""
    return "__Host-packline" if room().settings.https else "packline"


def before() -> Response | None:
    """Find out who asks, and refuse what another site made their browser send."""
    g.visitor = None
    if any("\0" in text for text in (request.path, *request.args.values())):
        abort(400)  # no name has a NUL in it, and a server's database takes none
    if request.blueprint in OPEN_BLUEPRINTS or request.endpoint == "static":
        return None
    token = request.cookies.get(cookie_name())
    g.visitor = (room().doors.who(token) if token else None) or room().guest
    if request.method not in SAFE_METHODS:
        if not _is_same_site():
            abort(403)
        if any("\0" in text for text in request.form.values()):
            abort(400)
        if g.visitor and request.endpoint not in SIGN_IN and not _has_csrf(g.visitor):
            abort(403)
    return None


def visitor() -> Visitor:
    """Give who is signed in; only for pages behind `needs`."""
    found: Visitor | None = g.visitor
    if found is None:
        abort(401)
    return found


def person() -> Person:
    """Give the visitor as an actor."""
    return Person(name=visitor().name, role=visitor().role)


def needs(least: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Let only `least` and above see a page; strangers are sent to the door."""

    def guarded(page: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(page)
        def check(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            if g.visitor is None:
                return _to_the_door()
            if not has_role(g.visitor.role, least):
                abort(403)
            return page(*args, **kwargs)

        return check

    return guarded


def _to_the_door() -> Response:
    if request.blueprint in FOR_SCRIPTS:
        abort(401)
    door = url_for("doors.login", next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if "HX-Request" in request.headers:
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = door
        return answer
    return redirect(door, 303)


def _is_same_site() -> bool:
    """Judge by what the browser says of itself; a program that is no browser says nothing and needs the CSRF token."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _has_csrf(who: Visitor) -> bool:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    return hmac.compare_digest(given.encode(), who.csrf.encode())
