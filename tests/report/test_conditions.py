"""In which state a machine is, for each thing that may be true of it and of its place."""

from types import SimpleNamespace
from typing import Any

import pytest

from plc.packml import State
from simulation.recording.conditions import state_of

OPEN = SimpleNamespace(closed=False, labels=[])
SEALED = SimpleNamespace(closed=True, labels=[])
LABELLED = SimpleNamespace(closed=True, labels=["one"])


def state(carton=None, table=None, state=State.EXECUTE, busy=False, powered=True, faults=0, safety=0, **sensed):
    states = SimpleNamespace(state=state, is_execute=lambda: state is State.EXECUTE)
    brain = SimpleNamespace(states=states, busy=busy, faults=faults, safety=safety)
    mechanics = SimpleNamespace(sense=lambda: sensed)
    machine: Any = SimpleNamespace(is_powered=powered, brain=brain, mechanics=mechanics)
    world: Any = SimpleNamespace(places={"stop": SimpleNamespace(first=carton)}, tables={"stop": table})
    return state_of(machine, world, "stop")


@pytest.mark.parametrize(
    "how, expected",
    [
        ({}, "starved"),
        ({"carton": OPEN}, "waiting"),
        ({"table": "a piece"}, "waiting"),
        ({"busy": True}, "busy"),
        ({"carton": SEALED, "outfeed_full": 1}, "blocked"),
        ({"carton": OPEN, "outfeed_full": 1}, "waiting"),
        ({"carton": SEALED, "outfeed_full": 0}, "waiting"),
        ({"carton": LABELLED, "lane2_full": 1}, "blocked"),
        ({"carton": SEALED, "lane2_full": 1}, "waiting"),
        ({"outfeed_full": 1}, "starved"),
        ({"state": State.STOPPED}, "setup"),
        ({"state": State.STARTING}, "setup"),
        ({"state": State.HELD}, "held"),
        ({"state": State.ABORTED}, "down"),
        ({"powered": False, "busy": True}, "down"),
        ({"faults": 4, "busy": True}, "down"),
        ({"safety": 1}, "down"),
    ],
)
def test_a_machine_is(how, expected):
    assert state(**how) == expected
