"""Textbook cases of one station: exponential, general, finite, and those who come in bulk."""

from __future__ import annotations

import math

from simulation.blocks.draws import Hyperexponential
from simulation.validation import theory_queues
from simulation.validation.case import Between, Case, arrivals, exp, one_desk, server


def exponential() -> list[Case]:
    """Give the cases: stations with exponential times."""
    lam, shares_mm25, shares_mm14 = 0.7, theory_queues.mmck(1.6, 1, 2, 5), theory_queues.mmck(0.8, 1, 1, 4)
    impatient = theory_queues.erlang_a(2.2, 1, 0.5, 2)
    down = theory_queues.finite_source(0.25, 1, 2, 6)
    return [
        Case(
            name="M/M/1",
            source="Kleinrock 1975, 3.2 and 5.7",
            blocks=one_desk(lam, exp(1)),
            truth={
                "desk.wait": theory_queues.mm1_wait(lam, 1),
                "desk.number": lam / (1 - lam),
                "desk.states.busy": lam,
                "desk.wait_p95": theory_queues.mm1_wait_percentile(lam, 1, 0.95),
                "desk.at.2": (1 - lam) * lam**2,
            },
        ),
        Case(
            name="M/M/3",
            source="Erlang 1917; Gross & Harris 2008, 2.3",
            blocks=one_desk(2.1, exp(1), channels=3, target_s=0.5),
            truth={
                "desk.wait": theory_queues.mmc_wait(2.1, 1, 3),
                "desk.delayed_share": theory_queues.erlang_c(2.1, 3),
                "desk.in_time_share": 1 - theory_queues.erlang_c(2.1, 3) * math.exp(-(3 - 2.1) * 0.5),
            },
            horizon_s=1700.0,
            warmup_s=200.0,
        ),
        Case(
            name="M/M/2/5",
            source="Gross & Harris 2008, 2.4",
            blocks=one_desk(1.6, exp(1), channels=2, queue=3, full="lose"),
            truth={"desk.lost_share": shares_mm25[5], "desk.number": theory_queues.number(shares_mm25)},
            horizon_s=1700.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M/1/4",
            source="Gross & Harris 2008, 2.4",
            blocks=one_desk(0.8, exp(1), queue=3, full="lose"),
            truth={"desk.lost_share": shares_mm14[4], "desk.queue": theory_queues.waiting(shares_mm14, 1)},
            warmup_s=100.0,
        ),
        Case(
            name="M/M/inf",
            source="Gross & Harris 2008, 2.6",
            blocks=one_desk(3.0, exp(1), channels=math.inf),
            truth={"desk.number": 3.0, "desk.at.0": math.exp(-3), "desk.sojourn": 1.0},
            horizon_s=1000.0,
            warmup_s=50.0,
        ),
        Case(
            name="M/M/5/5, Erlang B",
            source="Erlang 1917; Gross & Harris 2008, 2.5",
            blocks=one_desk(4.0, exp(1), channels=5, queue=0, full="lose"),
            truth={"desk.lost_share": theory_queues.erlang_b(4.0, 5)},
            horizon_s=800.0,
            warmup_s=50.0,
        ),
        Case(
            name="M/G/5/5, Erlang B does not feel the law of service",
            source="Sevastyanov 1957; Gross & Harris 2008, 5.2",
            blocks=one_desk(4.0, {"kind": "lognormal", "mean": 1, "cv": 1.5}, channels=5, queue=0, full="lose"),
            truth={"desk.lost_share": theory_queues.erlang_b(4.0, 5)},
            horizon_s=800.0,
            warmup_s=50.0,
        ),
        Case(
            name="M/M/2+M, who waits too long gives up",
            source="Palm 1957; Garnett, Mandelbaum & Reiman 2002",
            blocks=one_desk(2.2, exp(1), channels=2, patience=exp(2)),
            truth={
                "desk.number": theory_queues.number(impatient),
                "desk.throughput": 2.2 - 0.5 * theory_queues.waiting(impatient, 2),
            },
            horizon_s=1400.0,
            warmup_s=100.0,
        ),
        Case(
            name="machine repair, M/M/2//6",
            source="Palm 1947; Gross & Harris 2008, 2.7",
            blocks={
                "up": server(exp(4), "crew", channels=math.inf, initial={"": 6}),
                "crew": server(exp(1), "up", channels=2),
            },
            truth={
                "crew.number": theory_queues.number(down),
                "crew.throughput": 0.25 * (6 - theory_queues.number(down)),
            },
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
    ]


def general() -> list[Case]:
    """Give the cases: stations with other laws, or arrivals in bulk."""
    lam, h2 = 0.7, Hyperexponential.balanced(1, 1.5)
    h2_third = sum(6 * p * m**3 for p, m in zip(h2.weights, h2.means, strict=True))
    return [
        Case(
            name="M/D/1",
            source="Erlang 1909; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, 1),
            truth={
                "desk.wait": theory_queues.pollaczek_khinchine(lam, 1, 1),
                "desk.wait_deviation": theory_queues.deviation(
                    theory_queues.pollaczek_khinchine(lam, 1, 1), theory_queues.wait_second_moment(lam, 1, 1, 1)
                ),
            },
        ),
        Case(
            name="M/E3/1",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "erlang", "mean": 1, "k": 3}),
            truth={"desk.wait": theory_queues.pollaczek_khinchine(lam, 1, 4 / 3)},
        ),
        Case(
            name="M/G/1, lognormal",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "lognormal", "mean": 1, "cv": 0.8}),
            truth={"desk.wait": theory_queues.pollaczek_khinchine(lam, 1, 1.64)},
        ),
        Case(
            name="M/H2/1",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(0.6, {"kind": "hyperexponential", "mean": 1, "cv": 1.5}),
            truth={
                "desk.wait": theory_queues.pollaczek_khinchine(0.6, 1, 3.25),
                "desk.wait_deviation": theory_queues.deviation(
                    theory_queues.pollaczek_khinchine(0.6, 1, 3.25),
                    theory_queues.wait_second_moment(0.6, 1, 3.25, h2_third),
                ),
            },
            horizon_s=6000.0,
            warmup_s=500.0,
        ),
        Case(
            name="M/G/1, triangular",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "triangular", "low": 0.2, "mode": 0.8, "high": 2.0}),
            truth={
                "desk.wait": theory_queues.pollaczek_khinchine(lam, 1, 1 + (0.04 + 0.64 + 4 - 0.16 - 0.4 - 1.6) / 18)
            },
        ),
        Case(
            name="M/G/1, empirical",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "empirical", "values": [0.5, 1.0, 3.0], "weights": [5, 3, 1.5]}),
            truth={"desk.wait": theory_queues.pollaczek_khinchine(lam, 10 / 9.5, (5 * 0.25 + 3 + 1.5 * 9) / 9.5)},
            horizon_s=6000.0,
            warmup_s=500.0,
        ),
        Case(
            name="D/M/1",
            source="Kendall 1953; Kleinrock 1975, 6.4",
            blocks={"in": {"kind": "source", "every": 1.25, "next": "desk"}, "desk": server(exp(1))},
            truth={"desk.wait": theory_queues.gim1_wait(lambda s: math.exp(-1.25 * s), 1)},
        ),
        Case(
            name="E2/M/1",
            source="Kendall 1953; Kleinrock 1975, 6.4",
            blocks={
                "in": {"kind": "source", "every": {"kind": "erlang", "mean": 1.25, "k": 2}, "next": "desk"},
                "desk": server(exp(1)),
            },
            truth={"desk.wait": theory_queues.gim1_wait(lambda s: (1.6 / (1.6 + s)) ** 2, 1)},
            horizon_s=5000.0,
        ),
        Case(
            name="G/G/1, uniform and uniform: bounds",
            source="Kingman 1962; Marshall 1968",
            blocks={
                "in": {"kind": "source", "every": {"kind": "uniform", "low": 0, "high": 2.5}, "next": "desk"},
                "desk": server({"kind": "uniform", "low": 0, "high": 2}),
            },
            truth={
                "desk.wait": Between(
                    theory_queues.marshall_bound(0.8, 6.25 / 12, 4 / 12, 0.8),
                    theory_queues.kingman_bound(0.8, 6.25 / 12, 4 / 12, 0.8),
                )
            },
        ),
        Case(
            name="M^[X]/M/1, two or four at once",
            source="Gross & Harris 2008, 3.1",
            blocks={
                "in": arrivals(0.22, "desk", size={"kind": "empirical", "values": [2, 4]}),
                "desk": server(exp(1)),
            },
            truth={"desk.number": theory_queues.bulk_number(0.22, 1, 3, 10)},
            horizon_s=5000.0,
            warmup_s=500.0,
        ),
        Case(
            name="M^[X]/M/1, geometric",
            source="Gross & Harris 2008, 3.1",
            blocks={"in": arrivals(0.3, "desk", size={"kind": "geometric", "mean": 2}), "desk": server(exp(1))},
            truth={
                "desk.number": theory_queues.bulk_number(0.3, 1, 2, 6),
                "desk.wait": theory_queues.bulk_number(0.3, 1, 2, 6) / 0.6 - 1,
            },
            horizon_s=5000.0,
            warmup_s=500.0,
        ),
    ]
