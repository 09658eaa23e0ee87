"""How something spent its time: in one of a few states at each instant."""

from __future__ import annotations

from collections.abc import Sequence

import simpy


class StateClock:
    """Seconds in each of `names`; it begins in the first."""

    def __init__(self, env: simpy.Environment, names: Sequence[str]) -> None:
        self._env = env
        self._state = names[0]
        self._spent = dict.fromkeys(names, 0.0)
        self._since = env.now

    def turn(self, state: str) -> None:
        """Be in this state from now on."""
        now = self._env.now
        self._spent[self._state] += now - self._since
        self._since = now
        self._state = state

    def reset(self) -> None:
        """Forget the past, keep the state."""
        self._since = self._env.now
        self._spent = dict.fromkeys(self._spent, 0.0)

    def shares(self) -> dict[str, float]:
        """Give the share of time in each state; they sum to 1. Nothing before any time went by."""
        self.turn(self._state)
        total = sum(self._spent.values())
        return {name: spent / total for name, spent in self._spent.items()} if total else {}
