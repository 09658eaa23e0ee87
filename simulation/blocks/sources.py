"""Where items come from: at random times, by a profile of rates, at times that are listed, or as fast as they are taken."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from simulation.blocks.block import Block, Giver, Reservation, Sure, Taker
from simulation.blocks.draws import Distribution
from simulation.blocks.floor import ARRIVES, Due, Floor
from simulation.blocks.item import Item

Blocked = Literal["wait", "lose", "pause"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """For a time drawn from `last`, `times` as many arrivals as the mean says; then one of `ways` (number and probability)."""

    times: float
    last: Distribution
    ways: Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """From `from_s` on, `times` as many arrivals as the mean says."""

    from_s: float
    times: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a source gives. Times in seconds.

    `every` is the time between arrivals; None: as fast as they are taken (a saturated line). `at` lists times instead.
    `size` is how many come together. `profile` makes time run faster or slower for the arrivals, and begins anew each
    `cycle_s`: with exponential times that is a Poisson process with these rates. `kinds` draws a class for each item by
    weight; `priorities` has the priority of a class (a lower number goes first, 0 where nothing is said). `blocked`: what
    arrives and finds no room ahead waits outside (first come first served, without end), is lost, or pauses the source:
    the next one is only drawn when this one is in. `most` ends it after that many. `phases` are rates that change at random
    (it begins with the first): with exponential times a Markov-modulated Poisson process. `is_together`: those who come
    together come in together, or are all lost (`blocked` is `lose` then).
    """

    every: Distribution | None = None
    at: Sequence[float] = ()
    size: Distribution | None = None
    profile: Sequence[Rate] = ()
    cycle_s: float = 86400.0
    kinds: Sequence[tuple[str, float]] = ()
    priorities: dict[str, int] = field(default_factory=dict)
    blocked: Blocked = "wait"
    most: float = math.inf
    first_at_s: float | None = None
    phases: Sequence[Phase] = ()
    is_together: bool = False


class Source(Block):
    """See Demand. It counts what arrived, what was lost at once, and what waits outside."""

    kind = "source"

    def __init__(self, floor: Floor, name: str, demand: Demand) -> None:
        super().__init__(floor, name)
        self._demand = demand
        self._outside: deque[Item] = deque()
        self._ready: Item | None = None
        self._made = 0
        self._draw_every = floor.draw_if(f"{name}.every", demand.every)
        self._draw_size = floor.draw_if(f"{name}.size", demand.size)
        self._luck = floor.stream(f"{name}.kind")
        self._kinds = [kind for kind, _ in demand.kinds]
        self._weights = [weight for _, weight in demand.kinds]
        self._only = None if len(self._kinds) > 1 else "".join(self._kinds)
        self._times = deque(sorted(demand.at))
        self._due: Due | None = None
        self._phase = 0
        self._held_s: float | None = None
        """Seconds until the next arrival on a clock that stands still in this phase."""
        self._lasts = [floor.draw(f"{name}.phase{n}.last", phase.last) for n, phase in enumerate(demand.phases)]
        self._way = floor.stream(f"{name}.phase") if demand.phases else None

    def start(self) -> None:
        """Begin to give; when all blocks are connected."""
        if self._demand.at:
            self._wait_for_listed()
        elif self._draw_every is None:
            self.floor.after(0.0, lambda _due: self.go_on(), ARRIVES)
        else:
            if self._lasts:
                self.floor.after(self._lasts[0](), self._change)
            if (first_s := self._demand.first_at_s) is None:
                self._wait(self._gap())
            else:  # that is a time, and no time between: no phase puts it off or hastens it
                self.floor.after(first_s, self._arrived, ARRIVES)

    # -- when ------------------------------------------------------------------------------------------------------

    def _wait(self, delay_s: float) -> None:
        if self._lasts:
            self._wait_in_phase(delay_s)
        elif math.isfinite(delay_s):
            Due(self.env, delay_s, self._arrived, ARRIVES)

    def _wait_in_phase(self, work_s: float) -> None:
        """Wait so long on the clock that the phase makes faster or slower; it may change meanwhile."""
        times = self._demand.phases[self._phase].times
        self._due, self._held_s = None, work_s
        if times > 0:
            self._due = self.floor.after(work_s / times, self._arrived, ARRIVES)

    def _change(self, _due: Due) -> None:
        """Go to the next phase; what is left until the next arrival goes by at its pace."""
        before = self._demand.phases[self._phase]
        if self._due is not None:
            self._due.cancel()
            self._held_s = max(0.0, self._due.at - self.env.now) * before.times
        assert self._way is not None  # there are phases  # noqa: S101
        self._phase = self._way.choices([way for way, _ in before.ways], [share for _, share in before.ways])[0]
        self.floor.after(self._lasts[self._phase](), self._change)
        if self._held_s is not None:
            self._wait_in_phase(self._held_s)

    def _wait_for_listed(self) -> None:
        if self._times:
            self.floor.after(self._times.popleft() - self.env.now, self._arrived, ARRIVES)

    def _arrived(self, _due: Due) -> None:
        self._due = self._held_s = None
        count = min(int(self._draw_size()) if self._draw_size is not None else 1, self._demand.most - self._made)
        together = [self.floor.enter(self._new()) for _ in range(int(count))]
        if self._demand.is_together:
            self._give_together(together)
        else:
            for item in together:
                self._give(item)
        if self._made < self._demand.most and not (self._outside and self._demand.blocked == "pause"):
            self._next()

    def _next(self) -> None:
        if self._demand.at:
            self._wait_for_listed()
        else:
            self._wait(self._gap())

    def _gap(self) -> float:
        assert self._draw_every is not None  # only asked of a source that draws  # noqa: S101
        gap = self._draw_every()
        return self._stretched(gap) if self._demand.profile else gap

    def _stretched(self, work: float) -> float:
        """Give when `work` seconds have gone by on the clock that the profile makes faster or slower; inf: never."""
        profile, cycle = self._demand.profile, self._demand.cycle_s
        at = self.env.now % cycle
        edges = [*(rate.from_s for rate in profile[1:]), cycle]
        spent, idle_s = 0.0, 0.0
        n = next(n for n, edge in enumerate(edges) if at < edge)
        while idle_s <= cycle:
            times, span = profile[n].times, edges[n] - at
            if times > 0 and work <= span * times:
                return spent + work / times
            idle_s = 0.0 if times > 0 else idle_s + span
            work -= span * times
            spent += span
            at, n = edges[n] % cycle, (n + 1) % len(edges)
        return math.inf

    # -- what ------------------------------------------------------------------------------------------------------

    def _new(self) -> Item:
        self._made += 1
        self.came += 1
        kind = self._only if self._only is not None else self._luck.choices(self._kinds, self._weights)[0]
        return self.floor.make(kind, self._demand.priorities.get(kind, 0))

    def _give(self, item: Item) -> None:
        if self._outside:
            self._keep(item)
        elif self.next.take(item, None if self._demand.blocked == "lose" else self):
            self.went += 1
        elif self._demand.blocked == "lose":
            self._lose(item)
        else:
            self._keep(item)

    def _give_together(self, items: Sequence[Item]) -> None:
        kept: list[Reservation] = []
        for item in items:
            place = self.next.reserve(item, None)
            if place is None:
                for one in kept:
                    one.give_up()
                for one_lost in items:
                    self._lose(one_lost)
                return
            kept.append(place)
        for item, place in zip(items, kept, strict=True):
            self.went += 1
            place.use(item)

    def _lose(self, item: Item) -> None:
        self.lost += 1
        self.came -= 1
        self.floor.lose(item)

    def _keep(self, item: Item) -> None:
        self._outside.append(item)
        self.number.change(self.env.now, 1)

    @property
    def block(self) -> object:
        """Give itself."""
        return self

    def go_on(self) -> None:
        """Give what waits outside; a source as fast as the line makes one more each time that one is taken."""
        if self.is_saturated:
            self._feed()
            return
        is_pausing = self._demand.blocked == "pause" and bool(self._outside)
        while self._outside and self.next.take(self._outside[0], self):
            self._outside.popleft()
            self.went += 1
            self.number.change(self.env.now, -1)
        if is_pausing and not self._outside and self._made < self._demand.most:
            self._next()

    def _feed(self) -> None:
        """Give as fast as it is taken. What is offered is on the floor only when it is taken."""
        while self._ready is not None or self._made < self._demand.most:
            item = self._ready = self._ready or self._new()
            item.born = self.env.now
            if not self.next.take(item, self):
                return
            self._ready = None
            self.went += 1
            self.floor.enter(item)

    @property
    def is_saturated(self) -> bool:
        """Tell whether it gives as fast as it is taken."""
        return self._draw_every is None and not self._demand.at

    def figures(self) -> dict[str, Any]:
        found = super().figures()
        return {**found, "arrival_rate": (self.came + self.lost) / max(self.env.now - self.floor.since, 1e-300)}


class Sink(Block):
    """A way out with a name and counters of its own."""

    kind = "sink"

    def take(self, item: Item, giver: Giver | None) -> bool:
        self.came += 1
        self.went += 1
        self.sojourn.add(self.env.now - item.born)
        self.floor.gone(item)
        return True

    def reserve(self, item: Item, giver: Giver | None) -> Reservation | None:
        return Sure(lambda late: self.take(late, None))

    def ahead(self) -> Iterator[Taker]:
        return iter(())
