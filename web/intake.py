"""Takes signed messages of host systems and couriers; keeps them first and understands them later."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flask import Blueprint, jsonify, make_response, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from packline.core.faults import Fault
from packline.feeds.signing import verify
from web.room import room
from web.taken import KEPT_HEADERS, STATUS

log = logging.getLogger(__name__)
blueprint = Blueprint("intake", __name__, url_prefix="/intake")

MOST_BYTES = 1024 * 1024
MOST_DRAINED = 8 * MOST_BYTES
PART_BYTES = 65536
RETRY_S = 5


@blueprint.post("/<feed>")
def feed(feed: str) -> Response:
    """Take a message of a host system."""
    return _take("feed", feed, room().settings.feeds.get(feed))


@blueprint.post("/couriers/<name>")
def courier(name: str) -> Response:
    """Take a message of a courier."""
    return _take("courier", name, room().settings.couriers.get(name))


def _take(kind: str, channel: str, secrets: Sequence[str] | None) -> Response:
    """Answer 202 kept, 200 known already, 400, 401, 404, 409, 413 or 503; never a 500."""
    if secrets is None:
        return _say(404, error="unknown feed")
    try:
        body = _read()
        message_id = verify(secrets, dict(request.headers), body, room().settings.clock.now())
        kept = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
        put = room().settings.store.inbox.put_now(
            channel, message_id, kept, body, room().settings.clock.now(), kind=kind
        )
    except Fault as fault:
        log.warning("intake %s: %s", channel, fault.text())
        return _say(STATUS.get(fault.code, 503), error=fault.kind.name, code=fault.code)
    if not put.same_body:
        return _say(409, error="another message has this id")
    if put.is_new:
        room().hub.nudge()
    return _say(202 if put.is_new else 200, id=put.id)


def _read() -> bytes:
    """Read the body, never more than MOST_BYTES of it; raises Fault 4004, or 4001 for a body cut short."""
    too_large = Fault(4004, where="intake", seen=f"{request.content_length} bytes", expected=f"at most {MOST_BYTES}")
    # One more: a chunked body says no length, and a longer one must not pass as a message cut short.
    request.max_content_length = MOST_BYTES + 1
    if (request.content_length or 0) > MOST_BYTES:
        _drain()
        raise too_large
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise too_large from None
    if len(body) > MOST_BYTES:
        raise too_large
    if request.content_length is not None and len(body) != request.content_length:
        raise Fault(4001, where="intake", seen=f"{len(body)} bytes", expected=f"{request.content_length}")
    return body


def _drain() -> None:
    """Read and forget an oversized body, up to MOST_DRAINED: a sender that is cut off in mid-body never sees the answer."""
    stream, left = request.environ["wsgi.input"], min(request.content_length or 0, MOST_DRAINED)
    while left > 0 and (part := stream.read(min(left, PART_BYTES))):
        left -= len(part)


def _say(status: int, **body: object) -> Response:
    answer = make_response(jsonify(body), status)
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_S)
    if status == 413:
        # The rest of the body was not read: the connection cannot carry another request.
        answer.headers["Connection"] = "close"
    return answer
