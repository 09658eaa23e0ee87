"""How one channel spent its time: the seconds in each state, and the periods in which it was active."""

from __future__ import annotations

import simpy

STATES = ("starved", "busy", "blocked", "down", "setup", "unmanned", "away")
"""`unmanned` waits for an operator, `away` is on vacation."""
STARVED, BUSY, BLOCKED, DOWN, SETUP, UNMANNED, AWAY = range(len(STATES))
_ACTIVE = (False, True, False, True, True, False, False)


class TimeSheet:
    """What was noted since the last reset. `state` is that of now, an index of STATES; it begins starved."""

    __slots__ = ("_active_since", "_env", "_periods", "_since", "_spent", "state")

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self.state = STARVED
        self._since = self._active_since = env.now
        self._spent = [0.0] * len(STATES)
        self._periods: list[tuple[float, float]] = []

    def turn(self, state: int) -> None:
        """Be in this state from now on."""
        now, old = self._env.now, self.state
        self._spent[old] += now - self._since
        self._since = now
        self.state = state
        if _ACTIVE[old] != _ACTIVE[state]:
            if _ACTIVE[old] and now > self._active_since:
                self._periods.append((self._active_since, now))
            self._active_since = now

    def spent_until(self, now: float) -> list[float]:
        """Give the seconds in each of STATES since the reset."""
        spent = list(self._spent)
        spent[self.state] += now - self._since
        return spent

    def active_until(self, now: float) -> list[tuple[float, float]]:
        """Give the periods in which it was neither starved nor blocked, nor waited for a person, nor was away."""
        return [*self._periods, *([(self._active_since, now)] if _ACTIVE[self.state] else [])]

    def reset(self) -> None:
        """Forget how the time was spent."""
        self._since = self._active_since = self._env.now
        self._spent = [0.0] * len(STATES)
        self._periods = []
