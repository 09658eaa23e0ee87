"""What a remote buyer sees and may do, by a signed link: look, turn the item, approve the parcel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, g, jsonify, make_response, request, url_for
from werkzeug.wrappers import Response

from packline.core.faults import Fault
from packline.core.tokens import sign, verify
from packline.orders.model import Parcel, ParcelState, Unit, UnitState
from packline.store.view_rows import OrderDetail, PictureRow
from web import face, speech
from web.acting import Answer, NotFresh, Person, Unreadable
from web.api import refused, told
from web.body import json_body
from web.face import PREFERENCE_S
from web.headers import video_base
from web.live import View
from web.pages.parcels import jpeg
from web.room import room
from web.speech import BUYER_LANG
from web.video_token import BUYER_S, camera_claims, until

blueprint = Blueprint("buyer", __name__, url_prefix="/buyer")

MOST_TOKEN_CHARS = 2000
MINUTE_S, LAST_STEP_S = 60, 5
PROVED = frozenset({ParcelState.VERIFIED, ParcelState.APPROVED, ParcelState.SHIPPED, ParcelState.DELIVERED})
"""States in which the picture of the label is of the label that is on the parcel."""
MOST_SHOWN_CHARS = 34
"""Of a picture's id (26) or a moment (32): enough for either, so that the request's key keeps the answer."""


@blueprint.get("/<token>")
def page(token: str) -> Any:
    """Show the order to its buyer; JSON for a program that asks for it."""
    detail = _order(token)
    if detail is None:
        return _gone()
    view = room().hub.view()
    seen = describe(detail, view, token)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(seen)
    wanted = request.args.get("lang")
    if wanted in room().words.languages:
        g.language = wanted
    no_answer = room().settings.no_answer
    shown = face.page("buyer.html", live=None, token=token, seen=seen, stage=_stage(detail, view), no_answer=no_answer)
    return _remembered(make_response(shown), wanted)


@blueprint.get("/<token>/pictures/<picture_id>")
def picture(token: str, picture_id: str) -> Response:
    """Give a picture of this order."""
    detail = _order(token)
    if detail is None or picture_id not in {row.picture_id for row in detail.pictures}:
        abort(404)
    found = room().settings.store.views.picture(picture_id)
    if found is None:
        abort(404)
    return jpeg(found[1])


@blueprint.post("/<token>/answer")
def answer(token: str) -> Response:
    """Take {"lpn", "answer", "picture", "until"}, the last two as the page showed them."""
    detail, body = _order(token), json_body()
    lpn, said = str(body.get("lpn", "")), str(body.get("answer", ""))
    if detail is None or lpn not in {parcel.lpn for parcel in detail.parcels}:
        return _no(404)
    picture_id, until_at = (str(body.get(name) or "")[:MOST_SHOWN_CHARS] for name in ("picture", "until"))
    # One answer to one question: a second click, or a second device that shows the same, gets the first answer.
    key = f"answer:{lpn}:{picture_id}:{until_at}:{said}"
    return _ask("answer", {"lpn": lpn, "answer": said, "picture": picture_id, "by": _buyer(detail)}, key, detail)


@blueprint.post("/<token>/turn")
def turn(token: str) -> Response:
    """Take {"unit", "step_deg"}; at most one turn in half a second, only while the item is on the table."""
    detail, body = _order(token), json_body()
    if detail is None:
        return _no(404)
    unit = str(body.get("unit", ""))
    if unit not in _on_stage(room().hub.view(), detail):
        return _no(409)
    if not room().pacer.may(detail.order.order_id):
        return _no(429)
    key = f"turn:{room().settings.ids.ulid(int(room().settings.clock.now().timestamp() * 1000))}"
    args = {"order_id": detail.order.order_id, "unit": unit, "step_deg": body.get("step_deg")}
    return _ask("turn", args, key, detail)


def describe(detail: OrderDetail, view: View, token: str) -> dict[str, Any]:
    """Give what the link's holder may know: nothing of other orders, nothing of addresses."""
    staged = _on_stage(view, detail)
    return {
        "order": detail.order.content.external_id,
        "merchant": detail.order.content.merchant,
        "units": [_unit(unit, detail, staged, token) for unit in detail.units if unit.state is not UnitState.SHORT],
        "parcels": [_parcel(parcel, detail.pictures, token) for parcel in detail.parcels],
    }


def _unit(unit: Unit, detail: OrderDetail, staged: Sequence[str], token: str) -> dict[str, Any]:
    lines = {line.line_no: line.name for line in detail.order.content.lines}
    mine = [p for p in detail.pictures if p.subject == unit.unit_id and p.kind == "inspection" and p.size_bytes]
    return {
        "unit": unit.unit_id,
        "name": lines.get(unit.line_no, unit.sku),
        "state": unit.state.value,
        "pictures": [_address(p, token) for p in mine],
        "on_stage": unit.unit_id in staged,
    }


def _parcel(parcel: Parcel, pictures: Sequence[PictureRow], token: str) -> dict[str, Any]:
    proof = room().settings.store.views.proof(parcel.lpn) if parcel.state in PROVED else ""
    mine = [p for p in pictures if p.picture_id == proof and p.size_bytes]
    return {
        "lpn": parcel.lpn,
        "state": parcel.state.value,
        "approval": parcel.approval,
        "answer_until": parcel.approve_until.isoformat() if parcel.approve_until else None,
        "left_s": _left_s(parcel.approve_until) if parcel.approval == "asked" else None,
        "picture": proof,
        "pictures": [_address(p, token) for p in mine],
    }


def _left_s(until_at: datetime | None) -> int | None:
    """Give the seconds left to answer: whole minutes while there are two, then steps of five; the page follows each step."""
    if until_at is None:
        return None
    left = max(0, int((until_at - room().settings.clock.now()).total_seconds()))
    step = LAST_STEP_S if left < 2 * MINUTE_S else MINUTE_S
    return left // step * step


def _remembered(answer: Response, language: str | None) -> Response:
    """Let the browser keep the language that was chosen; the link itself stays as it was given out."""
    if language in room().words.languages:
        answer.set_cookie(
            BUYER_LANG,
            language,
            max_age=PREFERENCE_S,
            path=f"{request.script_root}{blueprint.url_prefix}",  # one who also works here keeps the dashboard as it is
            secure=room().settings.https,
            httponly=True,
            samesite="Lax",
        )
    return answer


def _address(row: PictureRow, token: str) -> str:
    return url_for("buyer.picture", token=token, picture_id=row.picture_id)


def _on_stage(view: View, detail: OrderDetail) -> list[str]:
    """Give the units of this order that a camera table shows now; none while the view is stale."""
    tables = [s for s in view.snapshot.get("stations", ()) if s["kind"] == "turntable"] if view.fresh else []
    shown = [s["unit"] for s in tables if s.get("order") == detail.order.order_id and s.get("unit")]
    return [unit.unit_id for unit in detail.units if unit.unit_id in shown]


def _stage(detail: OrderDetail, view: View) -> Mapping[str, str] | None:
    """Give the live picture's address while an item of this order is on the table."""
    staged, base = _on_stage(view, detail), video_base()
    station = next((s for s in view.snapshot.get("stations", ()) if s.get("unit") in staged), None) if staged else None
    if station is None:
        return None
    camera = str(station.get("camera") or "")
    token = sign(room().settings.secret, camera_claims(camera), until(room().settings.clock, BUYER_S))
    return {"unit": staged[0], "src": f"{base}/stream/{camera}?token={token}" if base and camera else ""}


def _ask(action: str, args: dict[str, Any], key: str, detail: OrderDetail) -> Response:
    person = Person(name=_buyer(detail), role="buyer")
    try:
        said: Answer = room().acting.act(action, args, key=key[:100], person=person, trusted=True)
    except (Unreadable, NotFresh, Fault) as error:
        return refused(error)
    return told(said)


def _buyer(detail: OrderDetail) -> str:
    return f"buyer {detail.order.content.buyer}"[:80]


def _order(token: str) -> OrderDetail | None:
    """Give the order that the token is for; None for a forged or expired one."""
    settings = room().settings
    claims = verify(settings.secret, token[:MOST_TOKEN_CHARS], settings.clock.now())
    order_id = (claims or {}).get("o")
    return settings.store.views.order(order_id) if isinstance(order_id, str) else None


def _gone() -> Any:
    g.visitor = None
    if request.accept_mimetypes.best == "application/json":
        return _no(404)
    return face.page("error.html", status=404, live=None, text=speech.say("buyer.gone"))


def _no(status: int) -> Response:
    return make_response(jsonify({"error": status}), status)
