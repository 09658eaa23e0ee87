"""Cases of single building blocks: courier, scan gate, conveyor, and what happens at one instant."""

from __future__ import annotations

import math

from simulation.validation import theory_queues
from simulation.validation.case import Case, arrivals, machine, server


def blocks() -> list[Case]:
    """Give the cases: blocks of a line that no book is about."""
    first_try = sum(0.5 * n * 0.8 * 0.2 ** (n - 1) for n in (1, 2, 3)) + 0.2**3 * 1.5
    return [
        Case(
            name="courier: wait for the next of random visits",
            source="Kleinrock 1975, 5.2 (residual life)",
            blocks={
                "in": arrivals(1, "shelf"),
                "shelf": {"kind": "courier", "every": {"kind": "erlang", "mean": 6, "k": 2}, "next": "out"},
            },
            truth={"shelf.sojourn": 54 / 12, "shelf.number": 54 / 12},
            horizon_s=3000.0,
            warmup_s=100.0,
        ),
        Case(
            name="courier every five seconds who takes six at most",
            source="Bailey 1954; chain",
            blocks={
                "in": arrivals(1, "shelf"),
                "shelf": {"kind": "courier", "every": 5, "load": 6, "next": "out"},
            },
            truth={"shelf.number": theory_queues.fetched_number(1, 5, 6)},
            horizon_s=6000.0,
        ),
        Case(
            name="scan gate: three tries, then a no-read",
            source="geometric series",
            blocks={
                "in": arrivals(0.5, "gate"),
                "gate": {
                    "kind": "scan_gate",
                    "scan": 0.5,
                    "read_share": 0.8,
                    "tries": 3,
                    "no_read": "people",
                    "queue": math.inf,
                    "next": "out",
                },
                "people": {"kind": "sink"},
            },
            truth={"gate.states.busy": 0.5 * first_try, "people.throughput": 0.5 * 0.2**3},
            horizon_s=6000.0,
            warmup_s=100.0,
        ),
        Case(
            name="conveyor: nobody waits behind a fixed time between arrivals",
            source="arithmetic",
            blocks={
                "in": {"kind": "source", "every": 3, "next": "belt"},
                "belt": {"kind": "conveyor", "zones": 4, "zone_s": 1.5, "next": "a"},
                "a": machine(2.0),
            },
            truth={"flow": 8.0, "belt.sojourn": 6.0, "belt.number": 2.0, "a.states.busy": 2 / 3},
            horizon_s=1000.0 * 3,
            warmup_s=90.0,
            replications=2,
        ),
        Case(
            name="arrivals at the instant of departures: nothing is lost",
            source="arithmetic; order of events at one instant",
            blocks={
                "in": {"kind": "source", "every": 2, "next": "a", "blocked": "lose"},
                "a": machine(2),
            },
            truth={"in.lost_share": 0.0, "a.states.busy": 1.0, "throughput": 0.5},
            horizon_s=500.0,
            warmup_s=100.0,
            replications=2,
        ),
        Case(
            name="rates that change with the hour: M(t)/G/inf, all of the cycle",
            source="Eick, Massey & Whitt 1993",
            blocks={
                "in": arrivals(
                    2, "hall", cycle_s=20.0, profile=[{"from_s": 0, "times": 0.5}, {"from_s": 10, "times": 1.5}]
                ),
                "hall": server({"kind": "uniform", "low": 0, "high": 2}, channels=math.inf),
            },
            truth={"hall.number": 2.0, "in.arrival_rate": 2.0},
            horizon_s=1600.0,
            warmup_s=100.0,
        ),
    ]
