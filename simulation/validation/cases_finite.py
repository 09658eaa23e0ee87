"""Textbook cases of stations with few sources or few channels, and of what is not settled yet."""

from __future__ import annotations

import math

from simulation.validation import theory_queues
from simulation.validation.case import Case, arrivals, exp, server


def finite() -> list[Case]:
    """Give the cases: guard channels, few sources, spares, the first customers."""
    new, old = theory_queues.guarded((3.0, 1.0), 1, 6, 2)
    lost, busy = theory_queues.engset(0.4, 1, 3, 6)
    down = theory_queues.with_spares(0.2, 1, 2, 5, 2)
    return [
        Case(
            name="two of six channels are kept for calls that are handed over",
            source="Hong & Rappaport 1986",
            classes={"new": {}, "old": {}},
            blocks={
                "in": arrivals(4.0, "cell", mix={"new": 3.0, "old": 1.0}),
                "cell": server(exp(1), channels=6, queue=0, full="lose", balk_by_class={"new": [0, 0, 0, 0, 1]}),
            },
            truth={"cell.classes.new.lost_share": new, "cell.classes.old.lost_share": old},
            horizon_s=1200.0,
            warmup_s=50.0,
        ),
        Case(
            name="six sources and three channels, lost calls are tried again later",
            source="Engset 1918; Kleinrock 1975, 3.10",
            blocks={
                "idle": server(exp(1 / 0.4), "lines", channels=math.inf, initial={"": 6}),
                "lines": server(exp(1), "idle", channels=3, queue=0, overflow="idle"),
            },
            truth={"lines.lost_share": lost, "lines.number": busy},
            horizon_s=2000.0,
            warmup_s=50.0,
        ),
        Case(
            name="five machines, two spares, two who repair",
            source="Taylor & Jackson 1954; Gross & Harris 2008, 2.7",
            blocks={
                "use": server(exp(5), "repair", channels=5, initial={"": 7}),
                "repair": server(exp(1), "use", channels=2),
            },
            truth={"repair.number": theory_queues.number(down), "use.at.4": down[3]},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="the first 25 of M/M/1, empty at first",
            source="Kelton & Law 1985; Law 2015, 9.4",
            blocks={"in": arrivals(1.0, "desk", most=25), "desk": server(exp(0.9))},
            truth={"desk.wait": theory_queues.first_waits(1.0, 1 / 0.9, 25)},
            horizon_s=400.0,
            warmup_s=0.0,
            replications=300,
        ),
    ]
