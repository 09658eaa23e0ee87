"""Overall equipment effectiveness by ISO 22400-2:2014."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """What one machine did. Seconds: `planned_busy_s` (PBT), `production_s` (APT, time that made something),
    `run_time_s` (PRI, planned run time of one piece). Pieces: `made` (PQ), `good` (GQ)."""

    planned_busy_s: float
    production_s: float
    run_time_s: float
    made: int
    good: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Oee:
    """The three factors and their product; nan where nothing was planned or made.

    Effectiveness passes 1 when pieces took less than their planned run time.
    """

    availability: float
    effectiveness: float
    quality: float

    @property
    def index(self) -> float:
        """Give availability x effectiveness x quality ratio."""
        return self.availability * self.effectiveness * self.quality


def oee(done: Production) -> Oee:
    """Give availability APT / PBT, effectiveness PRI x PQ / APT, quality ratio GQ / PQ (ISO 22400-2:2014, 8.4 to 8.9).

    Raises ValueError when more is good than was made, or more time produced than was planned.
    """
    if done.good > done.made:
        raise ValueError(f"{done.good} good of {done.made} made")
    if done.production_s > done.planned_busy_s * (1 + 1e-9):
        raise ValueError(f"{done.production_s} s produced in {done.planned_busy_s} s planned")
    return Oee(
        availability=_ratio(done.production_s, done.planned_busy_s),
        effectiveness=_ratio(done.run_time_s * done.made, done.production_s),
        quality=_ratio(done.good, done.made),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
