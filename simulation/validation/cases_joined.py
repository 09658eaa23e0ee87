"""Textbook cases of siblings, parts and whole machines that must be there together, and of caps on how many may be."""

from __future__ import annotations

from simulation.validation import theory_lines, theory_networks
from simulation.validation import theory_together as book
from simulation.validation.case import Case, arrivals, exp, failing, machine, one_desk, server

THREE: dict[str, dict[str, int]] = {"x": {}, "y": {}, "z": {}}


def joined() -> list[Case]:
    """Give the cases: siblings, parts, whole machines and caps."""
    return [*_siblings(), *_parts(), *_whole(), *_caps()]


def _siblings() -> list[Case]:
    def forked(ways: int, **more: object) -> dict[str, object]:
        names = [f"s{n}" for n in range(ways)]
        return {
            "fork": {"kind": "fork", "to": names},
            **{name: server(exp(1), "join") for name in names},
            "join": {"kind": "join", "next": "out"},
            **more,
        }

    return [
        Case(
            name="fork and join of two M/M/1",
            source="Flatto & Hahn 1984; Nelson & Tantawi 1988",
            blocks=forked(2, **{"in": arrivals(0.6, "fork")}),
            truth={"flow": book.fork_join_flow(0.6, 1), "s0.sojourn": 1 / 0.4},
            horizon_s=3000.0,
        ),
        Case(
            name="three siblings at a time, and then the next",
            source="David & Nagaraja 2003, 4.6 (the longest of exponentials)",
            blocks=forked(
                3, **{"in": {"kind": "source", "next": "cap"}, "cap": {"kind": "limit", "most": 1, "next": "fork"}}
            ),
            truth={"throughput": 1 / book.longest_of(1, 3), "flow": book.longest_of(1, 3)},
            horizon_s=2500.0,
            warmup_s=50.0,
        ),
    ]


def _parts() -> list[Case]:
    rate, lost = book.kitting((1.0, 1.2), (5, 5))
    put = {"kind": "assembly", "needs": {"x": 1, "y": 1}, "next": "out"}
    return [
        Case(
            name="kits of two parts that come at random, each with a few places",
            source="Harrison 1973; Hopp & Simon 1989",
            classes=THREE,
            blocks={
                "in-x": arrivals(1.0, "put", mix={"x": 1.0}, blocked="lose"),
                "in-y": arrivals(1.2, "put", mix={"y": 1.0}, blocked="lose"),
                "put": {**put, "places": 5},
            },
            truth={"throughput": rate, "in-x.lost_share": lost},
            horizon_s=3000.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated assembly of two parts with two places each",
            source="Hopp & Simon 1989; chain",
            classes=THREE,
            blocks={
                "in-x": {"kind": "source", "next": "a", "mix": {"x": 1.0}},
                "in-y": {"kind": "source", "next": "b", "mix": {"y": 1.0}},
                "a": machine(exp(1), "put"),
                "b": machine(exp(0.8), "put"),
                "put": {**put, "places": 2, "next": "c"},
                "c": machine(exp(0.9)),
            },
            truth={"throughput": book.assembly_rate((1, 1.25, 1 / 0.9), (2, 2))},
            horizon_s=2000.0,
            warmup_s=100.0,
        ),
    ]


def _whole() -> list[Case]:
    return [
        Case(
            name="M/M/3 that fails as a whole",
            source="Neuts 1981, 6; chain",
            blocks=one_desk(1.6, exp(1), channels=3, failures=failing("time", exp(15), exp(4), whole=True)),
            truth={"desk.number": book.failing_as_a_whole(1.6, 1, 3, 1 / 15, 1 / 4), "desk.states.down": 4 / 19},
            horizon_s=4000.0,
            warmup_s=200.0,
        ),
    ]


def _caps() -> list[Case]:
    rate, _ = theory_networks.mean_value_analysis((1.0, 1.0, 1.0), 4)
    return [
        Case(
            name="CONWIP: a saturated line of three with four pallets",
            source="Spearman, Woodruff & Hopp 1990; Reiser & Lavenberg 1980",
            blocks={
                "in": {"kind": "source", "next": "cap"},
                "cap": {"kind": "limit", "most": 4, "next": "a"},
                "a": server(exp(1), "b"),
                "b": server(exp(1), "c"),
                "c": server(exp(1)),
            },
            truth={"throughput": rate, "flow": 4 / rate},
            horizon_s=1800.0,
            warmup_s=100.0,
        ),
        Case(
            name="a window of two before two stations, the others wait outside",
            source="Reiser 1979; chain",
            blocks={
                "in": arrivals(0.45, "cap"),
                "cap": {"kind": "limit", "most": 2, "next": "a"},
                "a": server(exp(1), "b"),
                "b": server(exp(0.8)),
            },
            truth={"wip": book.window_number(0.45, (1, 1.25), 2)},
            horizon_s=3500.0,
        ),
        Case(
            name="kanban: two cells with two cards each",
            source="Mitra & Mitrani 1990; Buzacott & Shanthikumar 1993, 5",
            blocks={
                "in": {"kind": "source", "next": "cards-a"},
                "cards-a": {"kind": "limit", "most": 2, "next": "a"},
                "a": server(exp(1), "store"),
                "store": {"kind": "buffer", "next": "cards-b"},
                "cards-b": {"kind": "limit", "most": 2, "next": "back-a"},
                "back-a": {"kind": "release", "limit": "cards-a", "next": "b"},
                "b": server(exp(0.9)),
            },
            truth={"throughput": theory_lines.two_stations((1, 1 / 0.9), 2)},
            horizon_s=2000.0,
            warmup_s=100.0,
        ),
    ]
