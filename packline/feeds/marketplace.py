"""Turns a marketplace's message into PlaceOrder; what is not plain is a fault with a reason."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from packline.core.faults import Fault
from packline.core.identity import is_gtin
from packline.feeds.reading import Door, Plain, read, read_json, words
from packline.orders.model import Address, OrderLine, PlaceOrder, Purchase

MOST_LINES = 100
MOST_PIECES = 500
MOST_UNIT_MINOR = 10**10
YEARS = range(2000, 2101)


def _plausible(at: datetime) -> datetime:
    """Refuse years that no order has, before arithmetic on them overflows."""
    if at.year not in YEARS:
        raise Plain(f"a year from {YEARS.start} to {YEARS.stop - 1}")
    return at.astimezone(UTC)


KEY = r"^[A-Za-z0-9._-]{1,40}$"
Key = Annotated[str, StringConstraints(pattern=KEY)]
Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
Flag = Annotated[bool, Field(strict=True)]


class Party(Door):
    """A merchant or a buyer."""

    id: Key
    name: Annotated[str, words(0, 200)] = ""


class Goods(Door):
    """One line of the order; `unit_minor` is the price of one piece in minor units of the currency."""

    line: Annotated[int, Field(strict=True, ge=1, le=9999)]
    sku: Key
    name: Annotated[str, words(1, 200)]
    gtin: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,14}$")] = ""
    qty: Annotated[int, Field(strict=True, ge=1, le=MOST_PIECES)]
    unit_minor: Annotated[int, Field(strict=True, ge=0, le=MOST_UNIT_MINOR)]


class ShipTo(Door):
    """Where it goes."""

    recipient: Annotated[str, words(1, 120)]
    lines: Annotated[list[Annotated[str, words(1, 200)]], Field(min_length=1, max_length=6)]
    city: Annotated[str, words(1, 100)]
    postcode: Annotated[str, words(0, 20)] = ""
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    phone: Annotated[str, words(0, 40)] = ""


class Options(Door):
    """What the buyer lets us do."""

    approval: Flag = True
    split: Flag = True
    short: Flag = True


class OrderData(Door):
    """The whole state of one order at one version."""

    id: Key
    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
    merchant: Party
    buyer: Party
    placed_at: Moment
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    lines: Annotated[list[Goods], Field(min_length=1, max_length=MOST_LINES)]
    total_minor: Annotated[int, Field(strict=True, ge=0, le=MOST_UNIT_MINOR * MOST_PIECES)]
    purchase: Purchase
    paid: Flag
    ship_to: ShipTo | None = None
    ship_by: Moment | None = None
    options: Options = Options()


class OrderMessage(Door):
    """The envelope."""

    type: Literal["order.changed"]
    timestamp: Moment
    data: OrderData


def read_order(channel: str, body: bytes) -> PlaceOrder:
    """Give the order in a signed message of `channel`.

    Raises Fault 4001 (cannot be read), 4004 (too large) or 4005 (readable, but it contradicts itself).
    """
    return place_order(channel, read(body, OrderMessage).data)


def place_order(channel: str, data: OrderData) -> PlaceOrder:
    """Give the command for an order that was read; raises Fault 4005 when it contradicts itself."""
    for seen, expected in _contradictions(data):
        raise Fault(4005, where=named(f"{channel}-{data.id}", data.version), seen=seen, expected=expected)
    return PlaceOrder(
        channel=channel,
        external_id=data.id,
        version=data.version,
        digest=digest(data),
        merchant=data.merchant.id,
        buyer=data.buyer.id,
        placed_at=data.placed_at,
        currency=data.currency,
        lines=tuple(_line(goods) for goods in sorted(data.lines, key=lambda g: g.line)),
        total_minor=data.total_minor,
        purchase=data.purchase,
        paid=data.paid,
        ship_to=_address(data.ship_to),
        ship_by=data.ship_by,
        approval=data.options.approval,
        split_allowed=data.options.split,
        short_allowed=data.options.short,
    )


def named(order_id: str, version: int) -> str:
    """Name one version of an order in a fault."""
    return f"order {order_id} version {version}"


def version_in(name: str) -> tuple[str, int] | None:
    """Give order id and version of what `named` named; None for anything else."""
    found = re.fullmatch(r"order (\S+) version (\d+)", name)
    return (found[1], int(found[2])) if found else None


def order_in(channel: str, body: bytes) -> str:
    """Name the version of the order in a message that cannot be read as a whole; "" when it does not even say that."""
    try:
        data = read_json(body)["data"]
        number, version = data["id"], data["version"]
    except (Fault, KeyError, TypeError, IndexError):
        return ""
    says = isinstance(number, str) and re.fullmatch(KEY, number) and type(version) is int and version > 0
    return named(f"{channel}-{number}", version) if says else ""


def digest(data: OrderData) -> str:
    """Give the SHA-256 of the normalised content: the order of keys and lines, and the version, do not matter."""
    plain: dict[str, Any] = data.model_dump(mode="json", exclude={"version"})
    plain["lines"].sort(key=lambda line: line["line"])
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _contradictions(data: OrderData) -> Iterator[tuple[str, str]]:
    total = sum(goods.qty * goods.unit_minor for goods in data.lines)
    if total != data.total_minor:
        yield f"total_minor {data.total_minor}", f"{total}, the sum of the lines"
    twice = [number for number, times in Counter(goods.line for goods in data.lines).items() if times > 1]
    if twice:
        yield f"line {twice[0]} twice", "each line number once"
    pieces = sum(goods.qty for goods in data.lines)
    if pieces > MOST_PIECES:
        yield f"{pieces} pieces", f"at most {MOST_PIECES} in one order"
    for goods in data.lines:
        if goods.gtin and not is_gtin(goods.gtin):
            yield f"gtin {goods.gtin} in line {goods.line}", "8, 12, 13 or 14 digits with the right check digit"


def _line(goods: Goods) -> OrderLine:
    return OrderLine(
        line_no=goods.line,
        sku=goods.sku,
        name=goods.name,
        quantity=goods.qty,
        unit_minor=goods.unit_minor,
        gtin=goods.gtin,
    )


def _address(to: ShipTo | None) -> Address | None:
    if to is None:
        return None
    return Address(
        recipient=to.recipient,
        lines=tuple(to.lines),
        city=to.city,
        postcode=to.postcode,
        country=to.country,
        phone=to.phone,
    )
