"""Textbook cases of servers that walk or let gather, and of customers who come in clusters or do not stay."""

from __future__ import annotations

import math

from simulation.validation import theory_queues
from simulation.validation import theory_together as book
from simulation.validation.case import Case, arrivals, exp, one_desk, server

THREE: dict[str, dict[str, int]] = {"x": {}, "y": {}, "z": {}}
COXIAN = {"kind": "coxian", "means": [0.6, 0.6, 0.4], "go_on": [0.5, 0.5]}


def customers() -> list[Case]:
    """Give the cases: walking servers, customers who come in clusters or do not stay."""
    return [*_walking(), *_coming(), *_staying()]


def _walking() -> list[Case]:
    walk = {"kind": "erlang", "mean": 0.3, "k": 2}
    found = []
    for rule, words in (
        ("exhaustive", "until each is empty"),
        ("gated", "those whom it finds"),
        ("limited", "one at a visit"),
    ):
        found.append(
            Case(
                name=f"polling of three queues, {words}",
                source="Takagi 1986; Boxma & Groenendijk 1987",
                classes=THREE,
                blocks={
                    "in": arrivals(0.6, "desk", mix={"x": 1.0, "y": 1.0, "z": 1.0}),
                    "desk": {
                        "kind": "polling", "order": ["x", "y", "z"], "rule": rule, "service": exp(1), "walk": walk,
                        "next": "out",
                    },
                },
                truth={"desk.wait": book.polling_wait(0.2, 1, 2, 0.3, 0.045, 3, rule), "desk.states.busy": 0.6},
                horizon_s=3000.0,
            )
        )  # fmt: skip
    return [
        *found,
        Case(
            name="M/E2/1 that begins when four are there",
            source="Yadin & Naor 1963; Heyman 1968",
            blocks=one_desk(0.6, {"kind": "erlang", "mean": 1, "k": 2}, start_at=4),
            truth={"desk.number": book.gathering_number(0.6, 1, 1.5, 4), "desk.states.busy": 0.6},
            horizon_s=3000.0,
        ),
        Case(
            name="M/M/1 that is set up when three are there",
            source="Baker 1973; Medhi & Templeton 1992",
            blocks=one_desk(0.5, exp(1), start_at=3, setup=exp(2), setup_when="idle"),
            truth={"desk.number": book.gathering_number(0.5, 1, 2, 3, (2, 8)), "desk.states.setup": 0.5 / 4},
            horizon_s=3000.0,
        ),
    ]


def _coming() -> list[Case]:
    ways = ((0.0, 0.7, 0.3), (0.5, 0.0, 0.5), (1.0, 0.0, 0.0))
    return [
        Case(
            name="MMPP/M/1, two paces",
            source="Yechiali & Naor 1971; Fischer & Meier-Hellstern 1993",
            blocks={
                "in": arrivals(
                    1.0,
                    "desk",
                    phases={"calm": {"times": 0.3, "last": exp(10)}, "rush": {"times": 1.2, "last": exp(5)}},
                ),
                "desk": server(exp(1)),
            },
            truth={
                "desk.number": book.modulated_number((0.3, 1.2), (10, 5), 1, ((0, 1), (1, 0))),
                "in.arrival_rate": 0.6,
            },
            horizon_s=5000.0,
        ),
        Case(
            name="MMPP/M/1, three paces, one of them without arrivals",
            source="Yechiali & Naor 1971; chain",
            blocks={
                "in": arrivals(
                    1.0,
                    "desk",
                    phases={
                        "calm": {"times": 0.5, "last": exp(6), "next": {"rush": 0.7, "none": 0.3}},
                        "rush": {"times": 1.1, "last": exp(4), "next": {"calm": 0.5, "none": 0.5}},
                        "none": {"times": 0.0, "last": exp(3), "next": "calm"},
                    },
                ),
                "desk": server(exp(1)),
            },
            truth={"desk.number": book.modulated_number((0.5, 1.1, 0.0), (6, 4, 3), 1, ways)},
            horizon_s=5000.0,
        ),
        Case(
            name="M/Cox/1: one phase, and at times a second and a third",
            source="Cox 1955; Kleinrock 1975, 5.6",
            blocks=one_desk(0.6, COXIAN),
            truth={"desk.wait": theory_queues.pollaczek_khinchine(0.6, 1.0, 0.36 + 0.54 + 0.86)},
            horizon_s=3000.0,
        ),
        Case(
            name="M/D/2",
            source="Crommelin 1932; chain",
            blocks=one_desk(1.5, 1, channels=2),
            truth={"desk.number": book.mdc_number(1.5, 2)},
            horizon_s=2000.0,
            warmup_s=200.0,
        ),
    ]


def _staying() -> list[Case]:
    lost, empty = book.fixed_patience(0.9, 1, 1.5)
    stay = [1 / (n + 1) for n in range(25)]
    shares = book.discouraged(1.5, 1, stay)
    return [
        Case(
            name="M/M/1+D, who has waited for a fixed time gives up",
            source="Barrer 1957; Baccelli & Hebuterne 1981",
            blocks=one_desk(0.9, exp(1), patience=1.5),
            truth={"desk.throughput": 0.9 * (1 - lost), "desk.at.0": empty},
            horizon_s=3000.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M/1, the more are there the fewer stay",
            source="Haight 1957; Gross & Harris 2008, 2.9",
            blocks=one_desk(1.5, exp(1), balk=[1 - share for share in [*stay, 0.0]]),
            truth={
                "desk.number": theory_queues.number(shares),
                "desk.throughput": 1 - shares[0],
                "desk.at.0": math.exp(-1.5),
            },
            horizon_s=2500.0,
            warmup_s=50.0,
        ),
        Case(
            name="M/M/1 whose customers try again when it is at work",
            source="Falin & Templeton 1997, 1.2",
            blocks={
                "in": arrivals(0.5, "desk"),
                "desk": server(exp(1), queue=0, overflow="orbit"),
                "orbit": server(exp(2), "desk", channels=math.inf),
            },
            truth={"orbit.number": book.retrial_orbit(0.5, 1, 0.5), "desk.states.busy": 0.5},
            horizon_s=3500.0,
        ),
        Case(
            name="M/M/1 that works faster the more are there",
            source="Gross & Harris 2008, 2.7",
            blocks=one_desk(1.2, exp(1), discipline="shared", speeds=[0.8, 1.4, 1.8]),
            truth={"desk.number": book.paced_number(1.2, (0.8, 1.4, 1.8))},
            horizon_s=2000.0,
            warmup_s=200.0,
        ),
    ]
