"""Textbook cases of servers that are set up, go away or fail, and of lines of machines that fail."""

from __future__ import annotations

from simulation.validation import theory_queues, theory_unreliable
from simulation.validation.case import Case, exp, failing, machine, one_desk


def interrupted() -> list[Case]:
    """Give the cases: one station that is set up, goes away or fails."""
    lam = 0.6
    return [
        Case(
            name="M/M/1 with a setup after each idle time",
            source="Welch 1964; Levy & Kleinrock 1986",
            blocks=one_desk(lam, exp(1), setup=exp(1.5), setup_when="idle"),
            truth={"desk.wait": theory_unreliable.setup_wait(lam, 1, 2, 1.5, 4.5)},
        ),
        Case(
            name="M/E2/1 with multiple vacations",
            source="Levy & Yechiali 1975; Doshi 1986",
            blocks=one_desk(
                lam, {"kind": "erlang", "mean": 1, "k": 2}, vacation={"kind": "uniform", "low": 0, "high": 3}
            ),
            truth={"desk.wait": theory_unreliable.vacation_wait(lam, 1, 1.5, 1.5, 3), "desk.states.busy": lam},
        ),
        Case(
            name="M/M/1 with single vacations",
            source="Levy & Yechiali 1975",
            blocks=one_desk(lam, exp(1), vacation=exp(2), vacations="single"),
            truth={"desk.wait": theory_unreliable.single_vacation_wait(lam, 1, 2, 2, 8, lambda s: 1 / (1 + 2 * s))},
        ),
        Case(
            name="M/M/1 that fails at work",
            source="Gaver 1962; Avi-Itzhak & Naor 1963, A",
            blocks=one_desk(0.5, exp(1), failures=failing("busy", exp(10), exp(3))),
            truth={
                "desk.number": theory_unreliable.breaking_while_busy(0.5, 1, 0.1, 1 / 3),
                "desk.states.down": 0.5 * 0.3,
            },
            horizon_s=5000.0,
        ),
        Case(
            name="M/M/1 that fails at any time",
            source="Avi-Itzhak & Naor 1963, B",
            blocks=one_desk(0.5, exp(1), failures=failing("time", exp(10), exp(3))),
            truth={
                "desk.number": theory_unreliable.breaking_at_any_time(0.5, 1, 0.1, 1 / 3),
                "desk.states.down": 3 / 13,
            },
            horizon_s=5000.0,
        ),
        Case(
            name="M/M/1/3 that fails at any time",
            source="chain",
            blocks=one_desk(0.6, exp(1), queue=2, full="lose", failures=failing("time", exp(10), exp(3))),
            truth=dict(
                zip(
                    ("desk.lost_share", "desk.number"),
                    theory_unreliable.failing_with_loss(0.6, 1, 0.1, 1 / 3, 3),
                    strict=True,
                )
            ),
            warmup_s=100.0,
        ),
        Case(
            name="M/M/2 whose channels fail at any time, work goes on at the other",
            source="Mitrany & Avi-Itzhak 1968",
            blocks=one_desk(1.1, exp(1), channels=2, failures=failing("time", exp(10), exp(3), passed_on=True)),
            truth={"desk.number": theory_unreliable.breaking_at_any_time(1.1, 1, 0.1, 1 / 3, channels=2)},
            horizon_s=4000.0,
        ),
        Case(
            name="four machines, one repairman as an operator",
            source="Palm 1947; Gross & Harris 2008, 2.7",
            blocks={
                "fitter": {"kind": "operator"},
                "in": {"kind": "source", "next": "mill"},
                "mill": machine(
                    0.5,
                    channels=4,
                    operator="fitter",
                    operator_for="stops",
                    failures=failing("busy", exp(8), exp(2), operator=True),
                ),
            },
            truth={"mill.states.down": theory_queues.number(theory_queues.finite_source(1 / 8, 1 / 2, 1, 4)) / 4},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
    ]


def unreliable() -> list[Case]:
    """Give the cases: machines that fail, alone and in line."""
    even = {"kind": "source", "next": "a"}
    level_rate, level = theory_unreliable.gershwin_two_machines((0.1, 0.1), (0.3, 0.2), 4)
    geometric = {"kind": "geometric", "mean": 10}
    return [
        Case(
            name="availability, failing at any time",
            source="Barlow & Proschan 1965, 3",
            blocks={
                "in": even,
                "a": machine(0.8, failures=failing("time", exp(20), {"kind": "lognormal", "mean": 5, "cv": 1})),
            },
            truth={"a.states.down": 0.2, "throughput": 0.8 / 0.8},
            horizon_s=5000.0,
            warmup_s=100.0,
        ),
        Case(
            name="effective rate, failing at work in two ways",
            source="Hopp & Spearman 2008, 8.4",
            blocks={
                "in": even,
                "a": machine(
                    {"kind": "erlang", "mean": 0.8, "k": 4},
                    failures=[
                        *failing("busy", exp(20), exp(5)),
                        *failing("busy", {"kind": "weibull", "mean": 40, "shape": 2}, 4),
                    ],
                ),
            },
            truth={"throughput": 1 / (0.8 * 1.35), "a.states.down": 0.35 / 1.35},
            horizon_s=5000.0,
            warmup_s=100.0,
        ),
        Case(
            name="effective rate, failing by cycles",
            source="Buzacott & Shanthikumar 1993, 6",
            blocks={"in": even, "a": machine(1, failures=failing("cycles", 25, exp(5)))},
            truth={"throughput": 25 / 30, "a.states.down": 5 / 30},
            horizon_s=3000.0,
            warmup_s=100.0,
        ),
        Case(
            name="line of three unreliable machines of one cycle, no places between",
            source="Buzacott 1968; Gershwin 1994",
            blocks={
                "in": even,
                "a": machine(1, "b", failures=failing("busy", exp(60), exp(6))),
                "b": machine(1, "c", failures=failing("busy", exp(30), exp(6))),
                "c": machine(1, failures=failing("busy", exp(120), exp(6))),
            },
            truth={"throughput": 1 / (1 + 6 / 60 + 6 / 30 + 6 / 120), "b.states.down": 0.2 / 1.35},
            horizon_s=3000.0,
            warmup_s=50.0,
        ),
        Case(
            name="line of two unreliable machines of one cycle",
            source="Buzacott 1967; Gershwin 1994, 3.2",
            blocks={
                "in": even,
                "a": machine(
                    1,
                    "b",
                    blocking="before",
                    failures=failing("cycles", geometric, {"kind": "geometric", "mean": 10 / 3}),
                ),
                "b": machine(1, queue=3, failures=failing("cycles", geometric, {"kind": "geometric", "mean": 5})),
            },
            truth={"throughput": level_rate, "b.number": level},
            horizon_s=5000.0,
            warmup_s=200.0,
        ),
        Case(
            name="line of two unreliable machines, all exponential",
            source="Gershwin & Berman 1981; Buzacott & Shanthikumar 1993, 6",
            blocks={
                "in": even,
                "a": machine(exp(1), "store", failures=failing("busy", exp(20), exp(5))),
                "store": {"kind": "buffer", "capacity": 3, "next": "b"},
                "b": machine(exp(1), failures=failing("busy", exp(10), exp(4))),
            },
            truth={"throughput": theory_unreliable.exponential_two_machines((1, 1), (0.05, 0.1), (0.2, 0.25), 3)},
            horizon_s=5000.0,
            warmup_s=200.0,
        ),
    ]
