"""Keeps score: which orders are over, by what left the door and what the subscribers were told; never by anybody's books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from packline.core.figures import NEVER_ON_THE_FLOOR
from packline.orders.tracking import hears
from simulation.people.crew import Recount
from simulation.people.marketplace import Account
from simulation.people.receiver import Received
from simulation.plant.truth import Truth

ENDS = frozenset({"order.closed", "order.cancelled", "order.returned"})


class Score:
    """Listens to every subscriber and looks at the truth of the floor."""

    def __init__(
        self, *, accounts: Mapping[str, Account], truth: Truth, roles: frozenset[str], recount: Recount
    ) -> None:
        self._recount, self._recounts = recount, 0
        self._excused: set[tuple[str, str]] = set()
        self._accounts, self._truth, self._roles = accounts, truth, roles
        self._ends: dict[str, Mapping[str, str]] = {}
        """What each role was told of the end of an order; most orders end alike, and one mapping stands for all of them."""
        self._ways_to_end: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
        self._cartons: dict[str, tuple[str, ...]] = {}
        self._short: dict[str, dict[str, str]] = defaultdict(dict)
        self._heard: dict[str, dict[str, dict[str, str]]] = {}
        """Of each order that is not settled: what each role heard of it, by the event's number."""
        self._gone: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._over: set[str] = set()
        self._told: dict[str, None] = {}
        """Orders whose end every subscriber was told since they were last looked at; in the order in which they were told."""

    async def hear(self, event: Received) -> None:
        """Take one tracking event of one subscriber."""
        of_order = self._heard.setdefault(event.order, {})
        if not any(event.id in heard for heard in of_order.values()):
            self._counts[event.name] += 1
        of_order.setdefault(event.role, {})[event.id] = event.name
        self._over.discard(event.order)
        if event.name in ENDS:
            told = {**self._ends.get(event.order, {}), event.role: event.name}
            self._ends[event.order] = self._ways_to_end.setdefault(tuple(told.items()), told)
        if lpn := str(event.data.get("lpn", "")):
            before = self._cartons.get(event.order, ())
            self._cartons[event.order] = before if lpn in before else (*before, lpn)
        if event.name == "parcel.handed_over":
            self._gone.add(lpn)
        if event.name == "item.short":
            self._short[event.order][str(event.data.get("unit", ""))] = str(event.data.get("sku", ""))
        if event.order in self._accounts and self._everybody_knows(event.order):
            self._told[event.order] = None

    def cartons_of(self, order_id: str) -> set[str]:
        """Give the plates that the host was told of for an order id of the house ("<feed>-<number>")."""
        return set(self._cartons.get(order_id.partition("-")[2], ()))

    def is_over(self, order: str) -> bool:
        """Tell whether every subscriber knows how an order ended, and the floor agrees."""
        account, ends = self._accounts[order], self._ends.get(order, {})
        told = set(ends.values())
        if not account.is_posted or set(ends) != self._roles or len(told) != 1:
            return False
        return self._sent(order) == self._owed(account) if told == {"order.closed"} else not self._sent(order)

    def waiting(self) -> list[str]:
        """List the orders that are not over; all are looked at: what was over may be no more, by what left the door since."""
        self._over.clear()
        waiting = [order for order in self._accounts if not self._is_settled(order)]
        self._told = {order: None for order in waiting if self._everybody_knows(order)}
        return waiting

    def open_orders(self) -> int:
        """Count those that were not over yet when somebody last had reason to ask; cheap, for who looks every second."""
        self._told = {order: None for order in self._told if not self._is_settled(order)}
        return len(self._accounts) - len(self._over)

    def _everybody_knows(self, order: str) -> bool:
        return len(self._ends.get(order, ())) == len(self._roles)

    def _is_settled(self, order: str) -> bool:
        if not self.is_over(order):
            return False
        self._over.add(order)
        self._settle(order)
        return True

    def lost(self) -> list[str]:
        """List the orders that the house took and that are not over."""
        return [order for order in self.waiting() if self._accounts[order].posted]

    def lost_events(self) -> int:
        """Count what a subscriber should have heard and did not: events that others heard, and parcels that left unsaid."""
        missed = self._missed()
        if (
            self._recount.ordered > self._recounts
        ):  # books that were restored cannot tell what their later state had to tell
            self._recounts, self._excused = self._recount.ordered, missed
        said = self._gone | self._recount.called_shipped
        unsaid = sum(parcel.left and lpn not in said for lpn, parcel in self._truth.parcels.items())
        return len(missed - self._excused) + unsaid

    def _settle(self, order: str) -> None:
        """Forget what was heard of an order about which everybody heard everything; what comes later is looked at alone."""
        if order in self._heard and not self._missed_of(order):
            del self._heard[order]

    def _missed(self) -> set[tuple[str, str]]:
        return {missed for order in self._heard for missed in self._missed_of(order)}

    def _missed_of(self, order: str) -> set[tuple[str, str]]:
        of_order = self._heard[order]
        every = {number: name for heard in of_order.values() for number, name in heard.items()}
        return {
            (role, number)
            for role in self._roles
            for number, name in every.items()
            if hears(role, name) and number not in of_order.get(role, ())
        }

    def count(self, name: str) -> int:
        """Count the different events called `name`."""
        return self._counts[name]

    def _sent(self, order: str) -> Counter[str]:
        """Count the pieces that left the door in the cartons of an order: those that were told of, and those on the packing list."""
        cartons = {*self._cartons.get(order, ()), *self._recount.cartons_of(order)}
        parcels = (self._truth.parcels.get(lpn) for lpn in cartons)
        return Counter(sku for parcel in parcels if parcel is not None and parcel.left for sku in parcel.pieces)

    def _owed(self, account: Account) -> Counter[str]:
        return Counter(account.story.skus) - Counter(self._short[account.story.id].values())


def figures(
    *, score: Score, accounts: Mapping[str, Account], truth: Truth, events: int, exceptions: int, seconds: float
) -> dict[str, Any]:
    """Give the summary of a run, JSON-ready."""
    seen = truth.summary()
    return {
        "orders": sum(1 for account in accounts.values() if account.posted),
        "orders_over": len(accounts) - len(score.waiting()),
        "parcels_shipped": seen["parcels_shipped"],
        "labels_printed": seen["labels_printed"],
        "labels_applied": seen["labels_applied"],
        **{name: seen[name] for name in NEVER_ON_THE_FLOOR},
        "lost_orders": len(score.lost()),
        "lost_events": score.lost_events(),
        "events_delivered": events,
        "exceptions": exceptions,
        "seconds": round(seconds, 1),
    }
