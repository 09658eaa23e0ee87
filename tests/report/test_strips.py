"""What a strip of states draws agrees with the shares beside it, however often a machine changed its state."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.recording.rows import STATES
from simulation.report.machine_parts import _summed

LONG = st.lists(st.tuples(st.sampled_from(STATES), st.floats(0.01, 50)), min_size=1, max_size=300)


@given(LONG)
def test_every_state_is_drawn_as_wide_as_it_lasted(story: list[tuple[str, float]]) -> None:
    spans, at, lasted = [], 0.0, defaultdict[str, float](float)
    for state, seconds in story:
        spans.append((at, at + seconds, state))
        lasted[state] += seconds
        at += seconds
    drawn = defaultdict[str, float](float)
    before = 0.0
    for begin, end, state, _ in _summed(spans, at):
        assert begin >= before - 1e-6 and end <= at + 1e-6
        before = end
        drawn[state] += end - begin
    assert set(drawn) == set(lasted)
    for state in lasted:
        assert drawn[state] == pytest.approx(lasted[state])
