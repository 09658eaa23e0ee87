"""Laws of every web of forks, joins, packs, parts and permits: nothing appears or vanishes, every permit comes back."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.blocks.made import line_of, ran
from tests.blocks.test_laws import CLASSES, EXP, TIMES, fitting, stations

UNTIL_S = 60.0


@st.composite
def webs(draw: st.DrawFn) -> dict[str, Any]:
    """A source, a permit, siblings on ways of their own, a join, cartons, and a class that is put to what came out."""
    branches = [f"s{n}" for n in range(draw(st.integers(1, 3)))]
    meeting = draw(st.sampled_from(["join", "out"]))
    blocks: dict[str, Any] = {
        "crew": {"kind": "operator"},
        "in": {
            "kind": "source",
            "every": draw(TIMES),
            "mix": {"high": 1, "low": 2},
            "blocked": draw(st.sampled_from(["wait", "lose", "pause"])),
            "next": "cap",
        },
        "cap": {"kind": "limit", "most": draw(st.integers(1, 4)), "next": "fork"},
        "fork": {"kind": "fork", "to": [*branches, *draw(st.sampled_from([[], branches[:1]]))]},
        "join": {"kind": "join", "capacity": draw(st.sampled_from([1, 8, float("inf")])), "next": "pack"},
        "pack": {
            "kind": "pack",
            "pieces": draw(st.integers(1, 3)),
            "wait_s": draw(st.sampled_from([0, 5])),
            "next": "oven",
        },
        "oven": fitting({**draw(stations(["apart"])), "next": "apart"}),
        "apart": {"kind": "unpack", "next": draw(st.sampled_from(["free", "put"]))},
        "put": {"kind": "assembly", "needs": {"high": 1, "low": 2}, "places": 4, "next": "free"},
        "free": {"kind": "release", "limit": "cap", "next": "out"},
    }
    for name in branches:
        blocks[name] = fitting({**draw(stations(["join"])), "next": "join" if name == "s0" else meeting})
    if blocks["apart"]["next"] == "free":
        del blocks["put"]
    return blocks


@given(webs(), st.integers(0, 99))
def test_nothing_appears_and_nothing_vanishes_and_every_permit_comes_back(blocks, seed):
    line = line_of(blocks, UNTIL_S, classes=CLASSES, seed=seed)
    floor = line.floor
    assert floor.came + floor.made == floor.left + floor.lost + floor.scrapped + floor.used + floor.wip.value
    held = sum(getattr(block, "held", 0) for block in line.blocks.values())
    assert floor.wip.value == held + line.blocks["in"].number.value
    cap = line.blocks["cap"]
    assert 0 <= cap.inside <= blocks["cap"]["most"]
    assert cap.went - len(cap.stay) == cap.inside
    assert cap.inside == 0 or held, "a permit belongs to somebody who is there, or is inside of what is there"
    for name, block in line.blocks.items():
        if hasattr(block, "held"):
            assert block.held == block.number.value, name
            assert block.reserved >= 0


@given(webs())
def test_the_time_between_permit_and_release_is_the_area_under_the_number_between(blocks):
    line = line_of(blocks, UNTIL_S, classes=CLASSES)
    cap = line.blocks["cap"]
    if not cap.inside:
        assert abs(sum(cap.stay.values) - cap.number.mean(UNTIL_S) * UNTIL_S) < 1e-6


@given(webs(), st.integers(0, 99))
def test_a_web_has_the_same_figures_with_the_same_seed(blocks, seed):
    one, other = (ran(blocks, 30.0, classes=CLASSES, seed=seed).runs[0].figures for _ in range(2))
    assert repr(one) == repr(other)


def test_a_fork_of_equal_works_is_as_slow_as_the_slower():
    blocks = {
        "in": {"kind": "source", "every": EXP, "next": "fork"},
        "fork": {"kind": "fork", "to": ["a", "b"]},
        "a": {"kind": "server", "service": 0.5, "next": "join"},
        "b": {"kind": "server", "service": 0.5, "next": "join"},
        "join": {"kind": "join", "next": "out"},
    }
    alone = {
        "in": {"kind": "source", "every": EXP, "next": "a"},
        "a": {"kind": "server", "service": 0.5, "next": "out"},
    }
    assert ran(blocks, 200).values("flow") == ran(alone, 200).values("flow")
