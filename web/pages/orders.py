"""Orders: the list with why each waits, and one order from end to end."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, request, url_for

from packline.core.tokens import sign
from packline.orders.model import Order, OrderState, Parcel
from packline.orders.routing import destination
from packline.store.view_rows import OrderLineView
from packline.store.views import ORDER_GROUPS
from web import face
from web.acting import has_role
from web.guard import needs, visitor
from web.room import room

blueprint = Blueprint("orders", __name__)
MOST_SEARCH_CHARS = 100
LINK_S = 3600.0


@blueprint.get("/orders")
@needs("viewer")
def listing() -> tuple[str, int]:
    """List orders."""
    group = request.args.get("show", "open")
    group = group if group in ORDER_GROUPS else "open"
    search = request.args.get("q", "").strip()[:MOST_SEARCH_CHARS]
    views = room().settings.store.views
    recipients = has_role(visitor().role, "supervisor")
    found = views.orders(search=search, recipients=recipients, group="all" if search else group, offset=offset())
    return face.page(
        "orders.html",
        group=group,
        search=search,
        recipients=recipients,
        found=found,
        groups=views.order_groups(),
        why=why_line_waits,
        is_late=is_late,
    )


@blueprint.get("/orders/<order_id>")
@needs("viewer")
def page(order_id: str) -> tuple[str, int]:
    """Show one order."""
    detail = room().settings.store.views.order(order_id)
    if detail is None:
        abort(404)
    why = why_waits(detail.order, detail.parcels)
    late = is_late(detail.order)
    return face.page(
        "order.html", detail=detail, order=detail.order, why=why, late=late, buyer_link=_buyer_link(order_id)
    )


def _buyer_link(order_id: str) -> str:
    """Give a link that shows the order to its buyer for an hour; only supervisors may hand one out."""
    if not has_role(visitor().role, "supervisor"):
        return ""
    settings = room().settings
    token = sign(settings.secret, {"o": order_id}, settings.clock.now() + timedelta(seconds=LINK_S))
    return settings.buyer_url.rstrip("/") + url_for("buyer.page", token=token)


def is_late(order: Order) -> bool:
    """Tell whether an order is still here though it should have left; of a replay nobody knows, whose day is over."""
    ship_by, settings = order.content.ship_by, room().settings
    is_here = order.state in ORDER_GROUPS["open"] and not settings.player
    return is_here and ship_by is not None and ship_by < settings.clock.now()


def why_line_waits(row: OrderLineView) -> tuple[str, ...]:
    """Say why an order of the list does not move on: keys of the catalogue."""
    return why_waits(row.order, row.parcels)


def why_waits(order: Order, parcels: tuple[Parcel, ...]) -> tuple[str, ...]:
    """Say why nothing happens: the parcels' reasons, or that the floor is full."""
    if order.state is OrderState.RECEIVED:
        return ("wip_limit",)
    reasons = [reason for parcel in parcels for reason in destination(order, parcel).why]
    return tuple(dict.fromkeys(reasons))


def offset() -> int:
    """Give where the page asked for begins."""
    return max(0, min(request.args.get("from", 0, type=int), 1_000_000))
