"""The live stream of a page: fragments as the line changes, and a heartbeat that proves the stream is alive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from flask import Blueprint, Response, jsonify, make_response, render_template, request, stream_with_context
from werkzeug.wrappers import Response as AnyResponse

from packline.core.clock import Clock
from web.face import stamp
from web.guard import cookie_name, needs, visitor
from web.live import View
from web.menu import nav
from web.pages import overview, plan, station
from web.room import Room, room
from web.speech import language, moment

blueprint = Blueprint("stream", __name__, url_prefix="/live")

BEAT_S = 2.0
RECHECK_S = 30.0
RETRY_S = 2

PLAN = {"side": plan.side, "view": plan.fragment, "parcels": plan.parcels, "words": plan.words}
"""The parts of the plan by their events: what did not change is not sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One server-sent event."""

    event: str
    data: str
    id: int = 0

    def encode(self) -> str:
        """Give its wire form; a text of several lines becomes several data lines."""
        data = "".join(f"data: {line}\n" for line in self.data.splitlines() or [""])
        return f"id: {self.id}\nevent: {self.event}\n{data}\n"


@dataclass(slots=True, kw_only=True)
class Reader:
    """What one stream has told already: only what changed is told again."""

    page: str
    here: str
    told: dict[str, str] = field(default_factory=dict)

    def news(self, view: View) -> Iterator[Message]:
        """Give the messages that bring this page up to `view`."""
        for event, text in self._parts(view):
            if self.told.get(event) != text:
                self.told[event] = text
                yield Message(event=event, data=text, id=view.seq)

    def _parts(self, view: View) -> Iterator[tuple[str, str]]:
        yield "nav", _kept(view, ("nav", self.here), lambda: render_template("parts/nav.html", nav=nav(self.here)))
        yield "bell", _kept(view, ("bell",), lambda: render_template("parts/bell.html", nav=nav(self.here)))
        if self.page != "plan":  # which has it above its figures
            yield "estop", _kept(view, ("estop",), lambda: render_template("parts/estop.html", view=view))
        if self.page == "overview":
            yield "view", _kept(view, ("overview",), lambda: overview.fragment(view))
        elif self.page == "plan":
            if "replay" in view.snapshot:
                yield "replay", _kept(view, ("replay",), lambda: plan.controls(view))
            for event, make in PLAN.items():
                yield event, _kept(view, ("plan", event), partial(make, view))
        elif self.page.startswith("station:"):
            name = self.page.removeprefix("station:")
            yield "view", _kept(view, ("station", name), lambda: station.fragment(view, name))
            yield "side", _kept(view, ("side", name), lambda: station.side(view, name))
        yield "changed", stamp(view)


@blueprint.get("")
@needs("viewer")
def events() -> AnyResponse:
    """Stream until the reader goes, the session ends or the process stops; 503 when all places are taken."""
    place, reader = room(), _reader()  # nothing may fail between the place that is taken and who gives it back
    if not place.gauge.enter():
        answer = make_response("too many streams", 503)
        answer.headers["Retry-After"] = str(RETRY_S)
        return answer
    answer = Response(stream_with_context(_messages(place, reader)), mimetype="text/event-stream")
    answer.call_on_close(place.gauge.leave)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@blueprint.get("/once")
@needs("viewer")
def once() -> AnyResponse:
    """Give the same as JSON, once: what a page asks for every two seconds while no stream has room for it."""
    view = room().hub.view()
    messages = [*_reader().news(view), beat(view, room().settings.clock)]
    return jsonify([{"event": message.event, "data": message.data} for message in messages])


def _messages(place: Room, reader: Reader) -> Iterator[str]:
    clock, token = place.settings.clock, request.cookies.get(cookie_name(), "")
    view, beat_at, check_at = place.hub.view(), clock.monotonic(), clock.monotonic() + RECHECK_S
    told: bool | None = None
    yield f"retry: {RETRY_S * 1000}\n\n"
    while not place.hub.stopping:
        yield from (message.encode() for message in reader.news(view))
        now = clock.monotonic()
        if now >= check_at:
            check_at = now + RECHECK_S
            if place.doors.who(token) is None and place.guest is None:
                return
        if now >= beat_at or view.fresh is not told:  # that a picture grew old is no news for the next heartbeat
            beat_at, told = now + BEAT_S, view.fresh
            yield beat(view, clock).encode()
        view = place.hub.wait(view.version, max(0.0, beat_at - clock.monotonic()))


def _reader() -> Reader:
    """A page that names the state it was rendered from is not told of that state again."""
    args = request.args
    if args.get("view") == "plan":
        plan.begin()
    return Reader(page=args.get("view", "page"), here=args.get("here", ""), told={"changed": args.get("stamp", "")})


def beat(view: View, clock: Clock) -> Message:
    """Give a heartbeat: it says that the stream lives, and whether what it shows is fresh."""
    now = clock.now()
    data = {"fresh": view.fresh, "at": now.isoformat(timespec="milliseconds"), "said": moment(now)}
    return Message(event="beat", data=json.dumps(data), id=view.seq)


def _kept(view: View, key: tuple[str, ...], make: Callable[[], str]) -> str:
    return room().fragments.get(view.version, (*key, language(), visitor().role), make)
