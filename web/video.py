"""The video process: one thread a camera, any number of viewers, on a port of its own.

Six open streams block a browser's other requests to the same origin, so pictures must not share the dashboard's port.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, Response, abort, current_app, jsonify, make_response, request
from werkzeug.wrappers import Response as AnyResponse

from packline.core.clock import Clock
from packline.core.pictures import Still
from scanning.cameras.grabber import Grabber
from scanning.cameras.sources import open_source
from web.crowd import Gauge
from web.serve import SPARE_THREADS, serve
from web.tls import Tls
from web.video_token import may_see

log = logging.getLogger(__name__)

KEY = "packline-video"
MOST_VIEWERS = 64
MOST_WAIT_S = 10.0
FRAME_WAIT_S = 5.0
"""A camera that gives no frame for so long ends the stream; the page asks again."""
LEAST_PAUSE_S = 0.1
"""A viewer gets at most ten pictures a second: at 77 KB each that is 6 Mbit/s."""
BOUNDARY = "frame"
OPENING = f"--{BOUNDARY}\r\n".encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSettings:
    """`cameras` maps a name to its address, `delays_s` to what its stream holds back; `secret` checks viewers' tokens."""

    cameras: Mapping[str, str]
    secret: bytes
    clock: Clock
    delays_s: Mapping[str, float] = field(default_factory=dict)
    most_viewers: int = MOST_VIEWERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cinema:
    """What the routes share."""

    grabbers: Mapping[str, Grabber]
    settings: VideoSettings
    gauge: Gauge
    stopping: list[bool] = field(default_factory=list)


def create_video_app(settings: VideoSettings, make: Callable[[str, str], Grabber] | None = None) -> Flask:
    """Make the WSGI application; grabbers start with `start_video`."""
    app = Flask("web.video", static_folder=None)
    delays_s, now = settings.delays_s, settings.clock.now

    def open_source_of(name: str, url: str) -> Grabber:
        return Grabber(name, open_source(url, now, delay_s=delays_s.get(name, 0.0)), now)

    open_camera = make or open_source_of
    grabbers = {name: open_camera(name, url) for name, url in settings.cameras.items()}
    app.extensions[KEY] = Cinema(grabbers=grabbers, settings=settings, gauge=Gauge(settings.most_viewers))
    app.add_url_rule("/stream/<camera>", view_func=stream)
    app.add_url_rule("/still/<camera>", view_func=still)
    app.add_url_rule("/health", view_func=health)
    app.after_request(_headers)
    return app


def run(settings: VideoSettings, host: str, port: int, *, tls: Tls | None = None) -> None:
    """Serve the cameras until SIGTERM."""
    app = create_video_app(settings)
    place = cinema_of(app)

    def start() -> None:
        for grabber in place.grabbers.values():
            grabber.start()

    def stop() -> None:
        place.stopping.append(True)
        for grabber in place.grabbers.values():
            grabber.stop()

    threads = settings.most_viewers + SPARE_THREADS
    serve(app, host, port, clock=settings.clock, threads=threads, start=start, stop=stop, tls=tls)


serve_video = run


def stream(camera: str) -> AnyResponse:
    """Stream MJPEG, each part with its length; a slow viewer misses frames and slows nobody."""
    place = _place(camera)
    if not place.gauge.enter():
        answer = make_response("too many viewers", 503)
        answer.headers["Retry-After"] = "5"
        return answer
    parts = _parts(place, place.grabbers[camera], camera, request.args.get("token", ""))
    answer = Response(parts, mimetype=f"multipart/x-mixed-replace; boundary={BOUNDARY}")
    answer.call_on_close(place.gauge.leave)
    return answer


def still(camera: str) -> AnyResponse:
    """Give one JPEG; with `fresh=1` only one exposed after this question, else 503."""
    place = _place(camera)
    grabber = place.grabbers[camera]
    timeout_s = min(MOST_WAIT_S, max(0.0, request.args.get("timeout_s", 3.0, type=float)))
    shot = grabber.fresh(timeout_s) if request.args.get("fresh") == "1" else grabber.latest()
    if shot is None:
        return make_response(f"no frame: {grabber.error() or 'none newer than the question'}", 503)
    answer = make_response(shot.jpeg)
    answer.mimetype = "image/jpeg"
    answer.headers["X-Frame-Counter"] = str(shot.frame)
    answer.headers["X-Captured-At"] = shot.captured_at.isoformat()
    return answer


def health() -> AnyResponse:
    """Say which cameras give frames."""
    place = cinema_of(current_app)
    return jsonify({"ok": True, "cameras": {name: not grabber.error() for name, grabber in place.grabbers.items()}})


def cinema_of(app: Flask) -> Cinema:
    """Give what an application's routes share."""
    return cast(Cinema, app.extensions[KEY])


def _place(camera: str) -> Cinema:
    """Let the machine itself and holders of a token in; no camera is named to others."""
    place = cinema_of(current_app)
    token = request.args.get("token", "")
    allowed = may_see(place.settings.secret, token, camera, place.settings.clock.now())
    if not allowed and not (request.endpoint == "still" and _is_loopback(request.remote_addr)):
        abort(403)
    if camera not in place.grabbers:
        abort(404)
    return place


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _parts(place: Cinema, grabber: Grabber, camera: str, token: str) -> Iterator[bytes]:
    """Give the stream until it ends, or the viewer's time does: a buyer's link is for a quarter of an hour, not for ever."""
    shown: int | None = None
    due = 0.0
    yield OPENING
    clock, secret = place.settings.clock, place.settings.secret
    while not place.stopping and may_see(secret, token, camera, clock.now()):
        shot = grabber.next_after(shown, FRAME_WAIT_S)
        if shot is None:
            return
        shown = shot.frame
        now = clock.monotonic()
        if now >= due:
            due = now + LEAST_PAUSE_S
            yield part(shot)


def part(shot: Still) -> bytes:
    """Give one part of the stream and the boundary after it: a browser shows a picture when it sees its end."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(shot.jpeg)}\r\n\r\n"
    return head.encode("ascii") + shot.jpeg + b"\r\n" + OPENING


def _headers(answer: AnyResponse) -> AnyResponse:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
