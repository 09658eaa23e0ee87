"""The dashboard for programs: sign in, read the line, read exceptions, ask for something."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, make_response, request
from werkzeug.wrappers import Response

from packline.core.faults import Fault
from packline.orders.ports import ExceptionRow
from web.acting import Answer, NotFresh, Unreadable
from web.body import json_body
from web.doors import Refused
from web.guard import needs, person
from web.live import View
from web.pages.doors import let_in
from web.room import room

blueprint = Blueprint("api", __name__, url_prefix="/api")

MOST_WAIT_S = 5.0
STATUS = {"new": 202, "done": 200, "refused": 200, "expired": 200}


@blueprint.get("/health")
def health() -> Response:
    """Say that the web process lives, and whether the controller answers; for supervisors, without a login."""
    view = room().hub.view()
    return jsonify({"ok": True, "fresh": view.fresh, "streams": room().gauge.open})


@blueprint.post("/login")
def login() -> Response:
    """Take {"user", "password"}; 200 {"csrf"} and the cookie, 401, or 429 with Retry-After."""
    body = json_body()
    name, password = str(body.get("user", "")), str(body.get("password", ""))
    try:
        entry = room().doors.enter(name, password, request.remote_addr or "")
    except Refused as refusal:
        answer = make_response(jsonify({"error": refusal.reason}), 429 if refusal.wait_s else 401)
        if refusal.wait_s:
            answer.headers["Retry-After"] = str(int(refusal.wait_s) + 1)
        return answer
    return let_in(make_response(jsonify({"csrf": entry.visitor.csrf})), entry)


@blueprint.get("/line")
@needs("viewer")
def line() -> Response:
    """Give the snapshot and whether it is fresh; with `after` and `wait_s` only when its `version` is another, or the time is up."""
    after, wait_s = request.args.get("after", -1, type=int), request.args.get("wait_s", 0.0, type=float)
    view = _waited_for(after, min(wait_s, MOST_WAIT_S)) if after >= 0 and wait_s > 0 else room().hub.view()
    return jsonify({**view.snapshot, "fresh": view.fresh, "version": view.version})


def _waited_for(version: int, wait_s: float) -> View:
    """Wait for another picture; where too many wait already, nobody else does."""
    hub, gauge = room().hub, room().gauge
    if not gauge.enter():
        return hub.view()
    try:
        return hub.wait(version, wait_s)
    finally:
        gauge.leave()


@blueprint.get("/exceptions")
@needs("viewer")
def exceptions() -> Response:
    """List open exceptions, the most urgent first."""
    rows = room().settings.store.views.exceptions()
    effects = room().settings.store.views.effects([row.effect_id for row in rows if row.effect_id])
    return jsonify({"rows": [_row(row, effects.get(row.effect_id)) for row in rows]})


@blueprint.post("/requests")
@needs("operator")
def requests() -> Response:
    """Take {"action", "args", "key"}: 200 answered, 202 not answered yet, 400, 403, 409 stale."""
    body = json_body()
    try:
        answer = room().acting.act(
            str(body.get("action", "")), body.get("args", {}), key=str(body.get("key", "")), person=person()
        )
    except (Unreadable, NotFresh, Fault) as error:
        return refused(error)
    return told(answer)


def told(answer: Answer) -> Response:
    """Give an answer as JSON."""
    return make_response(jsonify(answer.as_dict()), STATUS[answer.state])


def refused(error: Unreadable | NotFresh | Fault) -> Response:
    """Give a refusal as JSON; raises faults that are not about the request (the database)."""
    if isinstance(error, Unreadable):
        return make_response(jsonify({"error": "unreadable", "what": str(error)}), 400)
    if isinstance(error, NotFresh):
        return make_response(jsonify({"error": "stale"}), 409)
    if error.code != 4301:
        raise error
    return make_response(jsonify({"error": "forbidden", "fault": error.as_dict()}), 403)


def _row(row: ExceptionRow, effect: Any) -> dict[str, Any]:
    return {
        "id": row.exception_id,
        "code": row.code,
        "station": row.station,
        "subject": row.subject,
        "fault": dict(row.fault),
        "actions": list(row.actions),
        "opened_at": row.opened_at.isoformat(),
        "effect": {"kind": effect.kind, "params": dict(effect.parameters), "state": effect.state} if effect else None,
    }
