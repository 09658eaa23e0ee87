"""The floor that blocks stand on: time, streams of random numbers, and what is counted over all of it."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import simpy

from simulation.blocks.draws import Distribution, Draw, Mirror
from simulation.blocks.item import Item
from simulation.statistics.tallies import Level, Tally

OUT = "out"
"""The name of the way out of the floor."""

# At one instant SimPy works the lower rank first, and the same rank in the order in which it was told. What is measured
# begins first, then what ends (work, transport, repairs), then machines fail, then something new arrives: so a place that
# is freed at this instant can be taken at this instant.
MEASURES, ENDS, FAILS, ARRIVES = 0, 1, 2, 3
EVENTS = 10_000
"""After so many events a run says how far it is: some tenths of a second, however far its horizon is."""

Act = Callable[[Any], None]


class Due(simpy.Event):
    """Something that will happen at `at`, unless it is cancelled."""

    def __init__(self, env: simpy.Environment, delay_s: float, act: Act, rank: int = ENDS) -> None:
        # as simpy.Timeout does, without the call to its parent: this is the hottest line of a run
        self.env = env
        self.callbacks = [act]
        self._value = None
        self._ok = True
        self.at = env.now + delay_s
        env.schedule(self, rank, delay_s)  # type: ignore[arg-type]  # SimPy's ranks are NewTypes of int

    def cancel(self) -> None:
        """Let it pass without an act; nothing when it has happened."""
        if self.callbacks:
            self.callbacks.clear()


class Measured(Protocol):
    """What counts: told when to forget the warm-up."""

    name: str

    def reset(self) -> None:
        """Forget what was counted; what is there now stays."""
        ...


class Floor:
    """Time and luck for the blocks on it.

    Each block draws from streams of its own, `random.Random(f"{seed}/{name}")`, so that one more block does not shift
    what the others draw. `is_mirrored` gives 1 - u for each u (antithetic).
    """

    def __init__(self, env: simpy.Environment | None = None, *, seed: str = "0", is_mirrored: bool = False) -> None:
        self.env = env or simpy.Environment()
        self.seed = seed
        self._stream = Mirror if is_mirrored else random.Random
        self.blocks: dict[str, Measured] = {}
        self._numbers = 0
        self.wip = Level(self.env.now)
        self._forget()

    def _forget(self) -> None:
        self.since = self.env.now
        self.came = self.lost = self.scrapped = self.left = self.made = self.used = 0
        self.flow = Tally()
        self.flow_of: dict[str, Tally] = {}
        self.left_at = array("d")

    def add(self, block: Measured) -> None:
        """Take a block in; raises ValueError for a name that is taken."""
        if block.name in self.blocks or block.name == OUT:
            raise ValueError(f"there is a block {block.name} already")
        self.blocks[block.name] = block

    def stream(self, name: str) -> random.Random:
        """Give a stream of random numbers that nobody else has."""
        return self._stream(f"{self.seed}/{name}")

    def draw(self, name: str, law: Distribution) -> Draw:
        """Give what draws from `law`, from the stream `name`."""
        return law.drawn_from(self.stream(name))

    def draw_if(self, name: str, law: Distribution | None) -> Draw | None:
        """Give what draws from `law`, where there is one."""
        return None if law is None else self.draw(name, law)

    def after(self, delay_s: float, act: Act, rank: int = ENDS) -> Due:
        """Let `act` happen in `delay_s` (>= 0) seconds; it is handed the event. Raises ValueError for a time gone by."""
        if delay_s < 0:
            raise ValueError(f"{delay_s} s ago")
        return Due(self.env, delay_s, act, rank)

    def make(self, kind: str, priority: int) -> Item:
        """Give a new item that is not on the floor yet."""
        self._numbers += 1
        return Item(self._numbers, kind, priority, self.env.now)

    def enter(self, item: Item) -> Item:
        """Count an item as on the floor from now on."""
        self.came += 1
        item.born = now = self.env.now
        self.wip.change(now, 1)
        return item

    def gone(self, item: Item) -> None:
        """See an item off by the way out."""
        now = self.env.now
        self.wip.change(now, -1)
        self.left += 1
        self.flow.add(now - item.born)
        self.left_at.append(now)
        if item.kind:
            self.flow_of.setdefault(item.kind, Tally()).add(now - item.born)
        if item.ties is not None:
            item.ties.end(is_well=True)

    def replace(self, used: Sequence[Item], made: Sequence[Item]) -> None:
        """Put items in the place of others: siblings for their parent, a carton for its pieces."""
        self.used += len(used)
        self.made += len(made)
        self.wip.change(self.env.now, len(made) - len(used))

    def lose(self, item: Item) -> None:
        """See an item off that found no place, or lost its patience."""
        self.wip.change(self.env.now, -1)
        self.lost += 1
        if item.ties is not None:
            item.ties.end(is_well=False)

    def scrap(self, item: Item) -> None:
        """See an item off that was spoiled."""
        self.wip.change(self.env.now, -1)
        self.scrapped += 1
        if item.ties is not None:
            item.ties.end(is_well=False)

    def reset(self) -> None:
        """Forget what was counted, here and in every block: the warm-up is over."""
        self._forget()
        self.wip.reset(self.env.now)
        for block in self.blocks.values():
            block.reset()

    def run(self, horizon_s: float, warmup_s: float = 0.0, tell: Callable[[float], None] | None = None) -> None:
        """Run to `horizon_s`, counting from `warmup_s` on: what happens at the warm-up counts, at the horizon not.

        `tell` hears which share of it is done, each time after so many events.

        Raises ValueError for a warm-up that is not before the horizon.
        """
        if not 0 <= warmup_s < horizon_s:
            raise ValueError(f"a warm-up of {warmup_s} s before a horizon of {horizon_s} s")
        if warmup_s:
            Due(self.env, warmup_s - self.env.now, lambda _due: self.reset(), MEASURES)
        if tell is None:
            self.env.run(until=horizon_s)
        else:
            self._run_and_tell(horizon_s, tell)

    def _run_and_tell(self, horizon_s: float, tell: Callable[[float], None]) -> None:
        """Run as SimPy does, with a pause now and then in which nothing on the floor changes."""
        env, begun_s = self.env, self.env.now
        Due(env, horizon_s - begun_s, _end, MEASURES)
        try:
            while True:
                for _ in range(EVENTS):
                    env.step()
                tell((env.now - begun_s) / (horizon_s - begun_s))
        except _Over:
            return


class _Over(Exception):  # noqa: N818 - no error: the horizon is there
    pass


def _end(_due: object) -> None:
    raise _Over
