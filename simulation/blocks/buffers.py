"""Places to wait: a buffer that passes on what the next one takes, and a courier who empties the shelf now and then."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any, Literal

from simulation.blocks.block import Full, Giver, Holder, Reservation, Taker
from simulation.blocks.draws import Distribution
from simulation.blocks.floor import Due, Floor
from simulation.blocks.item import Item
from simulation.statistics.tallies import Tally

Order = Literal["fifo", "lifo"]


class Buffer(Holder):
    """`capacity` places between two blocks; one without places passes on what the next block takes, and is never entered.

    The item whose turn it is (by priority, then by `order`) is offered; while its way is full, those behind it wait too.
    """

    kind = "buffer"

    def __init__(
        self, floor: Floor, name: str, *, capacity: float = math.inf, order: Order = "fifo", full: Full = "block"
    ) -> None:
        super().__init__(floor, name, capacity=capacity, full=full)
        self._order = order
        self._heap: list[tuple[tuple[int, int], Item]] = []
        self._number = 0
        self._is_pushing = False

    @property
    def is_passage(self) -> bool:
        """Tell whether it has no places of its own."""
        return self.capacity == 0

    def take(self, item: Item, giver: Giver | None) -> bool:
        if not self.is_passage:
            return super().take(item, giver)
        waits = self.full == "block" and self.overflow is None
        if self.next.take(item, giver if waits else None):
            self.came += 1
            self.went += 1
            return True
        return False if waits else self._refuse(item, giver)

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        return self.next.reserve(item, giver) if self.is_passage else super().reserve(item, giver)

    def ahead(self) -> Iterator[Taker]:
        return iter((self.next,)) if self.is_passage else iter(())

    def _admit(self, item: Item) -> None:
        self._number += 1
        heappush(self._heap, ((item.priority, self._number if self._order == "fifo" else -self._number), item))
        self.go_on()

    @property
    def block(self) -> object:
        """Give itself: it is the giver to what follows."""
        return self

    def go_on(self) -> None:
        """Pass on as much as goes."""
        if self._is_pushing:
            return  # what follows invites while it takes: the loop below goes on anyway
        self._is_pushing = True
        is_moved = False
        while self._heap:
            entry = heappop(self._heap)
            entered = entry[1].entered
            if not self.next.take(entry[1], self):
                heappush(self._heap, entry)
                break
            self._let_out(entered, entry[1].kind)
            is_moved = True
        self._is_pushing = False
        if is_moved:
            self._invite()


class Courier(Holder):
    """Comes now and then and takes away up to `load` items together; until then they wait on its shelf.

    `every` is the time between two visits. `capacity` is the shelf's.
    """

    kind = "courier"

    def __init__(
        self,
        floor: Floor,
        name: str,
        *,
        every: Distribution,
        load: float = math.inf,
        capacity: float = math.inf,
        full: Full = "block",
    ) -> None:
        super().__init__(floor, name, capacity=capacity, full=full)
        self._every = floor.draw(f"{name}.every", every)
        self._load = load
        self._shelf: deque[Item] = deque()
        self._wait_for_visit()

    def reset(self) -> None:
        super().reset()
        self.visits = 0
        self.loads = Tally()

    def _admit(self, item: Item) -> None:
        self._shelf.append(item)

    def _wait_for_visit(self) -> None:
        self.floor.after(self._every(), self._visit)

    def _visit(self, _due: Due) -> None:
        self.visits += 1
        taken = 0
        while self._shelf and taken < self._load:
            item = self._shelf[0]
            entered = item.entered  # what takes it notes a time of its own there
            if not self.next.take(item, None):
                break
            self._shelf.popleft()
            self._let_out(entered, item.kind)
            taken += 1
        self.loads.add(taken)
        self._invite()
        self._wait_for_visit()

    def figures(self) -> dict[str, Any]:
        return {**super().figures(), "visits": self.visits, "load": self.loads.mean()}
