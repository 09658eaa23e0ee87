"""The figures of a report for programs: what is not known is null."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from simulation.report.sides import Side, differences
from simulation.statistics.intervals import Interval


def said(sides: Sequence[Side]) -> dict[str, Any]:
    """Give everything of one side, or of two and their differences, ready for JSON."""
    found: dict[str, Any] = _side(sides[0])
    if len(sides) == 2:
        found["against"] = _side(sides[1])
        found["differences"] = {
            d.name: {**pair(d.interval), "paired": d.is_paired, "differs": d.is_told} for d in differences(*sides)
        }
    return found


def _side(side: Side) -> dict[str, Any]:
    first = side.shifts[0]
    return {
        "name": side.name,
        "seeds": side.seeds,
        "well": side.is_well,
        "broken": {str(seed): list(found) for seed, found in side.wrongs().items()},
        "journals": [recording.head.journal for recording in side.recordings],
        "figures": {name: pair(side.interval(name)) for name in side.names()},
        "bottleneck": {"longest_active": first.longest_active, "least_waiting": first.least_waiting},
        "warmup_s": first.window.begin_s,
    }


def pair(found: Interval) -> dict[str, float | None]:
    """Give an interval as estimate and half width."""
    return {"estimate": _known(found.estimate), "half": _known(found.half)}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
