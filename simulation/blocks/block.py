"""What blocks have in common: they take items from whoever gives, or say that there is no room yet."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, Protocol

from simulation.blocks.by_class import OfClass
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item
from simulation.statistics.tallies import Shares, Tally

Full = Literal["block", "lose"]


class Giver(Protocol):
    """Who has an item and wants to be rid of it."""

    @property
    def block(self) -> object:
        """Give the block it belongs to."""
        ...

    def go_on(self) -> None:
        """Offer again: where you waited there may be room now."""
        ...


class Reservation(Protocol):
    """A place that is kept for an item that comes later."""

    def use(self, item: Item) -> None:
        """Put the item there."""
        ...

    def give_up(self) -> None:
        """Free it."""
        ...


class Taker(Protocol):
    """Where an item may go: a block, or a route to one."""

    def take(self, item: Item, giver: Giver | None) -> bool:
        """Take the item. False: no room; `giver` is told to go on when there may be some. None is not told."""
        ...

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        """Keep a place for the item; None: no room, as above."""
        ...

    def ahead(self) -> Iterator[Taker]:
        """Give where items go from here without time passing; nothing of what holds them."""
        ...


class Sure:
    """The reservation of what always has room, or loses what it has no room for."""

    def __init__(self, put: Callable[[Item], object]) -> None:
        self._put = put

    def use(self, item: Item) -> None:
        self._put(item)

    def give_up(self) -> None:
        pass


class Out:
    """The way out of the floor, or a way to be `lost` or scrapped: takes everything."""

    def __init__(self, see_off: Callable[[Item], None]) -> None:
        self._see_off = see_off

    def take(self, item: Item, giver: Giver | None) -> bool:
        self._see_off(item)
        return True

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        return Sure(self._see_off)

    def ahead(self) -> Iterator[Taker]:
        return iter(())


class Block:
    """A named place with counters. `next` is where items go from it; it is set once, before the run."""

    kind: ClassVar[str] = "block"

    def __init__(self, floor: Floor, name: str) -> None:
        self.floor = floor
        self.env = floor.env
        self.name = name
        self.next: Taker = Out(floor.gone)
        self.number = Shares(floor.env.now)
        self.reset()
        floor.add(self)

    def reset(self) -> None:
        self.came = self.went = self.lost = 0
        self.sojourn = Tally()
        self.number.reset(self.env.now)
        self.had = self.number.value

    @property
    def grown(self) -> float:
        """Give how many more are here than at the reset."""
        return self.number.value - self.had

    def figures(self) -> dict[str, Any]:
        """Give what was measured since the reset, by name: rates a second, times in seconds, shares from 0 to 1."""
        now = self.env.now
        lasted = now - self.floor.since
        return {
            "arrivals": self.came,
            "departures": self.went,
            "lost": self.lost,
            "lost_share": self.lost / (self.came + self.lost) if self.came + self.lost else math.nan,
            "throughput": self.went / lasted if lasted > 0 else math.nan,
            "number": self.number.mean(now),
            "sojourn": self.sojourn.mean(),
        }


class Doorway:
    """Those who wait for room, first come first served."""

    def __init__(self) -> None:
        self._givers: deque[Giver] = deque()
        self._invited: Giver | None = None

    def __bool__(self) -> bool:
        return bool(self._givers)

    def __contains__(self, giver: object) -> bool:
        return giver in self._givers

    def stand(self, giver: Giver | None) -> None:
        """Let a giver wait; once is enough."""
        if giver is not None and giver not in self._givers:
            self._givers.append(giver)

    def is_passed_over(self, giver: Giver | None) -> bool:
        """Tell whether somebody else waits who came before this giver."""
        return bool(self._givers) and giver is not self._invited

    def invite(self, has_room: Callable[[], bool]) -> None:
        """Let those who wait offer again, as long as there is room."""
        while self._givers and has_room():
            self._invited = giver = self._givers.popleft()
            giver.go_on()
        self._invited = None


class Holder(Block):
    """A block with `capacity` places. One that is full lets givers wait, loses what comes, or sends it to `overflow`."""

    counts_classes: ClassVar[bool] = True
    """Whether what goes is of the class that came."""

    def __init__(self, floor: Floor, name: str, *, capacity: float = math.inf, full: Full = "block") -> None:
        self.capacity = capacity
        self.full = full
        self.overflow: Taker | None = None
        self.held = self.reserved = 0
        self.door = Doorway()
        self.of_class: dict[str, OfClass] = {}
        super().__init__(floor, name)

    def reset(self) -> None:
        super().reset()
        for one in self.of_class.values():
            one.reset(self.env.now)

    def figures(self) -> dict[str, Any]:
        now = self.env.now
        by_class = {kind: one.figures(now) for kind, one in sorted(self.of_class.items())}
        return {**super().figures(), **({"classes": by_class} if by_class else {})}

    def counted(self, kind: str) -> OfClass:
        """Give the counters of a class."""
        found = self.of_class.get(kind)
        if found is None:
            found = self.of_class[kind] = OfClass(self.floor.since)
        return found

    @property
    def has_room(self) -> bool:
        """Tell whether one more may come in."""
        return self.held + self.reserved < self.capacity

    def take(self, item: Item, giver: Giver | None) -> bool:
        if self.held + self.reserved >= self.capacity or self.door:
            # a block that feeds itself frees the place that it needs
            is_own = giver is not None and giver.block is self
            if not is_own and (not self.has_room or self.door.is_passed_over(giver)):
                return self._refuse(item, giver)
        self._let_in(item)
        return True

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        is_own = giver is not None and giver.block is self
        if not is_own and (not self.has_room or self.door.is_passed_over(giver)):
            if self.full == "lose":
                return Sure(lambda late: self.take(late, None))
            if self.overflow is not None:
                kept = self.overflow.reserve(item, giver)
                return kept and _Elsewhere(self, kept)
            self.door.stand(giver)
            return None
        self.reserved += 1
        return _Kept(self)

    def ahead(self) -> Iterator[Taker]:
        return iter(())

    def put(self, item: Item) -> None:
        """Have the item here from the start: it has not come, finds nobody, and is asked nothing."""
        Holder._let_in(self, item)

    def _refuse(self, item: Item, giver: Giver | None) -> bool:
        if self.full == "lose":
            self._lose(item.kind)
            self.floor.lose(item)
            return True
        if self.overflow is not None:
            self._lose(item.kind)
            return self.overflow.take(item, giver)
        self.door.stand(giver)
        return False

    def _lose(self, kind: str) -> None:
        """Count one of the class that did not come in."""
        self.lost += 1
        if kind and self.counts_classes:
            self.counted(kind).lost += 1

    def _let_in(self, item: Item) -> None:
        now = self.env.now
        item.arrive(now)
        self.held += 1
        self.came += 1
        self.number.change(now, 1)
        if item.kind and self.counts_classes:
            self.counted(item.kind).enter(now)
        self._admit(item)

    def _admit(self, item: Item) -> None:
        """Take in who came; each kind of block does it in its own way."""
        raise NotImplementedError

    def _let_out(self, entered: float, kind: str) -> None:
        """Count one of the class that went, which had come at `entered`. Whoever waits is invited by the caller, when all is in order."""
        now = self.env.now
        self.held -= 1
        self.went += 1
        self.number.change(now, -1)
        self.sojourn.add(now - entered)
        if kind and self.counts_classes:
            self.counted(kind).leave(now, entered)

    def _invite(self) -> None:
        if self.door:
            self.door.invite(lambda: self.has_room)


class _Kept:
    """A place kept in a holder."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder

    def use(self, item: Item) -> None:
        self._holder.reserved -= 1
        self._holder._let_in(item)  # noqa: SLF001 - its own helper

    def give_up(self) -> None:
        self._holder.reserved -= 1
        self._holder._invite()  # noqa: SLF001


class _Elsewhere:
    """A place kept where a holder sends what it has no room for."""

    def __init__(self, holder: Holder, kept: Reservation) -> None:
        self._holder = holder
        self._kept = kept

    def use(self, item: Item) -> None:
        self._holder._lose(item.kind)  # noqa: SLF001 - its own helper
        self._kept.use(item)

    def give_up(self) -> None:
        self._kept.give_up()
