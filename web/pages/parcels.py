"""One parcel: where it is, what was done to it and by which proof, what may be done now."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, abort, make_response
from werkzeug.wrappers import Response

from packline.orders.lifecycle import can
from packline.orders.model import PARCEL_GONE, Parcel, ParcelState
from packline.orders.policy import Action, may
from web import face
from web.acting import KINDS, has_role
from web.guard import needs, visitor
from web.room import room

blueprint = Blueprint("parcels", __name__)

P = ParcelState
WAY = (P.OPEN, P.COLLECTED, P.PACKED, P.PRINTED, P.LABELLED, P.VERIFIED, P.APPROVED, P.SHIPPED, P.DELIVERED)
LABELLED = frozenset({P.PRINTED, P.LABELLED, P.VERIFIED, P.APPROVED})


@blueprint.get("/parcels/<lpn>")
@needs("viewer")
def page(lpn: str) -> tuple[str, int]:
    """Show the parcel."""
    detail = room().settings.store.views.parcel(lpn)
    if detail is None:
        abort(404)
    offered = [act for act in actions(detail.parcel) if may(visitor().role, act)]
    answerable = detail.parcel.approval == "asked" and has_role(visitor().role, KINDS["answer"].role(None))
    return face.page(
        "parcel.html",
        detail=detail,
        parcel=detail.parcel,
        order=detail.order,
        way=WAY,
        offered=offered,
        answerable=answerable,
        proof=room().settings.store.views.proof(lpn),
    )


@blueprint.get("/pictures/<picture_id>")
@needs("viewer")
def picture(picture_id: str) -> Response:
    """Give a picture's JPEG."""
    found = room().settings.store.views.picture(picture_id)
    if found is None:
        abort(404)
    return jpeg(found[1])


def jpeg(data: bytes) -> Response:
    """Give a picture; what is kept as evidence never changes."""
    answer = make_response(data)
    answer.mimetype = "image/jpeg"
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return answer


def actions(parcel: Parcel) -> Iterator[Action]:
    """Give what a person may ask for in the parcel's state, by the tables of the lifecycle."""
    if parcel.state in PARCEL_GONE:
        return
    if parcel.held:
        yield Action.RELEASE
    elif can(parcel, "ParcelHeld"):
        yield Action.HOLD
    if parcel.sscc and (parcel.state in LABELLED or parcel.state is P.CLARIFY):
        yield Action.REPRINT
    if can(parcel, "ParcelClarify"):
        yield Action.CLARIFY
    if can(parcel, "ParcelReturning"):
        yield Action.VOID
