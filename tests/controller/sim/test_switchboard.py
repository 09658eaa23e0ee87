"""What is typed about a running plant."""

import pytest

from controller.commands.sim.switchboard import obey
from packline.core.clock import ManualClock
from simulation.misbehave import Misbehaviour, quirk
from simulation.quirks import Quirks


@pytest.fixture
def switches():
    board = Misbehaviour(ManualClock())
    board.add("arm-1", {"jam": quirk(Quirks(), "jam")})
    return board


async def test_a_fault_is_typed_on_and_off(switches):
    assert await obey(switches, "fault arm-1 jam times=2") == {
        "ok": True,
        "active": [{"device": "arm-1", "fault": "jam"}],
    }
    assert await obey(switches, "mend arm-1") == {"ok": True, "active": []}
    assert await obey(switches, "faults") == {"ok": True, "known": {"arm-1": ["jam"]}}


@pytest.mark.parametrize(
    "line, word",
    [
        ("fault arm-2 jam", "no device"),
        ("fault arm-1 fire", "knows no fault"),
        ("fault arm-1", "fault DEVICE"),
        ("fault arm-1 jam for=-1", "above 0"),
        ("fault arm-1 jam for=soon", "could not convert"),
        ("fault arm-1 jam often=1", "fault DEVICE"),
        ("dance", "fault DEVICE"),
    ],
)
async def test_what_cannot_be_done_says_what_can(switches, line, word):
    said = await obey(switches, line)
    assert (said["ok"], said["seen"]) == (False, line)
    assert word in said["expected"]
