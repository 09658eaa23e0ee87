"""Textbook cases of what is done together: batches, siblings, parts, whole machines; of caps and walking servers; and of
customers who come in clusters or do not stay."""

from __future__ import annotations

import math

from simulation.validation import theory_lines, theory_networks, theory_queues
from simulation.validation import theory_together as book
from simulation.validation.case import Case, arrivals, exp, failing, machine, one_desk, server

EVEN = {"kind": "source", "next": "a"}
THREE: dict[str, dict[str, int]] = {"x": {}, "y": {}, "z": {}}

COXIAN = {"kind": "coxian", "means": [0.6, 0.6, 0.4], "go_on": [0.5, 0.5]}


def cases_together() -> list[Case]:
    """Give them all."""
    return [*_batches(), *_siblings(), *_parts(), *_whole(), *_caps(), *_walking(), *_coming(), *_staying()]


def _batches() -> list[Case]:
    waiting = book.bulk_service_waiting(1.5, 1, 2, 5)
    alone = book.bulk_service_waiting_closed(2.5, 1, 4)
    lost, number = book.together_with_loss(0.5, 1, (0, 0.5, 0, 0.5), 6)
    return [
        Case(
            name="M/M[2,5]/1: batches of two to five",
            source="Neuts 1967; chain",
            blocks=one_desk(1.5, exp(1), batch=5, batch_least=2),
            truth={"desk.queue": waiting, "desk.number": waiting + 1.5, "desk.sojourn": waiting / 1.5 + 1},
            horizon_s=1800.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M[1,4]/1: batches of up to four",
            source="Bailey 1954; Medhi 2003, 6.4",
            blocks=one_desk(2.5, exp(1), batch=4),
            truth={"desk.queue": alone, "desk.wait": alone / 2.5},
            horizon_s=1400.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M[4]/1: batches of up to four that are open while they are worked on",
            source="Gross & Harris 2008, 3.2 (partial batches)",
            blocks=one_desk(2.5, exp(1), batch=4, batch_open=True),
            truth={"desk.number": book.open_batch_number(2.5, 1, 4)},
            horizon_s=1400.0,
            warmup_s=100.0,
        ),
        Case(
            name="M/M[3,3]/1: full batches only",
            source="Gross & Harris 2008, 3.2 (full batches); chain",
            blocks=one_desk(1.5, exp(1), batch=3, batch_least=3),
            truth={"desk.number": book.bulk_service_waiting(1.5, 1, 3, 3) + 1.5},
            horizon_s=1400.0,
            warmup_s=100.0,
        ),
        Case(
            name="saturated oven that is filled one by one",
            source="Buzacott & Shanthikumar 1993, 5; chain",
            blocks={"in": EVEN, "a": machine(exp(1), "b"), "b": machine(exp(2), queue=2, batch=3, batch_least=3)},
            truth={"throughput": book.oven_rate((1, 0.5), 3, 2)},
            horizon_s=3000.0,
            warmup_s=100.0,
        ),
        Case(
            name="M^[X]/M/1/6, who come together come in together or are lost",
            source="Manfield & Tran-Gia 1982; chain",
            blocks={
                "in": arrivals(
                    0.5, "desk", size={"kind": "empirical", "values": [2, 4]}, blocked="lose", together=True
                ),
                "desk": server(exp(1), queue=5),
            },
            truth={"in.lost_share": lost, "desk.number": number},
            warmup_s=100.0,
        ),
        Case(
            name="pieces packed by three, then a server: E3/M/1",
            source="Kendall 1953; Kleinrock 1975, 6.4",
            blocks={
                "in": arrivals(2.1, "pack"),
                "pack": {"kind": "pack", "pieces": 3, "next": "desk"},
                "desk": server(exp(1), "apart"),
                "apart": {"kind": "unpack", "next": "out"},
            },
            truth={
                "pack.sojourn": 1 / 2.1,
                "desk.wait": theory_queues.gim1_wait(lambda s: (2.1 / (2.1 + s)) ** 3, 1),
                "flow": 1 / 2.1 + theory_queues.gim1_wait(lambda s: (2.1 / (2.1 + s)) ** 3, 1) + 1,
            },
            horizon_s=2000.0,
            warmup_s=200.0,
        ),
        Case(
            name="cartons opened into three pieces: M^[3]/M/1",
            source="Gross & Harris 2008, 3.1",
            blocks={
                "in": arrivals(0.2, "open"),
                "open": {"kind": "unpack", "pieces": 3, "next": "desk"},
                "desk": server(exp(1)),
            },
            truth={"desk.number": theory_queues.bulk_number(0.2, 1, 3, 9)},
            horizon_s=4000.0,
        ),
    ]


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
