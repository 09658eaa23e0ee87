"""Textbook cases of lines, rings and trees of machines with few places between."""

from __future__ import annotations

from simulation.validation import theory_lines
from simulation.validation.case import Case, arrivals, exp, machine, server


def lines() -> list[Case]:
    """Give the cases: lines with few places between."""
    loss, number = theory_lines.tandem_with_loss(0.7, (1, 1), (3, 2))
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
            truth={"throughput": theory_lines.two_stations((1, 0.8), 4)},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of two, two places between, blocking before service",
            source="Perros 1994, 3; Onvural 1990",
            blocks={"in": even, "a": machine(exp(1), "b", blocking="before"), "b": machine(exp(1), queue=1)},
            truth={"throughput": theory_lines.two_stations((1, 1), 1, is_before=True)},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of three, no places between",
            source="Hunt 1956: 22/39",
            blocks={"in": even, "a": machine(exp(1), "b"), "b": machine(exp(1), "c"), "c": machine(exp(1))},
            truth={"throughput": theory_lines.three_stations((1, 1, 1))},
            horizon_s=2500.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated line of three, unlike rates",
            source="Hunt 1956; chain",
            blocks={"in": even, "a": machine(exp(1), "b"), "b": machine(exp(0.8), "c"), "c": machine(exp(1.25))},
            truth={"throughput": theory_lines.three_stations((1, 1.25, 0.8))},
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
            truth={"throughput": theory_lines.blocking_ring((1, 1 / 0.9, 1 / 1.1, 1.25), (1, 2, 3, 2))},
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
            truth={"throughput": theory_lines.two_into_one((1, 1.5)), "a.throughput": theory_lines.two_into_one((1, 1.5)) / 2},
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
            truth={"throughput": theory_lines.one_into_two((1, 0.6))},
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
            truth={"c.throughput": theory_lines.blocking_ring((1, 1.25, 1 / 1.2), (3, 2, 2), 5)},
            horizon_s=2500.0,
            warmup_s=200.0,
        ),
        Case(
            name="closed ring of two machines and two stores, six pallets on both",
            source="Onvural & Perros 1989; chain",
            blocks={
                "store-a": {"kind": "buffer", "capacity": 3, "next": "a", "initial": {"": 2}},
                "a": machine(exp(1), "store-b", initial={"": 1}),
                "store-b": {"kind": "buffer", "capacity": 3, "next": "b", "initial": {"": 2}},
                "b": machine(exp(0.8), "store-a", initial={"": 1}),
            },
            truth={"b.throughput": theory_lines.blocking_ring((1, 1.25), (4, 4), 6)},
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
