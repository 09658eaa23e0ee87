"""Cartons that stand where nobody at the station put them, and of which its screen says nothing."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.clock import Clock
from simulation.people.desk import StationView
from simulation.plant.things import Carton

STRAY_S = 8.0
"""Wall time after which a carton that nobody speaks of is looked at, and looked at again."""


class Strays:
    """What one person knows of the cartons at the own station."""

    def __init__(self, clock: Clock, after_s: float = STRAY_S) -> None:
        self._clock, self._after_s = clock, after_s
        self._mine: set[str] = set()
        self._since: dict[str, float] = {}

    def is_mine(self, carton: Carton) -> None:
        """Note that this one belongs here."""
        self._mine.add(carton.lpn)

    def found(self, view: StationView, here: Sequence[Carton]) -> Carton | None:
        """Give a carton that has stood here for long and that nobody speaks of; None without one."""
        said = {told["lpn"] for told in (view.next, *view.tasks)}
        strange = {carton.lpn: carton for carton in here if carton.lpn not in self._mine | said}
        now = self._clock.monotonic()
        self._since = {lpn: self._since.get(lpn, now) for lpn in strange}
        due = next((lpn for lpn, since in self._since.items() if now - since >= self._after_s), None)
        if due is None:
            return None
        self._since[due] = now
        return strange[due]
