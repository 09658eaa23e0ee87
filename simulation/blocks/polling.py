"""One server that walks from queue to queue, one queue for each class, and serves what it finds there by a rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from simulation.blocks.channel import Channel
from simulation.blocks.conduct import Conduct
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item
from simulation.blocks.server import Server

PollingRule = Literal["exhaustive", "gated", "limited"]


class Polling(Server):
    """Serves the classes of `order` one after the other, again and again; others wait with the first.

    `exhaustive`: until the queue is empty; `gated`: those who were there when it came; `limited`: at most `most` a visit.
    The walk to the next queue is the vacation of its conduct, and is made also when nobody waits anywhere.
    """

    def __init__(
        self,
        floor: Floor,
        name: str,
        conduct: Conduct,
        *,
        order: Sequence[str],
        rule: PollingRule = "exhaustive",
        most: int = 1,
    ) -> None:
        self._order = list(order)
        self._rule = rule
        self._most = most
        self._at = 0
        self._is_walking = True
        self._left = math.inf
        self._gate = math.inf
        super().__init__(floor, name, conduct)
        self._lanes: list[list[tuple[tuple[float, ...], Item]]] = [[] for _ in self._order]
        self._queue = self._lanes[0]

    def _push(self, item: Item, *, is_new: bool) -> None:
        here = self._queue
        self._queue = self._lanes[self._order.index(item.kind) if item.kind in self._order else 0]
        super()._push(item, is_new=is_new)
        self._queue = here

    def _place(self, item: Item) -> None:
        self._push(item, is_new=True)
        if self.idle:  # only before the first one
            self.pick(self.idle.popleft())

    def pick(self, channel: Channel) -> None:
        """Give the channel the next of this queue, or let it walk on."""
        if self._is_walking:
            self._is_walking = False
            self.visits += 1
            self._left = self._most if self._rule == "limited" else math.inf
            self._gate = self._number if self._rule == "gated" else math.inf
        item = self._pop() if self._may_serve() else None
        if item is not None:
            self._left -= 1
            channel.begin(item, is_queued=True)
            return
        self._at = (self._at + 1) % len(self._lanes)
        self._queue = self._lanes[self._at]
        self._is_walking = True
        channel.go_away()

    def _may_serve(self) -> bool:
        self._clear()
        return bool(self._queue) and self._left > 0 and self._queue[0][0][-1] <= self._gate

    def reset(self) -> None:
        super().reset()
        self.visits = 0

    def figures(self) -> dict[str, Any]:
        return {**super().figures(), "visits": self.visits}
