"""What ties an item to others: permits that it has, siblings that it is waited for with, what is inside of it."""

from __future__ import annotations

from typing import Protocol

from simulation.blocks.item import Item


class Lender(Protocol):
    """Who gave a permit."""

    def back(self, since: float) -> None:
        """Take back a permit that was given at `since`."""
        ...


class Meeting(Protocol):
    """Where siblings wait for each other."""

    def look_at(self, family: Family) -> None:
        """Look again who is waited for: one sibling will not come."""
        ...


class Family:
    """The siblings that one parent was forked into. `open` of them have not left the floor, `waiting` stand at `meeting`."""

    __slots__ = ("is_broken", "meeting", "open", "parent", "waiting")

    def __init__(self, parent: Item, count: int) -> None:
        self.parent = parent
        self.open = count
        self.is_broken = False
        self.waiting: list[Item] = []
        self.meeting: Meeting | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether all who are still here wait together."""
        return len(self.waiting) == self.open > 0

    def leave(self, *, is_well: bool) -> None:
        """Take note that one will not come: he left the floor well, or was lost or spoiled (then the family is broken)."""
        self.open -= 1
        self.is_broken = self.is_broken or not is_well
        if self.open == 0:
            if self.parent.ties is not None:
                self.parent.ties.end(is_well=not self.is_broken)
        elif self.meeting is not None:
            self.meeting.look_at(self)


class Ties:
    """See the module."""

    __slots__ = ("family", "inside", "permits")

    def __init__(self) -> None:
        self.permits: list[tuple[Lender, float]] = []
        self.family: Family | None = None
        self.inside: list[Item] = []

    def end(self, *, is_well: bool) -> None:
        """Give back every permit, and tell the siblings: the item has left the floor, with all that is inside."""
        permits, self.permits = self.permits, []
        inside, self.inside = self.inside, []
        family, self.family = self.family, None
        for lender, since in permits:
            lender.back(since)
        for item in inside:
            if item.ties is not None:
                item.ties.end(is_well=is_well)
        if family is not None:
            family.leave(is_well=is_well)


def ties_of(item: Item) -> Ties:
    """Give what ties an item; from now on it may have some."""
    if item.ties is None:
        item.ties = Ties()
    ties: Ties = item.ties
    return ties
