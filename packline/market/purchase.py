"""How long a reservation and an unpaid purchase stand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

RESERVED = "reserved"
BOUGHT = "bought"
NOT_BOUGHT = "not_bought_in_time"
NOT_PAID = "not_paid_in_time"


class Deal(Protocol):
    """What the host says of the sale."""

    @property
    def purchase(self) -> str: ...

    @property
    def paid(self) -> bool: ...


class Sale(Protocol):
    """An order, as far as its money goes."""

    @property
    def content(self) -> Deal: ...

    @property
    def reserve_until(self) -> datetime | None: ...

    @property
    def pay_until(self) -> datetime | None: ...


def deadlines(purchase: str, paid: bool, now: datetime, reserve_s: float, pay_s: float) -> dict[str, datetime | None]:
    """Give `reserve_until` and `pay_until` of a sale that is in this state since `now`; None where nothing runs.

    A reservation runs `reserve_s` seconds until it must be bought; a purchase `pay_s` seconds until it must be paid.
    """
    reserved, owed = purchase == RESERVED, purchase == BOUGHT and not paid
    return {
        "reserve_until": now + timedelta(seconds=reserve_s) if reserved else None,
        "pay_until": now + timedelta(seconds=pay_s) if owed else None,
    }


def carried_on(sale: Sale, fresh: dict[str, datetime | None]) -> dict[str, datetime | None]:
    """Keep the deadlines that run already: a newer version of the same state buys no more time."""
    running = {"reserve_until": sale.reserve_until, "pay_until": sale.pay_until}
    return {name: (running[name] or until) if until else None for name, until in fresh.items()}


def expired(sale: Sale, now: datetime) -> str | None:
    """Say why the goods of `sale` go back to the shelf (fault 3012): "not_bought_in_time", "not_paid_in_time" or None.

    Only what is still owed can expire: a late answer that arrived before anybody looked counts.
    """
    deal = sale.content
    if deal.purchase == RESERVED and _over(sale.reserve_until, now):
        return NOT_BOUGHT
    if deal.purchase == BOUGHT and not deal.paid and _over(sale.pay_until, now):
        return NOT_PAID
    return None


def _over(until: datetime | None, now: datetime) -> bool:
    return until is not None and now >= until
