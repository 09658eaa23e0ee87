"""What must hold for every line that can be written: nothing appears or vanishes, shares sum to one, luck is fixed."""

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.blocks.draws import (
    Deterministic,
    Empirical,
    Erlang,
    Exponential,
    Gamma,
    Geometric,
    Hyperexponential,
    Lognormal,
    Mirror,
    Poisson,
    Triangular,
    Uniform,
    Weibull,
)
from simulation.blocks.draws_phases import Coxian, Pareto
from simulation.model.running import figures_of
from tests.blocks.made import endless, leaves, line_of, machine, model, ran, server

EXP = {"kind": "exponential", "mean": 1.0}
TIMES = st.sampled_from(
    [EXP, 1.0, 0.5, {"kind": "erlang", "mean": 1, "k": 3}, {"kind": "uniform", "low": 0, "high": 2}]
)
FAILURE = {
    "every": st.sampled_from([5, {"kind": "exponential", "mean": 8}]),
    "repair": st.sampled_from([1, {"kind": "exponential", "mean": 2}]),
    "after": st.sampled_from(["resume", "repeat", "restart", "scrap"]),
}
BY = st.sampled_from(["time", "busy", "cycles"])
FAILURES = st.lists(
    st.fixed_dictionaries({**FAILURE, "by": BY, "passed_on": st.booleans()})
    | st.fixed_dictionaries({**FAILURE, "whole": st.just(True)}),
    max_size=2,
)


@st.composite
def stations(draw: st.DrawFn, ways: list[str]) -> dict[str, Any]:
    preempt = draw(st.sampled_from(["no", "resume", "repeat", "restart"]))
    disciplines = ["fifo", "lifo", "shortest"] + (["random", "ageing"] if preempt == "no" else [])
    first = draw(st.sampled_from(ways))
    way = draw(st.sampled_from([first, {first: 0.75, "out": 0.25}])) if first != "out" else "out"
    found = {
        "kind": "server",
        "service": draw(TIMES),
        "channels": draw(st.integers(1, 3)),
        "queue": draw(st.sampled_from([0, 1, 3, math.inf])),
        "discipline": draw(st.sampled_from(disciplines)),
        "preempt": preempt,
        "blocking": draw(st.sampled_from(["after", "before"])),
        "full": draw(st.sampled_from(["block", "lose"])),
        "failures": draw(FAILURES),
        "next": way,
    }
    for key, times in (("setup", [0.5]), ("patience", [3, EXP]), ("vacation", [1.5])):
        if draw(st.booleans()):
            found[key] = draw(st.sampled_from(times))
    if draw(st.booleans()):
        found |= {"operator": "crew", "operator_for": draw(st.sampled_from(["work", "stops"]))}
    if draw(st.booleans()):
        found["balk"] = draw(st.sampled_from([[0, 0.5], [0.2]]))
    return found | draw(
        st.sampled_from(
            [{}, {"start_at": 2}, {"batch": 3, "batch_open": True}, {"batch": 4, "batch_least": 2, "batch_wait_s": 2}]
        )
    )


def fitting(station: dict[str, Any]) -> dict[str, Any]:
    """Leave out what does not go together."""
    if "batch" in station:
        station |= {"preempt": "no", "blocking": "after"}
        station["discipline"] = "fifo" if station["discipline"] == "shortest" else station["discipline"]
        for failure in station["failures"]:
            failure.pop("passed_on", None)
    if "start_at" in station:
        station.pop("vacation", None)
        station["queue"] = max(1, station["queue"])
    return station


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 4))
    names = [f"s{n}" for n in range(count)]
    blocks: dict[str, Any] = {"crew": {"kind": "operator", "count": draw(st.integers(1, 2))}}
    for n, name in enumerate(names):
        # ways also lead back, so that lines may come to stand; nothing may be lost then either
        ways = [*names[n + 1 : n + 2], "out", *draw(st.sampled_from([[], names[:1]]))]
        blocks[name] = fitting(draw(stations(ways)))
    store = {"kind": "buffer", "capacity": draw(st.sampled_from([0, 2, math.inf])), "next": "s0"}
    more = {"mix": {"high": 1, "low": 2}, "blocked": draw(st.sampled_from(["wait", "lose", "pause"]))}
    blocks["in"] = {"kind": "source", "every": draw(TIMES), "next": "store", **more}
    blocks["store"] = store
    led = {"store"}
    for block in blocks.values():
        way = block.get("next", "out")
        led |= {way} if isinstance(way, str) else set(way)
    for name in names:
        if name not in led:
            blocks[f"in-{name}"] = {"kind": "source", "every": EXP, "next": name, **more}
    return blocks


CLASSES = {"high": {"priority": 1, "gain": 2.0}, "low": {"priority": 2}}


@given(lines(), st.integers(0, 1000))
def test_nothing_appears_and_nothing_vanishes(blocks, seed):
    line = line_of(blocks, 60.0, classes=CLASSES, seed=seed)
    floor = line.floor
    assert floor.came + floor.made == floor.left + floor.lost + floor.scrapped + floor.used + floor.wip.value
    held = sum(getattr(block, "held", 0) for block in line.blocks.values())
    outside = sum(block.number.value for name, block in line.blocks.items() if name.startswith("in"))
    assert floor.wip.value == held + outside
    for name, block in line.blocks.items():
        if name.startswith("s") and name != "store":
            assert block.held == block.number.value
            items = [channel.item for channel in block.channels if channel.item is not None]
            working = sum(len(getattr(item, "inside", (item,))) for item in items)
            assert 0 <= block.held - working == block._waiting
            assert block.held <= block.capacity or "batch" in blocks[name], "a batch that gathers where it breaks down"
            assert block.reserved >= 0
        if hasattr(block, "held"):
            assert sum(one.number.value for one in block.of_class.values()) == block.held
            assert sum(len(one.sojourn) for one in block.of_class.values()) == len(block.sojourn)
            assert sum(one.lost for one in block.of_class.values()) == block.lost


@given(lines())
def test_shares_of_time_sum_to_one_at_every_block(blocks):
    line = line_of(blocks, 40.0, classes=CLASSES)
    figures = figures_of(line, model(blocks, classes=CLASSES))
    for found in figures["blocks"].values():
        if found.get("states"):
            assert sum(found["states"].values()) == pytest.approx(1)
            assert all(-1e-12 <= share <= 1 + 1e-12 for share in found["states"].values())
        if found.get("at"):
            assert sum(found["at"]) <= 1 + 1e-6


@given(lines())
def test_time_in_the_line_is_the_integral_of_what_is_in_it(blocks):
    """Little's law on the path itself: what each item spent here, summed, is the area under the number."""
    line = line_of(blocks, 40.0, classes=CLASSES)
    for name, block in line.blocks.items():
        if name.startswith("s") and name != "store" and not block.held:
            area = block.number.mean(40.0) * 40.0
            spent = sum(block.sojourn.values)
            assert spent == pytest.approx(area, abs=1e-6), "nobody is here any more"


@given(lines(), st.integers(0, 99))
def test_the_same_seed_gives_the_same_figures(blocks, seed):
    one, other = (ran(blocks, 30.0, classes=CLASSES, seed=seed).runs[0].figures for _ in range(2))
    assert repr(one) == repr(other)


def test_one_more_block_shifts_nobody_elses_luck():
    alone = {"in": {"kind": "source", "every": EXP, "next": "a"}, "a": server(EXP)}
    beside = {"other": {"kind": "source", "every": EXP, "next": "b"}, "b": server(EXP), **alone}
    assert ran(alone).interval("a.wait") == ran(beside).interval("a.wait")


def test_one_more_failure_shifts_no_roll_of_the_same_machine():
    """A reel takes as long to be changed, and a ribbon as long, whether the machine fails in one way more or not."""
    more = {"by": "cycles", "every": 1000, "repair": 1}
    reels = {"roll": {"pieces": 4, "change": EXP}, "ribbon": {"pieces": 7, "change": EXP}}
    blocks = {"in": endless("p"), "p": {"kind": "printer", "print": 1, "next": "out", **reels}}
    fails = {**blocks, "p": {**blocks["p"], "failures": [more]}}
    assert leaves(blocks, 500) == leaves(fails, 500)


def test_other_seeds_and_other_runs_have_other_luck():
    blocks = {"in": {"kind": "source", "every": EXP, "next": "a"}, "a": server({"kind": "exponential", "mean": 0.7})}
    found = ran(blocks, replications=3)
    assert len({run.figures["a.wait"] for run in found.runs}) == 3
    assert ran(blocks, seed=2).values("a.wait") != ran(blocks, seed=1).values("a.wait")


def test_antithetic_pairs_vary_against_each_other():
    blocks = {"in": {"kind": "source", "every": EXP, "next": "a"}, "a": server({"kind": "exponential", "mean": 0.5})}
    plain = ran(blocks, 400.0, replications=40)
    pairs = ran(blocks, 400.0, replications=40, antithetic=True)
    assert pairs.interval("a.arrivals").half < plain.interval("a.arrivals").half / 1.3
    values = pairs.values("a.arrivals")
    means = [(a + b) / 2 for a, b in zip(values[::2], values[1::2], strict=True)]
    assert max(means) - min(means) < max(values) - min(values)


def test_common_luck_tells_two_lines_apart_that_differ_a_little():
    def line(mean):
        return {
            "in": {"kind": "source", "every": EXP, "next": "a"},
            "a": server({"kind": "erlang", "mean": mean, "k": 2}),
        }

    first, second = (ran(line(mean), 600.0, replications=6) for mean in (0.70, 0.72))
    difference = second.difference(first, "a.wait")
    assert difference.estimate - difference.half > 0
    apart = math.hypot(first.interval("a.wait").half, second.interval("a.wait").half)
    assert difference.half < apart / 3


def test_a_warm_up_is_found_for_a_queue_that_begins_long():
    blocks = {
        "in": {"kind": "source", "every": {"kind": "exponential", "mean": 2}, "next": "a"},
        "a": {**server(EXP), "initial": {"": 200}},
    }
    found = ran(blocks, 4000.0, warmup_s="mser")
    assert 200 < found.warmup_s < 2000


def test_a_run_that_never_settles_says_so():
    blocks = {"in": {"kind": "source", "every": 1, "next": "a"}, "a": server(2)}
    unsettled, growing = ran(blocks, 500.0, warmup_s="mser").warnings
    assert unsettled == "MSER-5 finds no settled state within the horizon: make it longer"
    assert growing.startswith("a fills up: 125 more")


def test_a_network_that_nobody_leaves_is_not_told_to_run_longer():
    """However long it runs, MSER-5 has no times to look at there."""
    found = ran({"a": server(1, "b", initial={"": 2}), "b": server(2, "a")}, 500.0, warmup_s="mser")
    (told,) = found.warnings
    assert "nothing left the model" in told
    assert found.warmup_s == 250


def test_what_happens_at_the_warm_up_counts_and_at_the_horizon_does_not():
    found = ran({"in": {"kind": "source", "every": 10, "next": "a"}, "a": machine(1)}, 110.0, warmup_s=10)
    assert (found.runs[0].figures["arrivals"], found.runs[0].figures["departures"]) == (10, 10)


# -- distributions -------------------------------------------------------------------------------------------------------

LAWS = [
    Deterministic(2.0),
    Exponential(2.0),
    Erlang(2.0, 3),
    Hyperexponential.balanced(2.0, 1.7),
    Lognormal(2.0, 0.8),
    Uniform(1.0, 4.0),
    Triangular(1.0, 2.0, 5.0),
    Weibull(2.0, 1.8),
    Gamma(2.0, 0.6),
    Pareto(2.0, 9.0),
    Coxian((1.0, 0.5, 2.0), (0.6, 0.3)),
    Coxian((1.0, 0.5), (1.0,)),
    Geometric(3.5),
    Poisson(2.5),
    Poisson(1200.0),
    Empirical((1.0, 2.0, 4.0), (1.0, 0.0, 3.0)),
    Empirical((0.0, 1.0, 4.0), (1.0, 1.0), is_smooth=True),
]
N = 10_000


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_mean_and_variance_are_those_that_were_asked_for(law):
    draw = law.drawn_from(random.Random("law"))
    values = [draw() for _ in range(N)]
    mean = sum(values) / N
    spread = [(value - mean) ** 2 for value in values]
    variance = sum(spread) / N
    fourth = sum(value**2 for value in spread) / N
    assert mean == pytest.approx(law.mean(), abs=5 * math.sqrt(law.variance() / N) + 1e-12)
    assert variance == pytest.approx(law.variance(), abs=5 * math.sqrt(max(0.0, fourth - variance**2) / N) + 1e-12)
    assert min(values) >= 0


@pytest.mark.parametrize("law", [law for law in LAWS if not isinstance(law, Gamma)], ids=repr)
def test_a_mirrored_stream_mirrors_what_is_drawn(law):
    draw, mirrored = law.drawn_from(random.Random("x")), law.drawn_from(Mirror("x"))
    pairs = [(draw(), mirrored()) for _ in range(2000)]
    a, b = law.mean(), law.mean()
    covariance = sum((x - a) * (y - b) for x, y in pairs)
    assert covariance < 0 or law.variance() == 0


def test_a_mirrored_stream_never_gives_one():
    mirror = Mirror("x")
    assert all(0 <= mirror.random() < 1 for _ in range(10_000))


def test_balanced_phases_have_the_mean_and_the_variation_that_were_asked_for():
    law = Hyperexponential.balanced(3.0, 2.0)
    assert law.mean() == pytest.approx(3.0)
    assert math.sqrt(law.variance()) / law.mean() == pytest.approx(2.0)
    assert law.weights[0] * law.means[0] == pytest.approx(law.weights[1] * law.means[1])


def test_endless_source_of_a_line_is_reproducible_across_streams():
    blocks = {"in": endless("a"), "a": machine(EXP)}
    assert ran(blocks).values("throughput") == ran(blocks).values("throughput")


def test_blocks_stand_on_an_environment_that_is_there_and_beside_other_processes():
    """What the docstring of `simulation.blocks` shows."""
    import simpy

    from simulation.blocks.conduct import Conduct
    from simulation.blocks.floor import Floor
    from simulation.blocks.server import Server
    from simulation.blocks.sources import Demand, Source

    env, seen = simpy.Environment(), []
    floor = Floor(env, seed="1")
    arrivals = Source(floor, "arrivals", Demand(every=Deterministic(3.0)))
    desk = Server(floor, "desk", Conduct(service=Deterministic(1.0)))
    arrivals.next = desk
    arrivals.start()

    def watch():
        while True:
            yield env.timeout(3.6)
            seen.append(desk.held)

    env.process(watch())
    floor.run(20, warmup_s=6)
    assert seen == [1, 0, 0, 0, 0]
    assert (desk.figures()["wait"], floor.flow.percentile(95)) == (0, 1)
