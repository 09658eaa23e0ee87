"""Reads what a courier says of a parcel that it has taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from packline.core.identity import Sscc
from packline.feeds.marketplace import Moment
from packline.feeds.reading import Door, read, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The courier's word that a parcel reached its buyer; `proof` is the courier's own reference or note."""

    sscc: str
    at: datetime
    proof: str


class DeliveredData(Door):
    """The parcel, when, and how it is proved."""

    sscc: Annotated[str, Field(max_length=24)]
    at: Moment
    proof: Annotated[str, words(0, 400)] = ""


class DeliveredMessage(Door):
    """The envelope."""

    type: Literal["parcel.delivered"]
    timestamp: Moment
    data: DeliveredData


def read_delivery(body: bytes) -> Delivered:
    """Give the delivery in a signed message; raises Fault 4001, 4004, or 4102 when the number is no SSCC."""
    data = read(body, DeliveredMessage).data
    return Delivered(sscc=Sscc.parse(data.sscc).text, at=data.at, proof=data.proof)
