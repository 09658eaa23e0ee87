"""A server with c channels: queue, priorities, preemption, setups, vacations, failures, operators, blocking.

Every textbook station is this one with few of its options; a machine is one with one channel and no queue of its own.
"""

from __future__ import annotations

import math
from collections import deque
from heapq import heapify, heappop, heappush
from typing import Any

from simulation.blocks.block import Holder, Out, Taker
from simulation.blocks.channel import Channel
from simulation.blocks.conduct import Conduct
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item
from simulation.blocks.stops import Stop
from simulation.blocks.time_sheet import STATES
from simulation.blocks.whole import Whole
from simulation.statistics.tallies import Level, Tally


class Server(Holder):
    """See the module; the discipline `shared` is a block of its own. `scrap` takes what a failure spoiled, `impatient` who lost patience; both are ways out at first."""

    kind = "server"

    def __init__(self, floor: Floor, name: str, conduct: Conduct) -> None:
        self.conduct = conduct
        self.queue = Level(floor.env.now)
        self.channels: list[Channel] = []
        self.is_endless = math.isinf(conduct.channels)
        super().__init__(floor, name, capacity=conduct.channels + conduct.queue, full=conduct.full)
        self.scrap: Taker = Out(floor.scrap)
        self.impatient: Taker = Out(floor.lose)
        self.idle: deque[Channel] = deque()
        self._queue: list[tuple[tuple[float, ...], Item]] = []
        self._given_up: set[tuple[float, ...]] = set()
        self._number = 0
        self._waiting = 0
        self._whole: Whole | None = None
        self._is_off = False
        """Whether it lets items gather before it begins again."""
        self._balk = tuple(conduct.balk)
        self._balk_of = {kind: tuple(shares) for kind, shares in conduct.balk_of.items()}
        self._draw_balk = floor.stream(f"{name}.balk").random
        self._luck = floor.stream(f"{name}.order")
        self.draw_service = floor.draw(f"{name}.service", conduct.service)
        self._draw_of = {kind: floor.draw(f"{name}.service.{kind}", law) for kind, law in conduct.service_of.items()}
        self.draw_setup = floor.draw_if(f"{name}.setup", conduct.setup)
        self.draw_vacation = floor.draw_if(f"{name}.vacation", conduct.vacation)
        self._draw_patience = floor.draw_if(f"{name}.patience", conduct.patience)
        self.is_plain = not (conduct.blocking == "before" or conduct.setup or conduct.crew or conduct.stops)
        self._is_chosen_late = conduct.discipline in ("random", "ageing")
        self._is_preemptive = conduct.preempt != "no"
        if not self.is_endless:
            for _ in range(int(conduct.channels)):
                self._open_channel().rest()
            whole = [law for law in conduct.stops if law.is_whole]
            self._whole = Whole(self, whole) if whole else None

    # -- what comes ------------------------------------------------------------------------------------------------

    def _let_in(self, item: Item) -> None:
        balk = self._balk_of.get(item.kind, self._balk) if self._balk_of else self._balk
        if balk and self._draw_balk() < balk[min(self.held, len(balk) - 1)]:
            self.balked += 1
            self._lose(item.kind)
            if not self.impatient.take(item, None):
                self.floor.lose(item)
            self._invite()
            return
        super()._let_in(item)

    def _admit(self, item: Item) -> None:
        self._number += 1
        item.key = self._key(item)
        self._place(item)

    def _place(self, item: Item) -> None:
        """Give the item to a channel, or let it wait."""
        if self._is_off:
            self._push(item, is_new=True)
            self._begin_if_enough()
        elif self.idle:
            self.idle.popleft().begin(item, is_queued=False)
        elif self.is_endless:
            self._open_channel().begin(item, is_queued=False)
        elif self._is_preemptive and (victim := self._victim(item)) is not None:
            self._push(victim.break_off(self.conduct.preempt), is_new=False)
            victim.begin(item, is_queued=False)
        else:
            self._push(item, is_new=True)

    def _begin_if_enough(self) -> None:
        if self._waiting < self.conduct.start_at:
            return
        self._is_off = False
        while self.idle and (item := self._pop()) is not None:
            self.queue.change(self.env.now, -1)
            self.idle.popleft().begin(item, is_queued=False)

    def put_back(self, item: Item) -> None:
        """Take an item back to where it stood in the queue, for another channel."""
        if self.idle:
            self.queue.change(self.env.now, 1)
            self.idle.popleft().begin(item, is_queued=True)
        else:
            self._push(item, is_new=False)

    def _key(self, item: Item) -> tuple[float, ...]:
        match self.conduct.discipline:
            case "fifo":
                return (item.priority, self._number)
            case "lifo":
                return (item.priority, -self._number)
            case "random" | "ageing":
                return (item.priority, self._number)  # whose turn it is is seen when a channel is free
            case _:
                item.left_s = item.full_s = self.drawn(item)
                return (item.priority, item.left_s, self._number)

    def drawn(self, item: Item) -> float:
        """Draw a service time for the item."""
        if self._draw_of and (draw := self._draw_of.get(item.kind)) is not None:
            return draw()
        return self.draw_service()

    def finished(self, item: Item) -> None:
        """Take note that the work on an item is done, whether it can go on or not."""

    def _push(self, item: Item, *, is_new: bool) -> None:
        heappush(self._queue, (item.key, item))
        self._waiting += 1
        self.queue.change(self.env.now, 1)
        if is_new and self._draw_patience is not None:
            item.patience = self.floor.after(self._draw_patience(), lambda _due: self._renege(item))

    def _renege(self, item: Item) -> None:
        """Let an item go that waited too long; its place in the heap is cleared when it comes up."""
        self._given_up.add(item.key)
        self._waiting -= 1
        self.reneged += 1
        self.queue.change(self.env.now, -1)
        self._let_out(item.entered, item.kind)
        self.went -= 1
        if not self.impatient.take(item, None):
            self.floor.lose(item)
        self._invite()

    def _victim(self, item: Item) -> Channel | None:
        """Give the channel whose work is worth the least, when it is worth less than this item's."""
        worst = max((c for c in self.channels if c.is_preemptible), key=self._worth, default=None)
        return worst if worst is not None and item.key < self._worth(worst) else None

    def _worth(self, channel: Channel) -> tuple[float, ...]:
        item = channel.item
        assert item is not None  # only working channels are asked  # noqa: S101
        if self.conduct.discipline == "shortest":
            item.key = (item.key[0], channel.left_s(), item.key[2])
        return item.key

    # -- what goes -------------------------------------------------------------------------------------------------

    def free(self, channel: Channel, entered: float, kind: str) -> None:
        """Take note that a channel gave its item on; it goes on with the next, and whoever waits outside comes in."""
        self._let_out(entered, kind)
        self.pick(channel)
        self._invite()

    def pick(self, channel: Channel) -> None:
        """Give a free channel its next item, or let it rest."""
        item = None if self._is_off else self._pop()
        if item is not None:
            channel.begin(item, is_queued=True)
        elif self.draw_vacation is not None:
            channel.go_away()
        else:
            channel.rest()

    def better_than(self, channel: Channel) -> bool:
        """Tell whether somebody in the queue would break off what this channel has."""
        self._clear()
        return self._is_preemptive and bool(self._queue) and self._queue[0][0] < self._worth(channel)

    def swap(self, channel: Channel) -> None:
        """Put back what a channel has, and give it the best of the queue."""
        item = self._pop()
        self._push(channel.break_off(self.conduct.preempt), is_new=False)
        if item is not None:
            channel.begin(item, is_queued=True)

    @property
    def has_waiting(self) -> bool:
        """Tell whether anything is in the queue."""
        return self._waiting > 0

    def _clear(self) -> None:
        while self._given_up and self._queue and self._queue[0][0] in self._given_up:
            self._given_up.remove(heappop(self._queue)[0])

    def _pop(self) -> Item | None:
        if not self._queue:
            return None
        self._clear()
        if not self._queue:
            return None
        item = self._chosen() if self._is_chosen_late else heappop(self._queue)[1]
        self._waiting -= 1
        if item.patience is not None:
            item.patience.cancel()
        return item

    def _chosen(self) -> Item:
        """Take one of the best priority: anybody, all alike, or whose claim has grown most. Those who gave up may stand in
        between."""
        best = self._queue[0][0][0]
        there = [n for n, (key, _) in enumerate(self._queue) if key[0] == best and key not in self._given_up]
        if self.conduct.discipline == "random":
            chosen = there[int(self._luck.random() * len(there))]
        else:
            chosen = max(there, key=lambda n: (self._claim(self._queue[n][1]), -self._queue[n][0][1]))
        _, item = self._queue[chosen]
        self._queue[chosen] = self._queue[-1]
        self._queue.pop()
        heapify(self._queue)
        return item

    def _claim(self, item: Item) -> float:
        return self.conduct.gains.get(item.kind, 1.0) * (self.env.now - item.entered)

    # -- what is measured ------------------------------------------------------------------------------------------

    def reset(self) -> None:
        super().reset()
        self.reneged = self.scrapped = self.balked = 0
        self.wait = Tally()
        self.queue.reset(self.env.now)
        for channel in self.channels:
            channel.times.reset()

    def states(self) -> dict[str, float]:
        """Give the share of time that the channels spent in each state; they sum to 1. Of endless channels: none."""
        if self.is_endless:
            return {}
        now = self.env.now
        total = sum(sum(channel.times.spent_until(now)) for channel in self.channels)
        sums = [
            sum(spent) for spent in zip(*(channel.times.spent_until(now) for channel in self.channels), strict=True)
        ]
        return {name: spent / total if total else math.nan for name, spent in zip(STATES, sums, strict=True)}

    def figures(self) -> dict[str, Any]:
        at = [round(share, 9) for share in self.number.shares(self.env.now)]
        found = {
            **super().figures(),
            "queue": self.queue.mean(self.env.now),
            "wait": self.wait.mean(),
            "wait_deviation": self.wait.deviation(),
            "wait_p95": self.wait.percentile(95),
            "delayed_share": 1 - self._share_within(1e-12),
            "reneged": self.reneged,
            "reneged_share": self.reneged / self.came if self.came else math.nan,
            "balked": self.balked,
            "scrapped": self.scrapped,
            "states": self.states(),
            "at": at,
        }
        if self.conduct.target_s is not None:
            found["in_time_share"] = self._share_within(self.conduct.target_s)
        return found

    def _share_within(self, limit_s: float) -> float:
        """Give the share whose work was begun within the time; who gave up waited, and in vain."""
        begun = len(self.wait)
        if not begun:
            return 0.0 if self.reneged else math.nan
        return self.wait.share_up_to(limit_s) * begun / (begun + self.reneged)

    # -- for its channels ------------------------------------------------------------------------------------------

    def _open_channel(self) -> Channel:
        channel = Channel(self, len(self.channels))
        self.channels.append(channel)
        return channel

    def stand_by(self, channel: Channel) -> None:
        """Take note that a channel is free."""
        self.idle.append(channel)
        if self.conduct.start_at > 1 and not self.held:
            self._is_off = True

    def stand_down(self, channel: Channel) -> None:
        """Take note that a free channel is not to be had."""
        self.idle.remove(channel)

    @property
    def whole_down(self) -> Stop | None:
        """Give what has all channels down, if anything."""
        return self._whole.down if self._whole is not None else None

    def left_while_down(self, entered: float, kind: str) -> None:
        """Take note that a channel that is down gave its finished item on."""
        self._let_out(entered, kind)
        self._invite()

    def spoil(self, item: Item) -> None:
        """Take out what a failure spoiled."""
        self.scrapped += 1
        self._let_out(item.entered, item.kind)
        self.went -= 1
        if not self.scrap.take(item, None):
            self.floor.scrap(item)
        self._invite()
