"""Puts the dashboard together."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from flask import Flask, g, jsonify, request
from werkzeug.exceptions import HTTPException

from packline.core.faults import Fault
from packline.core.local import ask as ask_controller
from web import api, buyer, face, guard, headers, intake, pages, speech, stream
from web.acting import Acting
from web.crowd import Gauge, Pacer
from web.doors import Doors, Visitor
from web.live import Hub
from web.room import KEY, Room
from web.row_number import RowConverter
from web.settings import Ask, WebSettings
from web.words import Words

log = logging.getLogger(__name__)

MOST_FORM_BYTES = 2 * 1024 * 1024
"""The largest body of any page (an item file); the intake has its own, smaller limit."""


MOST_NAME_CHARS = 80
NAMED = {
    ("parcels", "lpn"): "error.no_parcel",
    ("parcels", "picture_id"): "error.no_picture",
    ("orders", "order_id"): "error.no_order",
    ("station", "name"): "error.no_station",
    ("users", "name"): "error.no_user",
}
"""How to say that there is none of what a page is about, by the page's room and the variable part of its address."""


def create_app(settings: WebSettings) -> Flask:
    """Make the WSGI application. The hub does not poll until `start(app)`; tests poll it by hand."""
    app = Flask("web", root_path=str(Path(__file__).parent))
    app.config.update(MAX_CONTENT_LENGTH=MOST_FORM_BYTES, MAX_FORM_MEMORY_SIZE=MOST_FORM_BYTES)
    app.extensions[KEY] = _furnish(settings, Path(app.static_folder or ""))
    app.url_map.converters["int"] = RowConverter
    app.before_request(guard.before)
    app.after_request(headers.after)
    face.install(app)
    for part in (*pages.BLUEPRINTS, api.blueprint, intake.blueprint, buyer.blueprint, stream.blueprint):
        app.register_blueprint(part)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Fault, _fault)
    app.register_error_handler(Exception, _crash)
    return app


def hub_of(app: Flask) -> Hub:
    """Give the hub of an application, to start and stop it."""
    found: Room = app.extensions[KEY]
    return found.hub


def _furnish(settings: WebSettings, static: Path) -> Room:
    ask = settings.player.ask if settings.player else settings.ask
    hub = Hub(ask=ask or _ask(settings.data), clock=settings.clock)
    acting = Acting(store=settings.store, hub=hub, clock=settings.clock, pause=settings.pause)
    return Room(
        settings=settings,
        hub=hub,
        words=Words(settings.languages),
        doors=Doors(store=settings.store, clock=settings.clock, ids=settings.ids),
        acting=acting,
        gauge=Gauge(settings.most_streams),
        pacer=Pacer(settings.clock),
        guest=Visitor(name=settings.guest, role="viewer", csrf=settings.ids.token()) if settings.guest else None,
        assets=face.hashes(static),
    )


def _ask(data: Path) -> Ask:
    return lambda question: ask_controller(data, question)


def _http_error(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    return _explain(error.code or 500)


def _fault(fault: Fault) -> tuple[Any, int]:
    """A fault that no page expected: mostly the database (5002)."""
    log.warning("%s", fault.text())
    return _explain({5002: 503, 4301: 403}.get(fault.code, 500), fault)


def _crash(error: Exception) -> tuple[Any, int]:
    log.error("%s %s", request.method, request.path, exc_info=error)
    return _explain(500)


def _not_found() -> str:
    """Name what there is none of; who follows a buyer's link is told nothing, its address is a secret."""
    if request.blueprint == buyer.blueprint.name or g.get("visitor") is None:
        return speech.say("error.404")
    for part, name in (request.view_args or {}).items():
        if key := NAMED.get((str(request.blueprint), part)):
            return speech.say(key, name=str(name)[:MOST_NAME_CHARS])
    return speech.say("error.no_page", name=request.path[:MOST_NAME_CHARS])


def _explain(status: int, fault: Fault | None = None) -> tuple[Any, int]:
    if request.blueprint in ("api", "intake") or request.accept_mimetypes.best == "application/json":
        return jsonify({"error": status, "fault": fault.as_dict() if fault else None}), status
    key = f"error.{status}" if status in (400, 403, 404, 405, 409, 413, 429, 503) else "error.500"
    text = speech.say(key) if status != 404 else _not_found()
    if "HX-Request" in request.headers:
        return face.page("parts/toast.html", status=status, ok=False, text=text, more="")
    g.visitor = None if status == 503 else g.get("visitor")
    return face.page("error.html", status=status, live=None, text=text)
