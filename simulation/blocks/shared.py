"""A server that works on everyone at once: processor sharing, as computers and networks do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from simulation.blocks.block import Full, Holder
from simulation.blocks.draws import Distribution
from simulation.blocks.floor import Due, Floor
from simulation.blocks.item import Item
from simulation.statistics.tallies import Level


class SharedServer(Holder):
    """`channels` of work a second, shared alike by all who are there, at most one each. Who is done and finds no room
    ahead keeps a place and takes no work. `speeds[n]` is, instead, all the work a second that is done with n + 1 there; beyond
    its end the last one counts."""

    kind = "server"

    def __init__(
        self,
        floor: Floor,
        name: str,
        *,
        service: Distribution,
        service_of: Mapping[str, Distribution],
        channels: float = 1,
        capacity: float = math.inf,
        full: Full = "block",
        speeds: Sequence[float] = (),
    ) -> None:
        self._working = Level(floor.env.now)
        super().__init__(floor, name, capacity=capacity, full=full)
        self._channels = channels
        self._speeds = tuple(speeds)
        self._draw = floor.draw(f"{name}.service", service)
        self._draw_of = {kind: floor.draw(f"{name}.service.{kind}", law) for kind, law in service_of.items()}
        self._heap: list[tuple[float, int, Item]] = []
        self._number = 0
        self._done_s = 0.0
        """Seconds of work that one who was always here would have had."""
        self._seen = floor.env.now
        self._due: Due | None = None
        self._next_done_s = math.inf

    def _admit(self, item: Item) -> None:
        self._advance()
        self._number += 1
        work = self._draw_of.get(item.kind, self._draw)()
        heappush(self._heap, (self._done_s + work, self._number, item))
        self._plan()

    def _rate(self) -> float:
        count = len(self._heap)
        if not count:
            return 0.0
        if self._speeds:
            return self._speeds[min(count, len(self._speeds)) - 1] / count
        return min(1.0, self._channels / count)

    def _advance(self) -> None:
        now = self.env.now
        self._done_s += (now - self._seen) * self._rate()
        self._seen = now

    def _plan(self) -> None:
        """Wait for the next who will be done, at the rate as it is now."""
        self._working.change(self.env.now, min(len(self._heap), self._channels) - self._working.value)
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._heap:
            self._next_done_s = self._heap[0][0]
            left = max(0.0, self._next_done_s - self._done_s)
            self._due = self.floor.after(left / self._rate(), self._finish)

    def _finish(self, _due: Due) -> None:
        self._due = None
        self._advance()
        self._done_s = max(self._done_s, self._next_done_s)  # rounding must not leave a rest that never ends
        _, _, item = heappop(self._heap)
        self._plan()
        _Finished(self, item).go_on()

    def leave(self, entered: float, kind: str) -> None:
        """Take note that one has gone on."""
        self._let_out(entered, kind)
        self._invite()

    def reset(self) -> None:
        super().reset()
        self._working.reset(self.env.now)

    def states(self) -> dict[str, float]:
        """Give the share of its work that is done, and the rest; of endless channels: none."""
        if math.isinf(self._channels):
            return {}
        busy = self._working.mean(self.env.now) / self._channels
        return {"busy": busy, "starved": 1 - busy}

    def figures(self) -> dict[str, Any]:
        at = [round(share, 9) for share in self.number.shares(self.env.now)]
        return {**super().figures(), "states": self.states(), "at": at}


class _Finished:
    """One whose work is done, until there is room ahead."""

    def __init__(self, server: SharedServer, item: Item) -> None:
        self._server = server
        self._item: Item | None = item
        self._entered = item.entered

    @property
    def block(self) -> object:
        return self._server

    def go_on(self) -> None:
        item, self._item = self._item, None
        if item is None:
            return
        if self._server.next.take(item, self):
            self._server.leave(self._entered, item.kind)
        else:
            self._item = item
