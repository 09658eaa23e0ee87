"""Ways from a block to others: by chance, by class, by turns, to the shortest; and many into one."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Literal

from simulation.blocks.block import Block, Giver, Holder, Reservation, Taker
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item

Rule = Literal["turns", "shortest", "first_free"]


class Chance:
    """Leads to one of several with given probabilities. The choice is made once for an item, and waits with it."""

    def __init__(self, stream: Random, targets: Sequence[tuple[Taker, float]]) -> None:
        self._unit = stream.random
        self._targets = [taker for taker, share in targets if share > 0]
        total = math.fsum(share for _, share in targets)
        self._edges = [edge / total for edge in accumulate(share for _, share in targets if share > 0)]

    def take(self, item: Item, giver: Giver | None) -> bool:
        target = self._chosen(item)
        if target.take(item, giver):
            return True
        _keep(item, self, target)
        return False

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        target = self._chosen(item)
        kept = target.reserve(item, giver)
        if kept is None:
            _keep(item, self, target)
        return kept

    def ahead(self) -> Iterator[Taker]:
        return iter(self._targets)

    def _chosen(self, item: Item) -> Taker:
        if item.choice and self in item.choice:
            kept: Taker = item.choice.pop(self)
            return kept
        return self._targets[min(bisect_left(self._edges, self._unit()), len(self._targets) - 1)]


def _keep(item: Item, route: object, target: Taker) -> None:
    if item.choice is None:
        item.choice = {}
    item.choice[route] = target


class ByClass:
    """Leads each class of items its own way; those without one go the way of "" (which must be there)."""

    def __init__(self, targets: Mapping[str, Taker]) -> None:
        self._targets = targets

    def take(self, item: Item, giver: Giver | None) -> bool:
        return self._way(item).take(item, giver)

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        return self._way(item).reserve(item, giver)

    def ahead(self) -> Iterator[Taker]:
        return iter(self._targets.values())

    def _way(self, item: Item) -> Taker:
        return self._targets.get(item.kind) or self._targets[""]


class ByVerdict:
    """Leads items by what the block before found: "" is well (and must be there), and where a verdict without a way goes."""

    def __init__(self, targets: Mapping[str, Taker]) -> None:
        self._targets = targets

    def take(self, item: Item, giver: Giver | None) -> bool:
        return self._way(item).take(item, giver)

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        return self._way(item).reserve(item, giver)

    def ahead(self) -> Iterator[Taker]:
        return iter(self._targets.values())

    def _way(self, item: Item) -> Taker:
        return self._targets.get(item.verdict) or self._targets[""]


class Ruled:
    """Leads to one of several by a rule, looked at anew each time an item is offered.

    `turns`: strictly one after the other, waiting for the one whose turn it is. `first_free`: the first in the list that
    has room. `shortest`: the one that holds the fewest (ties: the first) of those with room. When none has room, the
    giver waits for whichever is free first.
    """

    def __init__(self, rule: Rule, targets: Sequence[Taker]) -> None:
        self._rule = rule
        self._targets = list(targets)
        self._turn = 0

    def take(self, item: Item, giver: Giver | None) -> bool:
        if self._rule == "turns":
            return self._turned(self._targets[self._turn].take(item, giver))
        return any(target.take(item, giver) for target in self._order())

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        if self._rule == "turns":
            kept = self._targets[self._turn].reserve(item, giver)
            self._turned(kept is not None)
            return kept
        return next((kept for target in self._order() if (kept := target.reserve(item, giver)) is not None), None)

    def ahead(self) -> Iterator[Taker]:
        return iter(self._targets)

    def _turned(self, is_taken: bool) -> bool:
        if is_taken:
            self._turn = (self._turn + 1) % len(self._targets)
        return is_taken

    def _order(self) -> list[Taker]:
        """Those with room come first: one that loses what it has no room for is no place to go while another has some."""
        by = fullness if self._rule == "shortest" else _is_full
        return sorted(self._targets, key=by)


def fullness(target: Taker) -> tuple[bool, float]:
    """Give whether a place is full, and how many it holds; of what is not one place, how the fullest way is not."""
    if isinstance(target, Holder):
        return not target.has_room, target.held + target.reserved
    ways = [fullness(way) for way in target.ahead()]
    return min(ways, default=(False, 0.0))


def _is_full(target: Taker) -> bool:
    return fullness(target)[0]


class Divert(Block):
    """Sends items on, each its way, without time: its `next` is one of the routes above."""

    kind = "divert"

    def take(self, item: Item, giver: Giver | None) -> bool:
        is_taken = self.next.take(item, giver)
        if is_taken:
            self.came += 1
            self.went += 1
        return is_taken

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        kept = self.next.reserve(item, giver)
        return kept and _Counted(self, kept)

    def ahead(self) -> Iterator[Taker]:
        return iter((self.next,))


class _Counted:
    """A reservation behind a place without time, which counts what passes."""

    def __init__(self, block: Block, kept: Reservation) -> None:
        self._block = block
        self._kept = kept

    def use(self, item: Item) -> None:
        self._block.came += 1
        self._block.went += 1
        self._kept.use(item)

    def give_up(self) -> None:
        self._kept.give_up()


MergeRule = Literal["first_come", "priority", "turns"]


class Merge(Block):
    """Brings several ways into one, without time. When what follows is full, it says who goes first.

    `first_come`: who waited longest. `priority`: whose block stands first in `order`. `turns`: the blocks of `order` one
    after the other, passing over those with nothing to give.
    """

    kind = "merge"

    def __init__(self, floor: Floor, name: str, *, rule: MergeRule = "first_come", order: Sequence[str] = ()) -> None:
        super().__init__(floor, name)
        self._rule = rule
        self._order = list(order)
        self._waiting: list[Giver] = []
        self._invited: Giver | None = None
        self._turn = 0
        self._is_passed = False

    @property
    def block(self) -> object:
        """Say that it is the giver to what follows."""
        return self

    def take(self, item: Item, giver: Giver | None) -> bool:
        if self._must_wait(giver):
            return False
        if self.next.take(item, self if giver is not None else None):
            self.came += 1
            self.went += 1
            self._passed(giver)
            return True
        self._stand(giver)
        return False

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        if self._must_wait(giver):
            return None
        kept = self.next.reserve(item, self if giver is not None else None)
        if kept is None:
            self._stand(giver)
            return None
        self._passed(giver)
        return _Counted(self, kept)

    def ahead(self) -> Iterator[Taker]:
        return iter((self.next,))

    def go_on(self) -> None:
        """Let the one go first whom the rule names; the next waits again behind whoever else waits there."""
        while self._waiting:
            giver = self._first()
            self._waiting.remove(giver)
            self._invited = giver
            giver.go_on()
            self._invited = None
            if giver in self._waiting and not self._is_passed:
                return  # still full: the giver stands here again, and we stand there
            self._is_passed = False

    def _must_wait(self, giver: Giver | None) -> bool:
        if self._waiting and giver is not self._invited:
            self._stand(giver)
            return True
        return False

    def _stand(self, giver: Giver | None) -> None:
        if giver is not None and giver not in self._waiting:
            self._waiting.append(giver)

    def _passed(self, giver: Giver | None) -> None:
        self._is_passed = True
        if giver is not None and self._rule == "turns" and (name := _name(giver)) in self._order:
            self._turn = (self._order.index(name) + 1) % len(self._order)

    def _first(self) -> Giver:
        if self._rule == "first_come":
            return self._waiting[0]
        return min(self._waiting, key=self._place_of)

    def _place_of(self, giver: Giver) -> int:
        name = _name(giver)
        if name not in self._order:
            return len(self._order)
        place = self._order.index(name)
        return place if self._rule == "priority" else (place - self._turn) % len(self._order)


def _name(giver: Giver) -> str:
    return str(getattr(giver.block, "name", ""))
