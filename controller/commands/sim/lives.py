"""The lives of one controller in virtual time: it dies at a commit of its books, and is started again from them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from simulation.virtual.faults import PlannedFault

RESTART_S = 1.0
"""From the death of a controller to the start of the next, as the supervisor needs."""


class Killed(BaseException):
    """The controller is dead. No Exception: nothing in it may catch this."""


class Reaper:
    """Counts the commits of all lives and ends one at the commit that was planned; what is dead commits nothing more."""

    def __init__(self, kills: Iterable[PlannedFault], cut_off: Callable[[], None]) -> None:
        """`cut_off` cuts the dead controller's links."""
        self._kills = deque(sorted(kills, key=lambda kill: kill.at_s))
        self._cut_off = cut_off
        self.commits = 0
        self.deaths = 0

    def new_life(self) -> Callable[[Callable[[], None]], Callable[[], None]]:
        """Give what wraps the commits of the next life."""
        life = self.deaths

        def wrap(commit: Callable[[], None]) -> Callable[[], None]:
            def counted() -> None:
                if life != self.deaths:
                    raise Killed
                self.commits += 1
                kill = self._due()
                if kill is None:
                    commit()
                    return
                if kill.fault == "kill_after_commit":
                    commit()
                self.deaths += 1
                self._cut_off()
                raise Killed

            return counted

        return wrap

    def _due(self) -> PlannedFault | None:
        if self._kills and self._kills[0].at_s <= self.commits:
            return self._kills.popleft()
        return None
