"""Faults of a shift as data: which, where, when, for how long; drawn from a seed, and read from a list again."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

CONTROLLER = "controller"
KILLS = ("kill_before_commit", "kill_after_commit")
"""Faults of the controller: it dies at a commit of its books, which then is or is not made."""
MOST_FAULTS = 6
ENABLED = 0.4
"""How likely a kind of fault is at all in one shift: a shift with everything hides what only some of it shows."""
LASTS_S = (0.3, 1.0, 3.0, 6.0)
FIRST_S = 2.0
PER_ORDER_S, LEAST_SPAN_S = 4.0, 12.0
COMMITS_PER_ORDER = 110
"""About so many commits of the controller belong to one order, measured with 24 orders, 2026-11."""
TIMES = frozenset({"fail", "jam", "label_dropped", "half_print", "faded", "no_read"})
"""Faults that strike once or twice; what they leave behind (an error at the panel, a jam) is cleared when they are mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault. `at_s` is the loop's time, for a kill the number of the commit.

    It strikes at most `times` times, and is mended after `for_s`; one that is never mended may hold its station for ever.
    """

    at_s: float
    device: str
    fault: str
    for_s: float | None = None
    times: int | None = None

    @property
    def is_kill(self) -> bool:
        """Tell whether it kills the controller."""
        return self.device == CONTROLLER

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values, without what is not said."""
        every = {name: getattr(self, name) for name in ("at_s", "device", "fault", "for_s", "times")}
        return {name: value for name, value in every.items() if value is not None}

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises TypeError for other words."""
        return cls(**raw)

    def text(self) -> str:
        """Say it in one line."""
        if self.is_kill:
            return f"controller {self.fault} {self.at_s:.0f}"
        times = f" x{self.times}" if self.times is not None else ""
        lasts = f" for {self.for_s:g} s" if self.for_s is not None else ""
        return f"{self.at_s:.2f} s {self.device} {self.fault}{times}{lasts}"


def swarm(seed: int, known: Mapping[str, Sequence[str]], orders: int) -> tuple[PlannedFault, ...]:
    """Draw a shift's faults: some kinds are enabled, a few of these happen, at random times."""
    rng = random.Random(f"{seed}/swarm")
    kinds = [(device, fault) for device in sorted(known) for fault in sorted(known[device])]
    kinds += [(CONTROLLER, fault) for fault in KILLS]
    enabled = [kind for kind in kinds if rng.random() < ENABLED]
    number = rng.randrange(MOST_FAULTS + 1)
    drawn = [_drawn(rng, *rng.choice(enabled), orders) for _ in range(number if enabled else 0)]
    return tuple(sorted(drawn, key=lambda fault: (fault.at_s, fault.device, fault.fault)))


def _drawn(rng: random.Random, device: str, fault: str, orders: int) -> PlannedFault:
    if device == CONTROLLER:
        return PlannedFault(at_s=float(rng.randrange(1, COMMITS_PER_ORDER * orders)), device=device, fault=fault)
    at_s = round(rng.uniform(FIRST_S, LEAST_SPAN_S + PER_ORDER_S * orders), 2)
    if fault in TIMES:
        return PlannedFault(at_s=at_s, device=device, fault=fault, times=rng.choice((1, 1, 2)), for_s=LASTS_S[-1])
    return PlannedFault(at_s=at_s, device=device, fault=fault, for_s=rng.choice(LASTS_S))
