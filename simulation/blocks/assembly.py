"""Parts of several classes are put together: a match station, a kit, an assembly line's meeting point."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulation.blocks.block import Doorway, Giver, Reservation, Taker
from simulation.blocks.floor import Floor
from simulation.blocks.gathering import Gatherer
from simulation.blocks.item import Item
from simulation.blocks.ties import ties_of


class Lane:
    """Where the parts of one class wait for the others; who finds no room waits at its door."""

    def __init__(self) -> None:
        self.parts: deque[Item] = deque()
        self.reserved = 0
        self.door = Doorway()


class Assembly(Gatherer):
    """Puts parts together: so many of each class that it `needs`, into one of the class `makes`. Others pass.

    Each class has `places` of its own. The parts stay there until what follows takes what is made of them: with a machine
    behind it, it is that machine's kit.
    """

    kind = "assembly"

    def __init__(
        self,
        floor: Floor,
        name: str,
        *,
        needs: Mapping[str, int],
        makes: str = "",
        priority: int = 0,
        places: float = math.inf,
    ) -> None:
        super().__init__(floor, name)
        self._needs = dict(needs)
        self._makes = makes
        self._priority = priority
        self._places = places
        self.lanes = {kind: Lane() for kind in needs}

    def take(self, item: Item, giver: Giver | None) -> bool:
        lane = self.lanes.get(item.kind)
        if lane is None:
            return self.next.take(item, giver)
        if not self._has_room(lane) or lane.door.is_passed_over(giver):
            lane.door.stand(giver)
            return False
        self._let_in(item)
        return True

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        lane = self.lanes.get(item.kind)
        if lane is None:
            return self.next.reserve(item, giver)
        if not self._has_room(lane) or lane.door.is_passed_over(giver):
            lane.door.stand(giver)
            return None
        lane.reserved += 1
        return _KeptInLane(self, lane)

    def ahead(self) -> Iterator[Taker]:
        return iter((self.next,))

    def _has_room(self, lane: Lane) -> bool:
        return len(lane.parts) + lane.reserved < self._places

    def _admit(self, item: Item) -> None:
        self.lanes[item.kind].parts.append(item)
        self.go_on()

    def _gathered(self) -> Sequence[Item]:
        if any(len(self.lanes[kind].parts) < count for kind, count in self._needs.items()):
            return ()
        return [self.lanes[kind].parts[n] for kind, count in self._needs.items() for n in range(count)]

    def _made_of(self, items: Sequence[Item]) -> Item:
        made = self.floor.make(self._makes, self._priority)
        made.born = min(item.born for item in items)
        ties_of(made).inside = list(items)
        return made

    def _use(self, items: Sequence[Item]) -> None:
        for item in items:
            self.lanes[item.kind].parts.popleft()

    def _let_come(self) -> None:
        for lane in self.lanes.values():
            lane.door.invite(lambda lane=lane: self._has_room(lane))  # type: ignore[misc]  # its default has its type

    def figures(self) -> dict[str, Any]:
        return {**super().figures(), "waiting": {kind: len(lane.parts) for kind, lane in self.lanes.items()}}


class _KeptInLane:
    """A place kept for a part."""

    def __init__(self, home: Assembly, lane: Lane) -> None:
        self._home = home
        self._lane = lane

    def use(self, item: Item) -> None:
        self._lane.reserved -= 1
        self._home._let_in(item)  # noqa: SLF001 - its own helper

    def give_up(self) -> None:
        self._lane.reserved -= 1
        self._home._let_come()  # noqa: SLF001
