"""What a block counts for one class of items: who came, who was there how long, and who waited."""

from __future__ import annotations

import math

from simulation.statistics.tallies import Level, Tally


class OfClass:
    """The counters of one class in one block. Times in seconds."""

    __slots__ = ("came", "lost", "number", "sojourn", "wait")

    def __init__(self, since: float) -> None:
        self.number = Level(since)
        self._forget()

    def _forget(self) -> None:
        self.came = self.lost = 0
        self.sojourn = Tally()
        self.wait = Tally()

    def reset(self, now: float) -> None:
        """Forget what was counted; who is there now stays."""
        self.number.reset(now)
        self._forget()

    def enter(self, now: float) -> None:
        """Count one that comes in."""
        self.came += 1
        self.number.change(now, 1)

    def leave(self, now: float, entered: float) -> None:
        """Count one that goes, which came in at `entered`."""
        self.number.change(now, -1)
        self.sojourn.add(now - entered)

    def figures(self, now: float) -> dict[str, float]:
        """Give mean number, mean times, and the share of those who came that found no room or did not stay."""
        found = {"number": self.number.mean(now), "sojourn": self.sojourn.mean()}
        if len(self.wait):
            found["wait"] = self.wait.mean()
        if self.lost:
            found["lost_share"] = self.lost / (self.came + self.lost)
        elif self.came:
            found["lost_share"] = 0.0
        return {name: value for name, value in found.items() if not math.isnan(value)}
