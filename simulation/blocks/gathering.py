"""Several into one: siblings are joined, pieces are packed, parts of several kinds are put together."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

from simulation.blocks.block import Full, Giver, Holder
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item
from simulation.blocks.ties import Family, ties_of
from simulation.statistics.tallies import Tally


class Gatherer(Holder):
    """Offers what can be made of those who wait. They stay where they are until that is taken, and take no time else."""

    def __init__(self, floor: Floor, name: str, *, capacity: float = math.inf, full: Full = "block") -> None:
        super().__init__(floor, name, capacity=capacity, full=full)
        self._offered: Item | None = None
        self._is_giving = False

    def _gathered(self) -> Sequence[Item]:
        """Give who would be used now; nobody: not all are there. Each kind of block says it, as the two below."""
        raise NotImplementedError

    def _made_of(self, items: Sequence[Item]) -> Item:
        """Give what becomes of them."""
        raise NotImplementedError

    def _use(self, items: Sequence[Item]) -> None:
        """Take them out of where they wait."""
        raise NotImplementedError

    @property
    def block(self) -> object:
        """Give itself: it is the giver to what follows."""
        return self

    def go_on(self) -> None:
        """Give as much as is there and is taken."""
        if self._is_giving:
            return  # whoever invites while he takes: the loop below goes on anyway
        self._is_giving = True
        while items := self._gathered():
            if not self._gives(items):
                break
        self._is_giving = False
        self._let_come()

    def _gives(self, items: Sequence[Item]) -> bool:
        made = self._offered = self._offered or self._made_of(items)
        came = [(item.entered, item.kind) for item in items]  # one alone may be given on as it is
        if not self.next.take(made, self):
            return False
        self._offered = None
        self._use(items)
        if made is not items[0]:
            self.floor.replace(items, (made,))
        for since, kind in came:
            self._let_out(since, kind)
        return True

    def _let_come(self) -> None:
        self._invite()


class Join(Gatherer):
    """Lets siblings wait for each other, and gives on the parent whom they were forked from. Others pass.

    When one was lost or spoiled on the way, the rest of them is lost here; one that left the floor well is not waited for.
    """

    kind = "join"

    def __init__(self, floor: Floor, name: str, *, capacity: float = math.inf) -> None:
        super().__init__(floor, name, capacity=capacity)
        self._ready: deque[Sequence[Item]] = deque()

    def take(self, item: Item, giver: Giver | None) -> bool:
        family = _family(item)
        if family is None or family.is_broken or family.open == len(family.waiting) + 1:
            self._let_in(item)  # the last one, or nobody's sibling, waits for nobody and needs no place
            return True
        return super().take(item, giver)

    def _admit(self, item: Item) -> None:
        family = _family(item)
        if family is None:
            self._ready.append((item,))
            self.go_on()
            return
        family.meeting = self
        family.waiting.append(item)
        self.look_at(family)

    def look_at(self, family: Family) -> None:
        """Look whether all are here, or some are waited for in vain."""
        if family.is_broken:
            waiting, family.waiting = family.waiting, []
            for item in waiting:
                self._let_out(item.entered, item.kind)
                self.went -= 1
                self._lose(item.kind)
                self.floor.lose(item)
            self._invite()
        elif family.is_complete:
            self._ready.append(tuple(family.waiting))
            family.waiting = []
            family.open = 0
            self.go_on()

    def _gathered(self) -> Sequence[Item]:
        return self._ready[0] if self._ready else ()

    def _made_of(self, items: Sequence[Item]) -> Item:
        family = _family(items[0])
        if family is None:
            return items[0]
        parent = family.parent
        for item in items:
            if item.ties is not None and (item.ties.permits or item.ties.inside):
                ties_of(parent).permits += item.ties.permits
                ties_of(parent).inside += item.ties.inside
            item.ties = None
        return parent

    def _use(self, items: Sequence[Item]) -> None:
        self._ready.popleft()


def _family(item: Item) -> Family | None:
    return item.ties.family if item.ties is not None else None


class Pack(Gatherer):
    """Packs `pieces` into one of the class `makes` (""): that of the first; what is inside comes out again at an Unpack.

    `wait_s`: it packs fewer when the first has waited so long. What it makes was born when its oldest piece was.
    """

    kind = "pack"

    def __init__(
        self,
        floor: Floor,
        name: str,
        *,
        pieces: int,
        makes: str = "",
        priority: int | None = None,
        wait_s: float | None = None,
        capacity: float = math.inf,
        full: Full = "block",
    ) -> None:
        super().__init__(floor, name, capacity=capacity, full=full)
        self._count = pieces
        self._makes = makes
        self._priority = priority
        self._wait_s = wait_s
        self._waiting: deque[Item] = deque()

    def reset(self) -> None:
        super().reset()
        self.packs = Tally()

    def _admit(self, item: Item) -> None:
        self._waiting.append(item)
        if self._wait_s is not None:
            self.floor.after(self._wait_s, lambda _due: self.go_on())
        self.go_on()

    def _gathered(self) -> Sequence[Item]:
        count = min(self._count, len(self._waiting))
        if count == self._count or (count and self._is_late()):
            return [self._waiting[n] for n in range(count)]
        return ()

    def _is_late(self) -> bool:
        return self._wait_s is not None and self._waiting[0].entered + self._wait_s <= self.env.now

    def _made_of(self, items: Sequence[Item]) -> Item:
        first = items[0]
        made = self.floor.make(self._makes or first.kind, first.priority if self._priority is None else self._priority)
        made.born = min(item.born for item in items)
        ties_of(made).inside = list(items)
        return made

    def _gives(self, items: Sequence[Item]) -> bool:
        # one that was offered in vain may be joined by who came since, until the count is full
        if self._offered is not None and self._offered.ties is not None and len(self._offered.ties.inside) < len(items):
            self._offered.ties.inside = list(items)
            self._offered.born = min(item.born for item in items)
        return super()._gives(items)

    def _use(self, items: Sequence[Item]) -> None:
        self.packs.add(len(items))
        for _ in items:
            self._waiting.popleft()

    def figures(self) -> dict[str, Any]:
        return {**super().figures(), "pack": self.packs.mean()}
