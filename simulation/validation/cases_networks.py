"""Textbook cases of networks of stations."""

from __future__ import annotations

import math

from simulation.validation import theory_networks, theory_queues
from simulation.validation.case import Case, arrivals, exp, machine, one_desk, server


def networks() -> list[Case]:
    """Give the cases: networks without limits, open and closed."""
    rates = theory_networks.traffic((0.5, 0.2, 0.0), ((0, 0.6, 0.4), (0, 0, 1.0), (0.2, 0, 0)))
    mus = (1.0, 1.0, 1.25)
    numbers = [rate / (mu - rate) for rate, mu in zip(rates, mus, strict=True)]
    rate, at_node = theory_networks.mean_value_analysis((0.7 * 1.0, 0.3 * 2.0, 0.5), 6)
    thinking_rate, thinking_at = theory_networks.mean_value_analysis((0.8, 0.5), 8, thinking=5.0)
    loss, second_use = theory_networks.ordered_entry(0.9, 1, 1)
    unlike, slow_use = theory_networks.unlike_servers(1.2, 1, 0.6)
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
            truth={"left.wait": theory_queues.mm1_wait(0.44, 1), "right.wait": theory_queues.mm1_wait(0.66, 1)},
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
            truth={"wip": theory_networks.shortest_queue_number(1.4, 1)},
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
        Case(
            name="arrivals go to two by turns: E2/M/1 each",
            source="Ephremides, Varaiya & Walrand 1980; Kleinrock 1975, 6.4",
            blocks={
                "in": arrivals(1.4, "choose"),
                "choose": {"kind": "divert", "rule": "turns", "to": ["left", "right"]},
                "left": server(exp(1)),
                "right": server(exp(1)),
            },
            truth={
                name: theory_queues.gim1_wait(lambda s: (1.4 / (1.4 + s)) ** 2, 1)
                for name in ("left.wait", "right.wait")
            },
            horizon_s=2400.0,
            warmup_s=200.0,
        ),
        Case(
            name="one queue before a fast and a slow server, the fast one first",
            source="Gumbel 1960; Singh 1970",
            blocks={
                "in": arrivals(1.2, "store"),
                "store": {"kind": "buffer", "next": "choose"},
                "choose": {"kind": "divert", "rule": "first_free", "to": ["fast", "slow"]},
                "fast": machine(exp(1)),
                "slow": machine(exp(1 / 0.6)),
            },
            truth={"wip": unlike, "slow.states.busy": slow_use},
            horizon_s=2500.0,
            warmup_s=200.0,
        ),
        Case(
            name="two classes through processor sharing, then last come first served with preemption",
            source="Baskett, Chandy, Muntz & Palacios 1975",
            classes={"x": {}, "y": {}},
            blocks={
                "in": arrivals(0.5, "share", mix={"x": 3.0, "y": 2.0}),
                "share": server(
                    exp(1), "stack", discipline="shared", service_by_class={"y": {"kind": "erlang", "mean": 2, "k": 2}}
                ),
                "stack": server({"kind": "uniform", "low": 0, "high": 2}, discipline="lifo", preempt="resume"),
            },
            truth={
                "share.classes.x.number": 1.0,
                "share.classes.y.number": 4 / 3,
                "stack.classes.y.sojourn": 2.0,
                "classes.x.flow": 1 / 0.3 + 2,
            },
            horizon_s=4000.0,
        ),
    ]
