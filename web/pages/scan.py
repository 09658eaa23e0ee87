"""Scan anywhere: on a station's page a scan is a step of the work, elsewhere it opens what it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, jsonify, url_for
from werkzeug.wrappers import Response

from packline.core.faults import Fault
from packline.store.view_rows import Found
from web import speech
from web.acting import NotFresh, Unreadable
from web.body import json_body
from web.guard import needs, person
from web.pages.acts import outcome
from web.room import room

blueprint = Blueprint("scan", __name__)

MOST_CHARS = 400
SHOWN_CHARS = 80
"""So much of a scan does a station's screen keep."""
WRONG = frozenset({"refused", "finish_first", "place_first", "pictures_first", "take_back"})
"""Answers to a scan that did nothing, or that stop what was begun: two low tones, and marked on the list."""
PATIENCE_S = 1.5
STEP_S = 0.05


@blueprint.post("/scan")
@needs("viewer")
def scan() -> Response:
    """Take {"text", "station", "key"}; give {"ok", "text", "url"}."""
    body = json_body()
    text, station = str(body.get("text", "")).strip()[:MOST_CHARS], str(body.get("station", ""))
    if station:
        return _work(text, station, str(body.get("key", "")))
    return _look_up(text)


def _work(text: str, station: str, key: str) -> Response:
    seen = _newest(station)
    try:
        said = outcome(room().acting.act("scan", {"station": station, "text": text}, key=key, person=person()))
    except (Unreadable, NotFresh, Fault) as error:
        said = outcome(error)
    if said.ok and said.text == speech.say("answer.done"):
        return _screen(station, text, seen)
    return _say(ok=said.ok, text=said.text, more=said.more)


def _screen(station: str, text: str, seen: int) -> Response:
    """Say what the station's screen answers to this scan; it answers there and not in the request, a moment later."""
    settings = room().settings
    until = settings.clock.monotonic() + PATIENCE_S
    while settings.clock.monotonic() < until:
        for scan in _scans(station):
            if scan["n"] > seen and scan["text"] == text[:SHOWN_CHARS]:
                return _say(ok=scan["result"]["key"] not in WRONG, text=speech.step(scan["result"]))
        settings.pause(STEP_S)
    return _say(ok=True, text=speech.say("answer.scan_sent", code=text))


def _newest(station: str) -> int:
    return max((int(scan["n"]) for scan in _scans(station)), default=0)


def _scans(station: str) -> Sequence[Mapping[str, Any]]:
    scans: Sequence[Mapping[str, Any]] = (room().hub.view().station(station) or {}).get("scans", ())
    return scans


def _look_up(text: str) -> Response:
    if text.startswith("DO:"):
        return _say(ok=False, text=speech.say("answer.no_station"))
    found = room().settings.store.views.find(text)
    if found is None:
        return _say(ok=False, text=speech.say("answer.unknown_code", code=text))
    return _say(ok=True, text=speech.say("answer.looked_up", what=found.key), url=address(found))


def _say(*, ok: bool, text: str, more: str = "", url: str = "") -> Response:
    return jsonify({"ok": ok, "text": text, "more": more, "url": url})


def address(found: Found) -> str:
    """Give the page of what was found."""
    if found.kind in ("parcel", "label"):
        return url_for("parcels.page", lpn=found.key)
    if found.kind == "order":
        return url_for("orders.page", order_id=found.key)
    return url_for("items.listing", q=found.key)
