"""The lines that `make bench` prints; these run with the unit tests, the figures do not."""

import json

import pytest

from tests.bench.gauge import Figure, figure, in_turns, rounded


def test_a_line_is_json_with_exactly_the_six_keys_and_ours_to_peer_as_the_ratio():
    line = Figure(figure="a job", ours=3.0, peer=1.5, peer_name="bare", unit="ms/job").line()
    assert "\n" not in line
    told = json.loads(line)
    assert list(told) == ["figure", "ours", "peer", "peer_name", "ratio", "unit"]
    assert told["ratio"] == 2.0


def test_a_figure_takes_the_median_in_its_unit():
    made = figure("x", ours=[0.001, 0.002, 9.0], peer=[0.004], peer_name="p", unit="ms/thing")
    assert (made.ours, made.peer) == (2.0, 4.0)


@pytest.mark.parametrize(
    "value, told", [(0.0, 0.0), (1234.5, 1230.0), (0.0012345, 0.00123), (9.996, 10.0), (-4.4444, -4.44)]
)
def test_three_digits_are_told(value: float, told: float):
    assert rounded(value) == told


async def test_ours_and_peer_take_turns_and_the_warm_up_does_not_count():
    begun: list[str] = []

    async def ours() -> None:
        begun.append("ours")

    async def peer() -> None:
        begun.append("peer")

    mine, theirs = await in_turns(ours, peer, things=2, rounds=3)
    assert begun == ["ours", "peer", "ours", "peer", "peer", "ours", "ours", "peer"]
    assert len(mine) == len(theirs) == 3
