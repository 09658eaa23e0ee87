"""Buttons: one click becomes one request, and its answer one line on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request

from packline.core.faults import FAULTS, Fault
from web import face, speech
from web.acting import Answer, NotFresh, Unreadable
from web.body import json_object
from web.guard import needs, person
from web.room import room

blueprint = Blueprint("acts", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer in words. `status` is the HTTP status that goes with it."""

    ok: bool
    text: str
    more: str = ""
    status: int = 200


@blueprint.post("/act")
@needs("operator")
def act() -> tuple[str, int]:
    """Take action and args (JSON) from a form and the key from a header; give a line for the screen."""
    key = request.headers.get("X-Request-Key", "")
    args = json_object(request.form.get("args", ""))
    try:
        said = outcome(room().acting.act(request.form.get("action", ""), args, key=key, person=person()))
    except (Unreadable, NotFresh, Fault) as error:
        said = outcome(error)
    return face.page("parts/toast.html", status=said.status, live=None, ok=said.ok, text=said.text, more=said.more)


def outcome(answer: Answer | Unreadable | NotFresh | Fault) -> Said:
    """Say what became of a request."""
    if isinstance(answer, Unreadable):
        return Said(ok=False, text=speech.say("answer.bad"), status=400)
    if isinstance(answer, NotFresh):
        return Said(ok=False, text=speech.say("answer.stale"), status=409)
    if isinstance(answer, Fault):
        key, status = ("answer.forbidden", 403) if answer.code == 4301 else ("answer.busy", 503)
        return Said(ok=False, text=speech.say(key), status=status)
    if answer.state == "new":
        return Said(ok=True, text=speech.say("answer.sent"), status=202)
    if answer.state == "expired":
        return Said(ok=False, text=speech.say("answer.expired"))
    return _result(answer.state == "done", answer.result)


def _result(done: bool, result: Mapping[str, Any]) -> Said:
    """A result is an instruction {"key", "params"}, a fault's parts, or nothing worth saying."""
    params = result.get("params") if isinstance(result.get("params"), Mapping) else result
    code = params.get("code") if isinstance(params, Mapping) else None
    if (
        isinstance(params, Mapping)
        and isinstance(code, int)
        and code in FAULTS
        and result.get("key", "refused") == "refused"
    ):
        fault = speech.fault_of(params)
        return Said(ok=False, text=speech.say("answer.refused", name=fault["name"]), more=fault["remedy"])
    if "key" in result:
        return Said(ok=done, text=speech.step(result))
    return Said(ok=done, text=speech.say("answer.done" if done else "answer.forbidden"))
