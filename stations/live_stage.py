"""The bounded time in which the buyer of a reserved item sees it live and turns it."""

from __future__ import annotations

from packline.orders.model import Order, Purchase, Unit
from stations.kit import Kit

MOST_LIVE_WINDOWS = 3
MOST_TURNS = 2
"""Turns that are kept while one is made; who asks for more has the newest."""


class LiveStage:
    """Whose item is on stage, and for how long: each turn opens the window anew, MOST_LIVE_WINDOWS times at most."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._unit = ""
        self._until = 0.0
        self._windows = 0
        self._turns: list[float] = []

    def has(self, unit_id: str) -> bool:
        """Tell whether a buyer may turn `unit_id` now."""
        return bool(unit_id) and unit_id == self._unit

    def open(self, unit: Unit, order: Order) -> None:
        """Show a reserved item to its buyer; nothing happens where the site gives no time for it."""
        if order.content.purchase is Purchase.RESERVED and self._kit.rules.inspect_live_s > 0:
            self._unit, self._windows, self._turns = unit.unit_id, 1, []
            self._until = self._kit.clock.monotonic() + self._kit.rules.inspect_live_s

    def close(self) -> None:
        """Nobody may turn anything any more."""
        self._unit = ""

    def left_s(self, unit: Unit, order: Order) -> float:
        """Give the seconds that are left for the buyer of `unit`; 0 when it is not on stage, or not to be bought any more."""
        is_shown = unit.unit_id == self._unit and order.content.purchase is Purchase.RESERVED
        return max(self._until - self._kit.clock.monotonic(), 0.0) if is_shown else 0.0

    def ask(self, step_deg: float) -> None:
        """Note that the buyer wants the item turned by `step_deg`."""
        self._turns = [*self._turns, step_deg][-MOST_TURNS:]

    def next_turn(self) -> float | None:
        """Take the next turn that was asked for, in degrees; None without one."""
        return self._turns.pop(0) if self._turns else None

    def go_on(self) -> None:
        """Open the window anew after a turn, unless that was done often enough: a sleeping buyer never blocks the table."""
        if self._windows < MOST_LIVE_WINDOWS:
            self._windows += 1
            self._until = self._kit.clock.monotonic() + self._kit.rules.inspect_live_s
