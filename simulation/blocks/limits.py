"""A cap on how many are in a part of the line: permits at its beginning, given back at its end. CONWIP, kanban, a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulation.blocks.block import Block, Doorway, Giver, Reservation, Taker
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item
from simulation.blocks.ties import ties_of
from simulation.statistics.tallies import Tally


class Limit(Block):
    """Lets in at most `most` who have not passed its Release or left the floor; the others wait where they are. No time."""

    kind = "limit"

    def __init__(self, floor: Floor, name: str, *, most: int) -> None:
        super().__init__(floor, name)
        self._most = most
        self.inside = 0
        self.door = Doorway()

    def reset(self) -> None:
        super().reset()
        self.stay = Tally()

    @property
    def _has_permit(self) -> bool:
        return self.inside < self._most

    def take(self, item: Item, giver: Giver | None) -> bool:
        if self._is_closed(giver):
            return False
        self._lend(item)  # before it goes on: what follows may lead it out at this instant
        if self.next.take(item, giver):
            self.came += 1
            self.went += 1
            return True
        self._lent_in_vain(item)
        return False

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        if self._is_closed(giver):
            return None
        kept = self.next.reserve(item, giver)
        if kept is None:
            return None
        self._count(1)
        return _Permitted(self, kept)

    def ahead(self) -> Iterator[Taker]:
        return iter((self.next,))

    def _is_closed(self, giver: Giver | None) -> bool:
        if self._has_permit and not self.door.is_passed_over(giver):
            return False
        self.door.stand(giver)
        return True

    def _lend(self, item: Item) -> None:
        self._count(1)
        ties_of(item).permits.append((self, self.env.now))

    def _lent_in_vain(self, item: Item) -> None:
        self._count(-1)
        ties_of(item).permits.pop()

    def _count(self, by: int) -> None:
        self.inside += by
        self.number.change(self.env.now, by)

    def back(self, since: float) -> None:
        """Take back a permit that was given at `since`, and let in who waits."""
        self._count(-1)
        self.stay.add(self.env.now - since)
        self.door.invite(lambda: self._has_permit)

    def let_go(self, item: Item) -> None:
        """Take back the permits of an item, and of what is inside of it."""
        if item.ties is None:
            return
        mine = [since for lender, since in item.ties.permits if lender is self]
        if mine:
            item.ties.permits = [permit for permit in item.ties.permits if permit[0] is not self]
        for since in mine:
            self.back(since)
        for piece in item.ties.inside:
            self.let_go(piece)

    def figures(self) -> dict[str, Any]:
        at = [round(share, 9) for share in self.number.shares(self.env.now)]
        return {**super().figures(), "sojourn": self.stay.mean(), "at": at}


class _Permitted:
    """A permit and a place, kept."""

    def __init__(self, limit: Limit, kept: Reservation) -> None:
        self._limit = limit
        self._kept = kept

    def use(self, item: Item) -> None:
        limit = self._limit
        ties_of(item).permits.append((limit, limit.env.now))
        limit.came += 1
        limit.went += 1
        self._kept.use(item)

    def give_up(self) -> None:
        limit = self._limit
        self._kept.give_up()
        limit._count(-1)  # noqa: SLF001 - its own helper
        limit.door.invite(lambda: limit._has_permit)  # noqa: SLF001


class Release(Block):
    """Where the part of the line ends that `limit` (set before the run) guards: who passes gives his permit back. No time."""

    kind = "release"

    def __init__(self, floor: Floor, name: str) -> None:
        super().__init__(floor, name)
        self.limit: Limit | None = None

    def take(self, item: Item, giver: Giver | None) -> bool:
        if not self.next.take(item, giver):
            return False
        self._passed(item)
        return True

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        kept = self.next.reserve(item, giver)
        return kept and _Released(self, kept)

    def ahead(self) -> Iterator[Taker]:
        return iter((self.next,))

    def _passed(self, item: Item) -> None:
        self.came += 1
        self.went += 1
        if self.limit is not None:
            self.limit.let_go(item)


class _Released:
    """A place kept behind a release."""

    def __init__(self, release: Release, kept: Reservation) -> None:
        self._release = release
        self._kept = kept

    def use(self, item: Item) -> None:
        self._kept.use(item)
        self._release._passed(item)  # noqa: SLF001 - its own helper

    def give_up(self) -> None:
        self._kept.give_up()
