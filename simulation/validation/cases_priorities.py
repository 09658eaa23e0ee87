"""Textbook cases of orders in which a queue is served: disciplines and priorities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulation.validation import theory_priorities, theory_queues, theory_unreliable
from simulation.validation.case import Case, Raw, arrivals, exp, failing, one_desk, server


def disciplines() -> list[Case]:
    """Give the cases: orders of service among equals."""
    lam = 0.7
    wait = theory_queues.mm1_wait(lam, 1)
    fifo = theory_queues.wait_second_moment(lam, 1, 2, 6)
    return [
        Case(
            name="M/M/1, last come first served: the same mean, a larger variance",
            source="Takacs 1963; Kleinrock 1976, 3.6",
            blocks=one_desk(lam, exp(1), discipline="lifo"),
            truth={"desk.wait": wait, "desk.wait_deviation": theory_queues.deviation(wait, fifo / (1 - lam))},
            horizon_s=6000.0,
        ),
        Case(
            name="M/M/1, in random order",
            source="Kingman 1962; Takacs 1963",
            blocks=one_desk(lam, exp(1), discipline="random"),
            truth={"desk.wait": wait, "desk.wait_deviation": theory_queues.deviation(wait, fifo * 2 / (2 - lam))},
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
            truth={"desk.wait": theory_queues.shortest_job_wait(lam, 1)},
        ),
        Case(
            name="M/M/1, shortest remaining work first",
            source="Schrage & Miller 1966",
            blocks=one_desk(lam, exp(1), discipline="shortest", preempt="resume"),
            truth={"desk.sojourn": theory_queues.shortest_remaining_sojourn(lam, 1)},
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


def priorities() -> list[Case]:
    """Give the cases: classes that go before others."""
    lams = (0.3, 0.4)
    nonpreemptive = theory_priorities.cobham(lams, (1, 1), (2, 2))
    mixed = theory_priorities.cobham((0.4, 0.15), (0.5, 2.0), (0.25, 8.0))
    ageing = theory_priorities.growing_claims(lams, (1, 1), (2, 2), (3, 1))
    three = theory_priorities.cobham((0.2, 0.2, 0.2), (0.5, 1, 2), (0.5, 1, 16 / 3))
    resume = theory_priorities.preemptive_resume(lams, (1, 1), (2, 2))
    resume_mixed = theory_priorities.preemptive_resume((0.4, 0.15), (0.5, 2.0), (0.25, 6.0))
    channels = theory_priorities.cobham_channels((0.8, 0.7), 1, 2)
    loss, high, low = theory_priorities.priorities_with_loss((0.4, 0.5), 1, 3)
    high_failing, low_failing = theory_priorities.priorities_on_failing_channels((0.4, 0.5), 1, 0.1, 0.5, 2)
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
            name="M/G/1, three classes without preemption: the wait of each at the desk",
            source="Cobham 1954; Kleinrock 1976, 3.3",
            classes={**CLASSES, "third": {"priority": 3}},
            blocks={
                "in": arrivals(0.6, "desk", mix={"first": 1.0, "second": 1.0, "third": 1.0}),
                "desk": server(
                    1, service_by_class={"first": exp(0.5), "third": {"kind": "uniform", "low": 0, "high": 4}}
                ),
            },
            truth={f"desk.classes.{name}.wait": wait for name, wait in zip((*CLASSES, "third"), three, strict=True)},
            horizon_s=5000.0,
        ),
        Case(
            name="M/M/1, claims that grow with the time of waiting, those of the first class three times as fast",
            source="Kleinrock 1964; Kleinrock 1976, 3.7",
            classes={"first": {"gain": 3.0}, "second": {"gain": 1.0}},
            blocks=_two_classes(lams, {}, discipline="ageing"),
            truth={f"desk.classes.{name}.wait": wait for name, wait in zip(CLASSES, ageing, strict=True)},
            horizon_s=3500.0,
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
            name="M/M/1 with a setup after each idle time, and priorities that break off work",
            source="Welch 1964; without memory it is the same whoever is served",
            classes=CLASSES,
            blocks=_two_classes((0.3, 0.3), {}, preempt="resume", setup=exp(1), setup_when="idle"),
            truth={
                "desk.number": 0.6 + 0.6 * theory_unreliable.setup_wait(0.6, 1, 2, 1, 2),
                "desk.states.setup": 0.4 * 0.6 / 1.6,
            },
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
                "desk.throughput": 0.3 + theory_priorities.repeated_rate(0.3, 0.5, 1),
                "classes.first.flow": 0.5 + 0.3 * 0.25 / (2 * 0.85),
            },
            horizon_s=4000.0,
            warmup_s=100.0,
        ),
    ]
