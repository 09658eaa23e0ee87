"""Conveyors: zones with a photo-eye each, which accumulate, and a belt that moves or stops as a whole."""

from __future__ import annotations

from collections import deque
from typing import Any

from simulation.blocks.block import Full, Holder
from simulation.blocks.floor import Due, Floor
from simulation.blocks.item import Item
from simulation.blocks.states import StateClock

STATES = ("starved", "busy", "blocked")


class Conveyor(Holder):
    """`zones` zones of `zone_s` seconds each, one item a zone (zero-pressure accumulation).

    An item moves into the next zone when that is empty, and then leaves its own at once; else it stops under the
    photo-eye at the end of its zone. The last zone gives on to the next block. Room is in an empty first zone.
    """

    kind = "conveyor"

    def __init__(self, floor: Floor, name: str, *, zones: int, zone_s: float, full: Full = "block") -> None:
        self._zones: list[Item | None] = [None] * zones
        self._at_eye = [False] * zones
        self._since = [floor.env.now] * zones
        self._clock = StateClock(floor.env, STATES)
        super().__init__(floor, name, capacity=zones, full=full)
        self._zone_s = zone_s

    @property
    def has_room(self) -> bool:
        return self._zones[0] is None and not self.reserved

    def take(self, item: Item, giver: Any) -> bool:
        if not self.has_room or self.door.is_passed_over(giver):
            return self._refuse(item, giver)
        self._let_in(item)
        return True

    def _admit(self, item: Item) -> None:
        self._enter(0, item)

    def _enter(self, zone: int, item: Item) -> None:
        self._zones[zone] = item
        self._look()
        self.floor.after(self._zone_s, lambda _due: self._reach_eye(zone))

    def _reach_eye(self, zone: int) -> None:
        self._at_eye[zone] = True
        self._since[zone] = self.env.now
        self._move(zone)

    def _move(self, zone: int) -> None:
        """Move the item under this zone's eye on, and those that waited for its zone behind it."""
        item = self._zones[zone]
        if item is None or not self._at_eye[zone]:
            return
        if zone == len(self._zones) - 1:
            entered = item.entered
            self._at_eye[zone] = False  # while it is given, nobody finds it here twice
            if not self.next.take(item, self):
                self._at_eye[zone] = True
                self._look()
                return
            self._let_out(entered, item.kind)
        elif self._zones[zone + 1] is None:
            self._at_eye[zone] = False
            self._enter(zone + 1, item)
        else:
            return
        self._covered[zone] += self.env.now - self._since[zone]
        self._zones[zone] = None
        self._look()
        if zone:
            self._move(zone - 1)
        else:
            self._invite()

    @property
    def block(self) -> object:
        """Give itself."""
        return self

    def go_on(self) -> None:
        """Give the item at the end on."""
        self._move(len(self._zones) - 1)

    # -- what is measured ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Note whether it is blocked (an item stands at its end), busy (something moves) or starved."""
        is_any = any(item is not None for item in self._zones)
        self._clock.turn("blocked" if self._at_eye[-1] else "busy" if is_any else "starved")

    def reset(self) -> None:
        super().reset()
        now = self.env.now
        self._covered = [0.0] * len(self._zones)
        self._since = [now] * len(self._zones)
        self._clock.reset()

    def states(self) -> dict[str, float]:
        """Give the share of time in each state; they sum to 1."""
        return self._clock.shares()

    def figures(self) -> dict[str, Any]:
        """Give also the share of time in which an item stood under each eye."""
        now = self.env.now
        lasted = now - self.floor.since
        open_ = (now - since if at else 0.0 for at, since in zip(self._at_eye, self._since, strict=True))
        covered = [spent + more for spent, more in zip(self._covered, open_, strict=True)]
        eyes = [spent / lasted for spent in covered] if lasted > 0 else []
        return {**super().figures(), "states": self.states(), "eyes": eyes}


class Belt(Holder):
    """A belt without zones: `travel_s` from end to end, items `gap_s` apart at least. It stops as a whole while the item
    at its end cannot go on, and nothing enters a belt that stands."""

    kind = "belt"

    def __init__(self, floor: Floor, name: str, *, travel_s: float, gap_s: float, full: Full = "block") -> None:
        self._on: deque[tuple[float, Item]] = deque()
        self._stopped_at: float | None = None
        self._clock = StateClock(floor.env, STATES)
        super().__init__(floor, name, full=full)
        self._travel_s = travel_s
        self._gap_s = gap_s
        self._stood_s = 0.0
        self._free_from = -1e300
        self._is_giving = False

    @property
    def has_room(self) -> bool:
        return self._stopped_at is None and not self.reserved and self._run_s >= self._free_from

    @property
    def _run_s(self) -> float:
        """Give how long the belt has moved in all."""
        return (self.env.now if self._stopped_at is None else self._stopped_at) - self._stood_s

    def take(self, item: Item, giver: Any) -> bool:
        if not self.has_room or self.door.is_passed_over(giver):
            return self._refuse(item, giver)
        self._let_in(item)
        return True

    def _admit(self, item: Item) -> None:
        due_at = self._run_s + self._travel_s
        self._on.append((due_at, item))
        self._free_from = self._run_s + self._gap_s
        if len(self._on) == 1:
            self._wait_for_end()
        self._wait_for_gap()
        self._look()

    def _wait_for_gap(self) -> None:
        """Invite when the entrance is free. Rounding must not make that a moment too early."""
        target = self._free_from

        def free(_due: Due) -> None:
            if self._stopped_at is None and self._free_from == target:
                self._free_from = min(target, self._run_s)
                self._invite()

        self.floor.after(max(0.0, target - self._run_s), free)

    def _wait_for_end(self) -> None:
        head = self._on[0]

        def reach(_due: Due) -> None:
            if self._stopped_at is None and self._on and self._on[0] is head:
                self._give()

        self.floor.after(max(0.0, head[0] - self._run_s), reach)

    def _give(self) -> None:
        _, item = self._on[0]
        entered = item.entered
        self._is_giving = True
        is_taken = self.next.take(item, self)
        self._is_giving = False
        if not is_taken:
            if self._stopped_at is None:
                self._stopped_at = self.env.now
                self._look()
            return
        self._on.popleft()
        self._let_out(entered, item.kind)
        was_stopped = self._stopped_at is not None
        if self._stopped_at is not None:
            self._stood_s += self.env.now - self._stopped_at
            self._stopped_at = None
        if self._on:
            self._wait_for_end()
        self._look()
        if was_stopped:
            self._wait_for_gap()

    @property
    def block(self) -> object:
        """Give itself."""
        return self

    def go_on(self) -> None:
        """Give the item at the end on, and move again."""
        if self._stopped_at is not None and not self._is_giving:
            self._give()

    def _look(self) -> None:
        self._clock.turn("blocked" if self._stopped_at is not None else "busy" if self._on else "starved")

    def reset(self) -> None:
        super().reset()
        self._clock.reset()

    def states(self) -> dict[str, float]:
        """Give the share of time in each state; they sum to 1."""
        return self._clock.shares()

    def figures(self) -> dict[str, Any]:
        return {**super().figures(), "states": self.states()}
