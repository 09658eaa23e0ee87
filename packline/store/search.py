"""What a text that somebody typed or scanned finds in the books."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from packline.core.identity import Lpn
from packline.store import schema as s
from packline.store.view_rows import Found


def thing_named(db: Connection, text: str) -> Found | None:
    """Tell what a scanned text names: a parcel's plate, a label, an order or an item; None when the books know nothing of it."""
    sscc = _bare(text)
    if Lpn.is_lpn(text) and db.scalar(select(s.parcel.c.lpn).where(s.parcel.c.lpn == text)):
        return Found(kind="parcel", key=text)
    if lpn := db.scalar(select(s.label.c.lpn).where(s.label.c.sscc == sscc)):
        return Found(kind="label", key=lpn)
    if order_id := db.scalars(_order_named(text)).first():
        return Found(kind="order", key=order_id)
    if sku := db.scalars(_item_named(text)).first():
        return Found(kind="item", key=sku)
    return None


def order_matches(search: str) -> ColumnElement[bool]:
    """Give the condition that an order's numbers, merchant, SKUs, plates or labels hold `search`; "" matches all."""
    if not search:
        return s.orders.c.order_id.is_not(None)
    own = (s.orders.c.order_id, s.orders.c.external_id, s.orders.c.merchant)
    named = (column.icontains(search, autoescape=True) for column in own)
    sku = select(s.unit.c.order_id).where(s.unit.c.sku.icontains(search, autoescape=True))
    lpn = select(s.parcel.c.order_id).where(s.parcel.c.lpn.icontains(search, autoescape=True))
    label = select(s.parcel.c.order_id).join(s.label, s.label.c.lpn == s.parcel.c.lpn)
    sscc = label.where(s.label.c.sscc.contains(_bare(search), autoescape=True))
    return or_(*named, *(s.orders.c.order_id.in_(of) for of in (sku, lpn, sscc)))


def sent_to(db: Connection, search: str) -> ColumnElement[bool]:
    """Give the condition that an order goes to somebody whose name holds `search`.

    The recipient stands in the order's content, which is kept as JSON; each engine has its own way in.
    """
    content = type_coerce(s.orders.c.content, Text)
    if db.dialect.name == "postgresql":
        recipient = func.jsonb_extract_path_text(cast(content, JSONB), "ship_to", "recipient")
    else:
        recipient = func.json_extract(content, "$.ship_to.recipient")
    return type_coerce(recipient, Text).icontains(search, autoescape=True)


def item_matches(search: str) -> ColumnElement[bool]:
    """Give the condition that an item's name, SKU or merchant holds `search`, or that it is a barcode of it; "" matches all."""
    if not search:
        return s.item.c.sku.is_not(None)
    alias = select(s.item_alias.c.sku).where(s.item_alias.c.barcode == search)
    named = (c.icontains(search, autoescape=True) for c in (s.item.c.sku, s.item.c.name, s.item.c.merchant))
    return or_(*named, s.item.c.sku.in_(alias))


def _bare(text: str) -> str:
    """Give the 18 digits of a label's number without what stands before them in its code."""
    digits = text.removeprefix("(00)")
    return digits[2:] if len(digits) == 20 and digits.startswith("00") else digits


def _order_named(text: str) -> Select[Any]:
    return select(s.orders.c.order_id).where(or_(s.orders.c.order_id == text, s.orders.c.external_id == text)).limit(1)


def _item_named(text: str) -> Select[Any]:
    alias = select(s.item_alias.c.sku).where(s.item_alias.c.barcode == text)
    return select(s.item.c.sku).where(or_(s.item.c.sku == text, s.item.c.sku.in_(alias))).limit(1)
