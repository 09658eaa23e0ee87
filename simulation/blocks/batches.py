"""A server that works on several at once: an oven, a washer, a bus. They are begun together and leave together."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulation.blocks.block import Giver, Reservation, Taker
from simulation.blocks.channel import Channel
from simulation.blocks.conduct import Conduct
from simulation.blocks.draws import Distribution
from simulation.blocks.floor import Due, Floor
from simulation.blocks.item import Item
from simulation.blocks.server import Server
from simulation.statistics.tallies import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How many are worked on at once: at most `most`, begun when `least` are there, or when the one who waited longest has
    waited `wait_s`. `each` is the time that each adds to that of the batch. `is_open`: who comes while there is room in one at
    work joins it, and is done with it."""

    most: float
    least: int = 1
    wait_s: float | None = None
    each: Distribution | None = None
    is_open: bool = False


class Load(Item):
    """Several items that a channel works on as one."""

    __slots__ = ("inside", "size")

    def __init__(self, items: deque[Item]) -> None:
        first = items[0]
        super().__init__(first.number, first.kind, first.priority, first.born)
        self.entered = first.entered
        self.inside = items
        self.size = len(items)  # type: ignore[misc]  # one piece is the rule of its parent

    def join(self, item: Item) -> None:
        """Take one more in."""
        self.inside.append(item)
        self.size += 1  # type: ignore[misc]  # as above


class BatchServer(Server):
    """See the module. `queue` places to wait, and in a channel that is free those of its next batch besides."""

    def __init__(self, floor: Floor, name: str, conduct: Conduct, batch: Batch) -> None:
        self._batch = batch
        self._in_work = 0
        super().__init__(floor, name, conduct)
        self._draw_each = floor.draw_if(f"{name}.each", batch.each)
        self._resize()

    @property
    def next(self) -> Taker:
        """Give where a load goes: apart, piece by piece."""
        return self._apart

    @next.setter
    def next(self, to: Taker) -> None:
        self._apart = _Apart(self, to)

    def reset(self) -> None:
        super().reset()
        self.batches = Tally()

    # -- what comes ------------------------------------------------------------------------------------------------

    def _place(self, item: Item) -> None:
        if self._batch.is_open and self._joins(item):
            return
        self._push(item, is_new=True)
        if self._batch.wait_s is not None:
            self.floor.after(self._batch.wait_s, self._look)
        self._begin_if_enough()

    def _joins(self, item: Item) -> bool:
        """Let an item into a batch at work, where one has room."""
        if self._waiting:
            return False
        for load in self._open_loads():
            load.join(item)
            item.started = self.env.now
            self._count_wait(item, 0.0)
            self._in_work += 1
            self._resize()
            return True
        return False

    def _open_loads(self) -> Iterator[Load]:
        for channel in self.channels:
            load = channel.item
            if channel.is_working and isinstance(load, Load) and load.size < self._batch.most:
                yield load

    def _look(self, _due: Due) -> None:
        if self.idle and self._waiting:
            self._begin_if_enough()

    def _begin_if_enough(self) -> None:
        while self.idle and (load := self._pop()) is not None:
            self.queue.change(self.env.now, -load.size)
            self.idle.popleft().begin(load, is_queued=False)
        self._resize()
        self._invite()

    @property
    def has_waiting(self) -> bool:
        """Tell whether a batch is there."""
        return self._waiting >= self._batch.least or self._is_late()

    def _is_late(self) -> bool:
        wait_s, now = self._batch.wait_s, self.env.now
        if wait_s is None:
            return False
        return any(item.entered + wait_s <= now and key not in self._given_up for key, item in self._queue)

    def _pop(self) -> Item | None:
        if not self._waiting or not self.has_waiting:
            return None
        found: deque[Item] = deque()
        while len(found) < self._batch.most and (item := super()._pop()) is not None:
            found.append(item)
        self._in_work += len(found)
        self._resize()
        return Load(found)

    def drawn(self, item: Item) -> float:
        """Draw a service time for a load, and count that its items begin."""
        assert isinstance(item, Load)  # nothing else is given to a channel  # noqa: S101
        now = self.env.now
        if item.started is None:
            item.started = now
            self.batches.add(item.size)
            for piece in item.inside:
                self._count_wait(piece, now - piece.entered)
        more = sum(self._draw_each() for _ in item.inside) if self._draw_each is not None else 0.0
        return super().drawn(item) + more

    def _count_wait(self, piece: Item, waited_s: float) -> None:
        self.wait.add(waited_s)
        if piece.kind:
            self.counted(piece.kind).wait.add(waited_s)

    # -- what goes -------------------------------------------------------------------------------------------------

    def gone(self, entered: float, kind: str) -> None:
        """Take note that one of a load has gone on."""
        self._in_work -= 1
        self._let_out(entered, kind)
        self._resize()

    def free(self, channel: Channel, entered: float, kind: str) -> None:
        self.pick(channel)
        self._resize()
        self._invite()

    def left_while_down(self, entered: float, kind: str) -> None:
        self._invite()

    def spoil(self, item: Item) -> None:
        assert isinstance(item, Load)  # noqa: S101
        self._in_work -= item.size
        self._resize()
        for piece in item.inside:
            super().spoil(piece)

    # -- room ------------------------------------------------------------------------------------------------------

    def stand_by(self, channel: Channel) -> None:
        super().stand_by(channel)
        self._resize()
        self._invite()

    def stand_down(self, channel: Channel) -> None:
        super().stand_down(channel)
        self._resize()

    def _resize(self) -> None:
        ready = self._batch.most * len(self.idle) if self.idle else 0
        if self._batch.is_open:
            ready += sum(self._batch.most - load.size for load in self._open_loads())
        self.capacity = self.conduct.queue + self._in_work + ready

    def figures(self) -> dict[str, Any]:
        return {**super().figures(), "batch": self.batches.mean(), "batches": len(self.batches)}


class _Apart:
    """Gives a load on piece by piece; who is left when there is no room stays on the channel."""

    def __init__(self, home: BatchServer, to: Taker) -> None:
        self._home = home
        self._to = to

    def take(self, item: Item, giver: Giver | None) -> bool:
        assert isinstance(item, Load)  # noqa: S101
        while item.inside:
            piece = item.inside[0]
            entered = piece.entered
            if not self._to.take(piece, giver):
                return False
            item.inside.popleft()
            self._home.gone(entered, piece.kind)
        return True

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        raise NotImplementedError("no places are kept for a batch: the model file does not let you say so")

    def ahead(self) -> Any:
        return iter((self._to,))
