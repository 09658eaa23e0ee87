"""The textbook cases: a model, what the book says of its figures, and which book. All mean service times are 1 s or near."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from simulation.blocks.draws import Hyperexponential
from simulation.validation import theory as book
from simulation.validation.case import Between, Case, Raw, arrivals, exp, failing, machine, one_desk, server
from simulation.validation.cases_together import cases_together


def cases() -> list[Case]:
    """Give all cases."""
    return [
        *_exponential(),
        *_general(),
        *_disciplines(),
        *_priorities(),
        *_interrupted(),
        *_networks(),
        *_lines(),
        *_unreliable(),
        *_blocks(),
        *cases_together(),
    ]


def _exponential() -> list[Case]:
    lam, shares_mm25, shares_mm14 = 0.7, book.mmck(1.6, 1, 2, 5), book.mmck(0.8, 1, 1, 4)
    impatient = book.erlang_a(2.2, 1, 0.5, 2)
    down = book.finite_source(0.25, 1, 2, 6)
    return [
        Case(
            name="M/M/1",
            source="Kleinrock 1975, 3.2 and 5.7",
            blocks=one_desk(lam, exp(1)),
            truth={
                "desk.wait": book.mm1_wait(lam, 1),
                "desk.number": lam / (1 - lam),
                "desk.states.busy": lam,
                "desk.wait_p95": book.mm1_wait_percentile(lam, 1, 0.95),
                "desk.at.2": (1 - lam) * lam**2,
            },
        ),
        Case(
            name="M/M/3",
            source="Erlang 1917; Gross & Harris 2008, 2.3",
            blocks=one_desk(2.1, exp(1), channels=3, target_s=0.5),
            truth={
                "desk.wait": book.mmc_wait(2.1, 1, 3),
                "desk.delayed_share": book.erlang_c(2.1, 3),
                "desk.in_time_share": 1 - book.erlang_c(2.1, 3) * math.exp(-(3 - 2.1) * 0.5),
            },
            horizon_s=1700.0,
            warmup_s=200.0,
        ),
        Case(
            name="M/M/2/5",
            source="Gross & Harris 2008, 2.4",
            blocks=one_desk(1.6, exp(1), channels=2, queue=3, full="lose"),
            truth={"desk.lost_share": shares_mm25[5], "desk.number": book.number(shares_mm25)},
            horizon_s=1700.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M/1/4",
            source="Gross & Harris 2008, 2.4",
            blocks=one_desk(0.8, exp(1), queue=3, full="lose"),
            truth={"desk.lost_share": shares_mm14[4], "desk.queue": book.waiting(shares_mm14, 1)},
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
            truth={"desk.lost_share": book.erlang_b(4.0, 5)},
            horizon_s=800.0,
            warmup_s=50.0,
        ),
        Case(
            name="M/G/5/5, Erlang B does not feel the law of service",
            source="Sevastyanov 1957; Gross & Harris 2008, 5.2",
            blocks=one_desk(4.0, {"kind": "lognormal", "mean": 1, "cv": 1.5}, channels=5, queue=0, full="lose"),
            truth={"desk.lost_share": book.erlang_b(4.0, 5)},
            horizon_s=800.0,
            warmup_s=50.0,
        ),
        Case(
            name="M/M/2+M, who waits too long gives up",
            source="Palm 1957; Garnett, Mandelbaum & Reiman 2002",
            blocks=one_desk(2.2, exp(1), channels=2, patience=exp(2)),
            truth={
                "desk.number": book.number(impatient),
                "desk.throughput": 2.2 - 0.5 * book.waiting(impatient, 2),
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
            truth={"crew.number": book.number(down), "crew.throughput": 0.25 * (6 - book.number(down))},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
    ]


def _general() -> list[Case]:
    lam, h2 = 0.7, Hyperexponential.balanced(1, 1.5)
    h2_third = sum(6 * p * m**3 for p, m in zip(h2.weights, h2.means, strict=True))
    return [
        Case(
            name="M/D/1",
            source="Erlang 1909; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, 1),
            truth={
                "desk.wait": book.pollaczek_khinchine(lam, 1, 1),
                "desk.wait_deviation": book.deviation(
                    book.pollaczek_khinchine(lam, 1, 1), book.wait_second_moment(lam, 1, 1, 1)
                ),
            },
        ),
        Case(
            name="M/E3/1",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "erlang", "mean": 1, "k": 3}),
            truth={"desk.wait": book.pollaczek_khinchine(lam, 1, 4 / 3)},
        ),
        Case(
            name="M/G/1, lognormal",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "lognormal", "mean": 1, "cv": 0.8}),
            truth={"desk.wait": book.pollaczek_khinchine(lam, 1, 1.64)},
        ),
        Case(
            name="M/H2/1",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(0.6, {"kind": "hyperexponential", "mean": 1, "cv": 1.5}),
            truth={
                "desk.wait": book.pollaczek_khinchine(0.6, 1, 3.25),
                "desk.wait_deviation": book.deviation(
                    book.pollaczek_khinchine(0.6, 1, 3.25), book.wait_second_moment(0.6, 1, 3.25, h2_third)
                ),
            },
            horizon_s=6000.0,
            warmup_s=500.0,
        ),
        Case(
            name="M/G/1, triangular",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "triangular", "low": 0.2, "mode": 0.8, "high": 2.0}),
            truth={"desk.wait": book.pollaczek_khinchine(lam, 1, 1 + (0.04 + 0.64 + 4 - 0.16 - 0.4 - 1.6) / 18)},
        ),
        Case(
            name="M/G/1, empirical",
            source="Pollaczek 1930, Khinchine 1932; Kleinrock 1975, 5.6",
            blocks=one_desk(lam, {"kind": "empirical", "values": [0.5, 1.0, 3.0], "weights": [5, 3, 1.5]}),
            truth={"desk.wait": book.pollaczek_khinchine(lam, 10 / 9.5, (5 * 0.25 + 3 + 1.5 * 9) / 9.5)},
            horizon_s=6000.0,
            warmup_s=500.0,
        ),
        Case(
            name="D/M/1",
            source="Kendall 1953; Kleinrock 1975, 6.4",
            blocks={"in": {"kind": "source", "every": 1.25, "next": "desk"}, "desk": server(exp(1))},
            truth={"desk.wait": book.gim1_wait(lambda s: math.exp(-1.25 * s), 1)},
        ),
        Case(
            name="E2/M/1",
            source="Kendall 1953; Kleinrock 1975, 6.4",
            blocks={
                "in": {"kind": "source", "every": {"kind": "erlang", "mean": 1.25, "k": 2}, "next": "desk"},
                "desk": server(exp(1)),
            },
            truth={"desk.wait": book.gim1_wait(lambda s: (1.6 / (1.6 + s)) ** 2, 1)},
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
                    book.marshall_bound(0.8, 6.25 / 12, 4 / 12, 0.8), book.kingman_bound(0.8, 6.25 / 12, 4 / 12, 0.8)
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
            truth={"desk.number": book.bulk_number(0.22, 1, 3, 10)},
            horizon_s=5000.0,
            warmup_s=500.0,
        ),
        Case(
            name="M^[X]/M/1, geometric",
            source="Gross & Harris 2008, 3.1",
            blocks={"in": arrivals(0.3, "desk", size={"kind": "geometric", "mean": 2}), "desk": server(exp(1))},
            truth={
                "desk.number": book.bulk_number(0.3, 1, 2, 6),
                "desk.wait": book.bulk_number(0.3, 1, 2, 6) / 0.6 - 1,
            },
            horizon_s=5000.0,
            warmup_s=500.0,
        ),
    ]


def _disciplines() -> list[Case]:
    lam = 0.7
    wait = book.mm1_wait(lam, 1)
    fifo = book.wait_second_moment(lam, 1, 2, 6)
    return [
        Case(
            name="M/M/1, last come first served: the same mean, a larger variance",
            source="Takacs 1963; Kleinrock 1976, 3.6",
            blocks=one_desk(lam, exp(1), discipline="lifo"),
            truth={"desk.wait": wait, "desk.wait_deviation": book.deviation(wait, fifo / (1 - lam))},
            horizon_s=6000.0,
        ),
        Case(
            name="M/M/1, in random order",
            source="Kingman 1962; Takacs 1963",
            blocks=one_desk(lam, exp(1), discipline="random"),
            truth={"desk.wait": wait, "desk.wait_deviation": book.deviation(wait, fifo * 2 / (2 - lam))},
        ),
        Case(
            name="M/G/1, last come first served, preemptive resume: M/M/1's number whatever the law",
            source="Kelly 1979, 3.3; Baskett et al. 1975",
            blocks=one_desk(0.6, {"kind": "erlang", "mean": 1, "k": 2}, discipline="lifo", preempt="resume"),
            truth={"desk.number": 0.6 / 0.4, "desk.sojourn": 1 / 0.4, "desk.at.1": 0.4 * 0.6},
        ),
        Case(
            name="M/G/1, processor sharing: M/M/1's number whatever the law",
            source="Sakata, Noguchi & Oizumi 1971; Kelly 1979, 3.3",
            blocks=one_desk(0.6, {"kind": "uniform", "low": 0, "high": 2}, discipline="shared"),
            truth={"desk.number": 0.6 / 0.4, "desk.sojourn": 1 / 0.4, "desk.at.0": 0.4},
        ),
        Case(
            name="M/M/1, shortest job first",
            source="Phipps 1956",
            blocks=one_desk(lam, exp(1), discipline="shortest"),
            truth={"desk.wait": book.shortest_job_wait(lam, 1)},
        ),
        Case(
            name="M/M/1, shortest remaining work first",
            source="Schrage & Miller 1966",
            blocks=one_desk(lam, exp(1), discipline="shortest", preempt="resume"),
            truth={"desk.sojourn": book.shortest_remaining_sojourn(lam, 1)},
        ),
    ]


CLASSES = {"first": {"priority": 1}, "second": {"priority": 2}}


def _two_classes(lams: Sequence[float], service: Raw, **more: Any) -> Raw:
    """Say a server for two classes, whose waits are seen behind ways of their own."""
    mix = {"first": lams[0], "second": lams[1]}
    return {
        "in": arrivals(sum(lams), "desk", mix=mix),
        "desk": {**server(exp(1), "out"), **service, **more},
    }


def _priorities() -> list[Case]:
    lams = (0.3, 0.4)
    nonpreemptive = book.cobham(lams, (1, 1), (2, 2))
    mixed = book.cobham((0.4, 0.15), (0.5, 2.0), (0.25, 8.0))
    resume = book.preemptive_resume(lams, (1, 1), (2, 2))
    resume_mixed = book.preemptive_resume((0.4, 0.15), (0.5, 2.0), (0.25, 6.0))
    channels = book.cobham_channels((0.8, 0.7), 1, 2)
    loss, high, low = book.priorities_with_loss((0.4, 0.5), 1, 3)
    high_failing, low_failing = book.priorities_on_failing_channels((0.4, 0.5), 1, 0.1, 0.5, 2)
    by_class = {"kind": "divert", "rule": "class", "by_class": {"second": "desk"}, "next": "out"}
    unlike = {"service_by_class": {"first": 0.5, "second": exp(2)}}
    unlike_erlang = {"service_by_class": {"first": 0.5, "second": {"kind": "erlang", "mean": 2, "k": 2}}}
    return [
        Case(
            name="M/M/1, priorities without preemption",
            source="Cobham 1954; Kleinrock 1976, 3.3",
            classes=CLASSES,
            blocks=_two_classes(lams, {}),
            truth={"classes.first.flow": nonpreemptive[0] + 1, "classes.second.flow": nonpreemptive[1] + 1},
        ),
        Case(
            name="M/G/1, priorities without preemption, unlike services",
            source="Cobham 1954; Kleinrock 1976, 3.3",
            classes=CLASSES,
            blocks=_two_classes((0.4, 0.15), unlike),
            truth={"classes.first.flow": mixed[0] + 0.5, "classes.second.flow": mixed[1] + 2},
            horizon_s=5000.0,
        ),
        Case(
            name="M/M/1, priorities, preemptive resume",
            source="White & Christie 1958; Kleinrock 1976, 3.4",
            classes=CLASSES,
            blocks=_two_classes(lams, {}, preempt="resume"),
            truth={"classes.first.flow": resume[0], "classes.second.flow": resume[1]},
        ),
        Case(
            name="M/G/1, priorities, preemptive resume, unlike services",
            source="Miller 1960; Kleinrock 1976, 3.4",
            classes=CLASSES,
            blocks=_two_classes((0.4, 0.15), unlike_erlang, preempt="resume"),
            truth={"classes.first.flow": resume_mixed[0], "classes.second.flow": resume_mixed[1]},
            horizon_s=5000.0,
        ),
        Case(
            name="M/M/1, priorities, preemptive with a new time: as resume, for exponentials",
            source="Gaver 1962",
            classes=CLASSES,
            blocks=_two_classes(lams, {}, preempt="restart"),
            truth={"classes.first.flow": resume[0], "classes.second.flow": resume[1]},
        ),
        Case(
            name="M/M/2, priorities without preemption",
            source="Cobham 1954; Davis 1966",
            classes=CLASSES,
            blocks=_two_classes((0.8, 0.7), {}, channels=2),
            truth={"classes.first.flow": channels[0] + 1, "classes.second.flow": channels[1] + 1},
            horizon_s=2200.0,
            warmup_s=300.0,
        ),
        Case(
            name="M/M/1/3, preemptive priorities: who finds it full is lost whatever his class",
            source="chain",
            classes=CLASSES,
            blocks=_two_classes((0.4, 0.5), {}, preempt="resume", queue=2, full="lose"),
            truth={"desk.lost_share": loss, "desk.number": high + low, "classes.first.flow": high / (0.4 * (1 - loss))},
            warmup_s=100.0,
        ),
        Case(
            name="M/M/2, preemptive priorities, channels that fail at any time",
            source="chain",
            classes=CLASSES,
            blocks=_two_classes(
                (0.4, 0.5), {}, channels=2, preempt="resume", failures=failing("time", exp(10), exp(2), passed_on=True)
            ),
            truth={"classes.first.flow": high_failing / 0.4, "classes.second.flow": low_failing / 0.5},
        ),
        Case(
            name="low work that is always there, broken off and repeated with the same time",
            source="Gaver 1962 (preemptive repeat identical)",
            classes=CLASSES,
            blocks={
                "in": arrivals(0.3, "desk", mix={"first": 1.0}),
                "desk": server(
                    exp(1), "part", service_by_class={"first": 0.5}, preempt="repeat", initial={"second": 1}
                ),
                "part": by_class,
            },
            truth={
                "desk.throughput": 0.3 + book.repeated_rate(0.3, 0.5, 1),
                "classes.first.flow": 0.5 + 0.3 * 0.25 / (2 * 0.85),
            },
            horizon_s=4000.0,
            warmup_s=100.0,
        ),
    ]


def _interrupted() -> list[Case]:
    lam = 0.6
    return [
        Case(
            name="M/M/1 with a setup after each idle time",
            source="Welch 1964; Levy & Kleinrock 1986",
            blocks=one_desk(lam, exp(1), setup=exp(1.5), setup_when="idle"),
            truth={"desk.wait": book.setup_wait(lam, 1, 2, 1.5, 4.5)},
        ),
        Case(
            name="M/E2/1 with multiple vacations",
            source="Levy & Yechiali 1975; Doshi 1986",
            blocks=one_desk(
                lam, {"kind": "erlang", "mean": 1, "k": 2}, vacation={"kind": "uniform", "low": 0, "high": 3}
            ),
            truth={"desk.wait": book.vacation_wait(lam, 1, 1.5, 1.5, 3), "desk.states.busy": lam},
        ),
        Case(
            name="M/M/1 with single vacations",
            source="Levy & Yechiali 1975",
            blocks=one_desk(lam, exp(1), vacation=exp(2), vacations="single"),
            truth={"desk.wait": book.single_vacation_wait(lam, 1, 2, 2, 8, lambda s: 1 / (1 + 2 * s))},
        ),
        Case(
            name="M/M/1 that fails at work",
            source="Gaver 1962; Avi-Itzhak & Naor 1963, A",
            blocks=one_desk(0.5, exp(1), failures=failing("busy", exp(10), exp(3))),
            truth={"desk.number": book.breaking_while_busy(0.5, 1, 0.1, 1 / 3), "desk.states.down": 0.5 * 0.3},
            horizon_s=5000.0,
        ),
        Case(
            name="M/M/1 that fails at any time",
            source="Avi-Itzhak & Naor 1963, B",
            blocks=one_desk(0.5, exp(1), failures=failing("time", exp(10), exp(3))),
            truth={"desk.number": book.breaking_at_any_time(0.5, 1, 0.1, 1 / 3), "desk.states.down": 3 / 13},
            horizon_s=5000.0,
        ),
        Case(
            name="M/M/1/3 that fails at any time",
            source="chain",
            blocks=one_desk(0.6, exp(1), queue=2, full="lose", failures=failing("time", exp(10), exp(3))),
            truth=dict(
                zip(("desk.lost_share", "desk.number"), book.failing_with_loss(0.6, 1, 0.1, 1 / 3, 3), strict=True)
            ),
            warmup_s=100.0,
        ),
        Case(
            name="M/M/2 whose channels fail at any time, work goes on at the other",
            source="Mitrany & Avi-Itzhak 1968",
            blocks=one_desk(1.1, exp(1), channels=2, failures=failing("time", exp(10), exp(3), passed_on=True)),
            truth={"desk.number": book.breaking_at_any_time(1.1, 1, 0.1, 1 / 3, channels=2)},
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
            truth={"mill.states.down": book.number(book.finite_source(1 / 8, 1 / 2, 1, 4)) / 4},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
    ]


def _networks() -> list[Case]:
    rates = book.traffic((0.5, 0.2, 0.0), ((0, 0.6, 0.4), (0, 0, 1.0), (0.2, 0, 0)))
    mus = (1.0, 1.0, 1.25)
    numbers = [rate / (mu - rate) for rate, mu in zip(rates, mus, strict=True)]
    rate, at_node = book.mean_value_analysis((0.7 * 1.0, 0.3 * 2.0, 0.5), 6)
    thinking_rate, thinking_at = book.mean_value_analysis((0.8, 0.5), 8, thinking=5.0)
    loss, second_use = book.ordered_entry(0.9, 1, 1)
    return [
        Case(
            name="open network of three with feedback",
            source="Jackson 1957; Gross & Harris 2008, 4.2",
            blocks={
                "in-a": arrivals(0.5, "a"),
                "in-b": arrivals(0.2, "b"),
                "a": server(exp(1), {"b": 0.6, "c": 0.4}),
                "b": server(exp(1), "c"),
                "c": server(exp(0.8), {"a": 0.2, "out": 0.8}),
            },
            truth={"a.number": numbers[0], "b.number": numbers[1], "c.number": numbers[2], "flow": sum(numbers) / 0.7},
            horizon_s=4000.0,
            warmup_s=500.0,
        ),
        Case(
            name="M/M/1 with feedback",
            source="Jackson 1957; Takacs 1963",
            blocks=one_desk(0.45, exp(1), next_={"desk": 0.4, "out": 0.6}),
            truth={"desk.number": 0.75 / 0.25, "flow": 0.75 / 0.25 / 0.45},
            horizon_s=6000.0,
            warmup_s=500.0,
        ),
        Case(
            name="two in a row: what leaves M/M/1 is Poisson",
            source="Burke 1956",
            blocks={"in": arrivals(0.6, "a"), "a": server(exp(1), "b"), "b": server(exp(1.25))},
            truth={"b.number": 0.75 / 0.25, "flow": 1 / 0.4 + 1 / 0.2},
            horizon_s=6000.0,
            warmup_s=500.0,
        ),
        Case(
            name="closed network of three, six customers",
            source="Gordon & Newell 1967; Reiser & Lavenberg 1980",
            blocks={
                "c": server(exp(0.5), {"a": 0.7, "b": 0.3}, initial={"": 6}),
                "a": server(exp(1), "c"),
                "b": server(exp(2), "c"),
            },
            truth={"c.throughput": rate, "a.number": at_node[0], "b.number": at_node[1], "c.number": at_node[2]},
            horizon_s=1800.0,
            warmup_s=200.0,
        ),
        Case(
            name="closed network with thinking, eight customers",
            source="Reiser & Lavenberg 1980; Lazowska et al. 1984, 6",
            blocks={
                "think": server({"kind": "erlang", "mean": 5, "k": 2}, "a", channels=math.inf, initial={"": 8}),
                "a": server(exp(0.8), "b"),
                "b": server(exp(0.5), "think"),
            },
            truth={"a.throughput": thinking_rate, "a.number": thinking_at[0]},
            horizon_s=2000.0,
            warmup_s=200.0,
        ),
        Case(
            name="a Poisson stream divided stays Poisson, and joined as well",
            source="Kleinrock 1975, 2.4",
            blocks={
                "in-a": arrivals(0.5, "join"),
                "in-b": arrivals(0.6, "join"),
                "join": {"kind": "merge", "next": "part"},
                "part": {"kind": "divert", "next": {"left": 0.4, "right": 0.6}},
                "left": server(exp(1)),
                "right": server(exp(1)),
            },
            truth={"left.wait": book.mm1_wait(0.44, 1), "right.wait": book.mm1_wait(0.66, 1)},
        ),
        Case(
            name="arrivals join the shorter of two",
            source="Kingman 1961; Cohen 1998",
            blocks={
                "in": arrivals(1.4, "choose"),
                "choose": {"kind": "divert", "rule": "shortest", "to": ["left", "right"]},
                "left": server(exp(1)),
                "right": server(exp(1)),
            },
            truth={"wip": book.shortest_queue_number(1.4, 1)},
            horizon_s=2400.0,
            warmup_s=300.0,
        ),
        Case(
            name="what the first server cannot take overflows to the second",
            source="Disney 1962; Cooper 1981, 4",
            blocks={
                "in": arrivals(0.9, "first"),
                "first": server(exp(1), queue=0, overflow="second"),
                "second": server(exp(1), queue=0, full="lose"),
            },
            truth={"second.number": second_use, "first.number": 0.9 / 1.9, "throughput": 0.9 * (1 - loss)},
            warmup_s=100.0,
        ),
    ]


def _lines() -> list[Case]:
    loss, number = book.tandem_with_loss(0.7, (1, 1), (3, 2))
    even = {"kind": "source", "next": "a"}
    return [
        Case(
            name="two stations, two places between, arrivals lost: blocking after service",
            source="Perros 1994, 3; chain",
            blocks={
                "in": arrivals(0.7, "a", blocked="lose"),
                "a": server(exp(1), "b", queue=2),
                "b": server(exp(1), queue=1),
            },
            truth={"in.lost_share": loss, "wip": number},
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of two, no place between",
            source="Hunt 1956",
            blocks={"in": even, "a": machine(exp(1), "b"), "b": machine(exp(1))},
            truth={"throughput": 2 / 3, "a.states.blocked": 1 / 3, "b.states.starved": 1 / 3},
            horizon_s=2500.0,
            warmup_s=50.0,
        ),
        Case(
            name="saturated line of two, four places between, unlike rates",
            source="Hunt 1956; Buzacott & Shanthikumar 1993, 5",
            blocks={
                "in": even,
                "a": machine(exp(1), "store"),
                "store": {"kind": "buffer", "capacity": 4, "next": "b"},
                "b": machine(exp(1.25)),
            },
            truth={"throughput": book.two_stations((1, 0.8), 4)},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of two, two places between, blocking before service",
            source="Perros 1994, 3; Onvural 1990",
            blocks={"in": even, "a": machine(exp(1), "b", blocking="before"), "b": machine(exp(1), queue=1)},
            truth={"throughput": book.two_stations((1, 1), 1, is_before=True)},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of three, no places between",
            source="Hunt 1956: 22/39",
            blocks={"in": even, "a": machine(exp(1), "b"), "b": machine(exp(1), "c"), "c": machine(exp(1))},
            truth={"throughput": book.three_stations((1, 1, 1))},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of three, unlike rates",
            source="Hunt 1956; chain",
            blocks={"in": even, "a": machine(exp(1), "b"), "b": machine(exp(0.8), "c"), "c": machine(exp(1.25))},
            truth={"throughput": book.three_stations((1, 1.25, 0.8))},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of four, one and two places between",
            source="Perros 1994, 6; chain",
            blocks={
                "in": even,
                "a": machine(exp(1), "b"),
                "b": machine(exp(0.9), "c", queue=1),
                "c": machine(exp(1.1), "d", queue=2),
                "d": machine(exp(0.8), queue=1),
            },
            truth={"throughput": book.blocking_ring((1, 1 / 0.9, 1 / 1.1, 1.25), (1, 2, 3, 2))},
            horizon_s=2500.0,
            warmup_s=200.0,
        ),
        Case(
            name="two saturated machines into one, by turns when both wait",
            source="chain",
            blocks={
                "in-a": even,
                "in-b": {"kind": "source", "next": "b"},
                "a": machine(exp(1), "join"),
                "b": machine(exp(1), "join"),
                "join": {"kind": "merge", "rule": "turns", "order": ["a", "b"], "next": "c"},
                "c": machine(exp(1 / 1.5)),
            },
            truth={"throughput": book.two_into_one((1, 1.5)), "a.throughput": book.two_into_one((1, 1.5)) / 2},
            horizon_s=2000.0,
            warmup_s=50.0,
        ),
        Case(
            name="one saturated machine into two by chance: it waits for the one that was drawn",
            source="chain",
            blocks={
                "in": even,
                "a": machine(exp(1), {"b": 0.5, "c": 0.5}),
                "b": machine(exp(1 / 0.6)),
                "c": machine(exp(1 / 0.6)),
            },
            truth={"throughput": book.one_into_two((1, 0.6))},
            horizon_s=2500.0,
            warmup_s=50.0,
        ),
        Case(
            name="closed ring of three machines, five pallets",
            source="Onvural & Perros 1989; chain",
            blocks={
                "a": machine(exp(1), "b", queue=2, initial={"": 3}),
                "b": machine(exp(0.8), "c", queue=1, initial={"": 2}),
                "c": machine(exp(1.2), "a", queue=1),
            },
            truth={"c.throughput": book.blocking_ring((1, 1.25, 1 / 1.2), (3, 2, 2), 5)},
            horizon_s=2500.0,
            warmup_s=200.0,
        ),
        Case(
            name="saturated line with times that do not vary: the slowest sets the pace",
            source="Hopp & Spearman 2008, 7",
            blocks={"in": even, "a": machine(1, "b"), "b": machine(2, "c"), "c": machine(1.5)},
            truth={
                "throughput": 0.5, "a.states.blocked": 0.5, "b.states.busy": 1.0, "c.states.starved": 0.25,
                "b.oee.index": 1.0,
            },
            horizon_s=1000.0,
            warmup_s=100.0,
            replications=2,
        ),
    ]  # fmt: skip


def _unreliable() -> list[Case]:
    even = {"kind": "source", "next": "a"}
    level_rate, level = book.gershwin_two_machines((0.1, 0.1), (0.3, 0.2), 4)
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
            truth={"throughput": book.exponential_two_machines((1, 1), (0.05, 0.1), (0.2, 0.25), 3)},
            horizon_s=5000.0,
            warmup_s=200.0,
        ),
    ]


def _blocks() -> list[Case]:
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
