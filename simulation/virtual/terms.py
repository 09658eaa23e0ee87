"""What host and buyer said of an order, held against what left: wanted, paid for, approved, and with the right address.

Nothing here is asked of the books: a host knows what it said and when the house took it, a buyer what he was asked and what he answered.
Times are seconds of one clock; `gone` gives by plate the order of each parcel that left, and of which somebody heard that it did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from simulation.people.marketplace import Move
from simulation.people.receiver import Received
from simulation.virtual.breakages import ADDRESS, UNAPPROVED, UNPAID, UNWANTED
from simulation.virtual.content import address_word
from simulation.virtual.watch import HANDED_OVER

REACTS_S = 1.0
"""So many seconds after the house took a change nothing leaves as it was before; the gate may have been at work."""
Times = Mapping[str, float]
Gone = Mapping[str, str]


def gone(events: Iterable[Received], left_at: Times, role: str = "") -> dict[str, str]:
    """Give the orders of the parcels that left, by plate, sorted; with `role` those of which subscribers of that role heard."""
    told = (event for event in events if event.name == HANDED_OVER and role in ("", event.role))
    orders = {str(event.data.get("lpn", "")): event.order for event in told}
    return {lpn: order for lpn, order in sorted(orders.items()) if lpn in left_at}


def unwanted(gone: Gone, left_at: Times, rejected: Collection[str], called_off_at: Times) -> Iterator[str]:
    """Nothing leaves that its buyer has rejected, or that was cancelled; the latter by order, the former by plate."""
    for lpn in sorted(left_at.keys() & set(rejected)):
        yield f"{UNWANTED}: {lpn} left, and its buyer had rejected it"
    for lpn, order in gone.items():
        late_s = left_at[lpn] - called_off_at.get(order, left_at[lpn])
        if late_s > REACTS_S:
            yield f"{UNWANTED}: {lpn} left {late_s:.1f} s after {order} was cancelled"


def unpaid(gone: Gone, left_at: Times, sold_at: Times) -> Iterator[str]:
    """Nothing leaves before its host says that it is bought and paid; `sold_at` has the orders of which it did not say so at first."""
    for lpn, order in gone.items():
        if left_at[lpn] < sold_at.get(order, 0.0):
            yield f"{UNPAID}: {lpn} left, and {order} was not bought and paid"


def unapproved(
    gone: Gone, left_at: Times, asked: Mapping[str, str], unseen: Collection[str], began: datetime
) -> Iterator[str]:
    """A parcel leaves when its buyer has said yes to what he was asked last, or when his time for that is up.

    `asked` says by plate until when, "" where he said yes; of `unseen` orders nobody is asked. The clock began at `began`.
    """
    for lpn, order in gone.items():
        if order in unseen:
            continue
        until = asked.get(lpn)
        if until is None:
            yield f"{UNAPPROVED}: {lpn} left, and nobody asked its buyer"
        elif until and began + timedelta(seconds=left_at[lpn]) < datetime.fromisoformat(until):
            yield f"{UNAPPROVED}: {lpn} left, and its buyer had not said yes"


def overtaken(gone: Gone, left_at: Times, moved: Mapping[str, Move]) -> set[str]:
    """Give the plates of what left in the moment in which its order got another address: the books may have voided its label before
    they heard that it was gone.
    """
    moves = {lpn: moved[order] for lpn, order in gone.items() if order in moved}
    return {lpn for lpn, move in moves.items() if move.begun_s - REACTS_S < left_at[lpn] < move.taken_s + REACTS_S}


def misaddressed(
    gone: Gone,
    left_at: Times,
    sent_to: Mapping[str, str],
    address_of: Callable[[str], Mapping[str, Any]],
    moved: Mapping[str, Move],
) -> Iterator[str]:
    """A parcel leaves with the address that its order has.

    `sent_to` has a word for that on its label, "" where it cannot be told, and `address_of` the address of an order; `moved` has those
    that got another.
    """
    for lpn, order in gone.items():
        words, move = {address_word(address_of(order))}, moved.get(order)
        if move is not None and left_at[lpn] < move.taken_s + REACTS_S:
            words.add(address_word(move.before))
        if (word := sent_to.get(lpn)) and word not in words:
            yield f"{ADDRESS}: {lpn} left with another address than {order} has"
