"""What is made of facts while they happen, so that a shift of any length need not keep them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from simulation.plant.truth import Fact
from simulation.statistics.tallies import percentile

MICRO = 1_000_000
ADDRESSED = "label_applied"
"""The fact that may have a word for a label's address, `to`: content has it, dots do not, and both are the same shift."""


class TruthHash:
    """Hashes what physically happened; times as whole microseconds, so that no text of a float is in it."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._write = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode

    def hear(self, fact: Fact) -> None:
        """Take the next fact."""
        data = fact.data
        if fact.name == ADDRESSED and "to" in data:
            data = {name: value for name, value in data.items() if name != "to"}
        row = [fact.n, fact.name, round(fact.sim_s * MICRO), data]
        self._digest.update(self._write(row).encode() + b"\n")

    def text(self) -> str:
        """Give the hash of all so far: 64 hexadecimal digits."""
        return self._digest.hexdigest()


class Flows:
    """Tells how long parcels were in the hall, from the fresh carton to the door, and how many left in an hour; simulated time."""

    def __init__(self) -> None:
        self._taken: dict[str, float] = {}
        self._flows: list[float] = []
        self._first_s = self._last_s = 0.0

    def hear(self, fact: Fact) -> None:
        """Take the next fact."""
        if fact.name == "carton_taken":
            self._taken[fact.data["lpn"]] = fact.sim_s
            self._first_s = self._first_s or fact.sim_s
        elif fact.name == "left_door":
            self._flows.append(fact.sim_s - self._taken.pop(fact.data["lpn"], fact.sim_s))
            self._last_s = fact.sim_s
        elif fact.name == "returned_to_shelf":
            self._taken.pop(fact.data["lpn"], None)

    def figures(self) -> dict[str, float]:
        """Give mean, percentiles and rate of all that left so far; the hour is counted from the first carton to the last door."""
        flows, hours = self._flows, (self._last_s - self._first_s) / 3600
        return {
            "mean_flow_s": round(sum(flows) / len(flows), 1) if flows else 0.0,
            "p50_flow_s": _percentile(flows, 50),
            "p95_flow_s": _percentile(flows, 95),
            "most_flow_s": _percentile(flows, 100),
            "parcels_per_hour": round(len(flows) / hours, 2) if hours > 0 else 0.0,
        }


def _percentile(flows: Sequence[float], percent: float) -> float:
    return round(percentile(flows, percent), 1) if flows else 0.0
