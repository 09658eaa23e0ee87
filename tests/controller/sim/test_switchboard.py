"""What is typed about a running plant."""

import pytest

from controller.commands.sim.switchboard import NUMBER, SECONDS, WORDS, obey
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
    "line, seen, expected",
    [
        ("fault arm-2 jam", "arm-2", "one of arm-1"),
        ("mend foo", "foo", "one of arm-1"),
        ("fault arm-1 fire", "fire", "a fault of arm-1: jam"),
        ("mend arm-1 fire", "fire", "a fault of arm-1: jam"),
        ("mend arm-1 jam now", "arm-1 jam now", WORDS),
        ("fault arm-1", "fault arm-1", WORDS),
        ("fault arm-1 jam for=-1", "for=-1", SECONDS),
        ("fault arm-1 jam for=x", "for=x", SECONDS),
        ("fault arm-1 jam for=nan", "for=nan", SECONDS),
        ("fault arm-1 jam times=0", "times=0", NUMBER),
        ("fault arm-1 jam times=1.5", "times=1.5", NUMBER),
        ("fault arm-1 jam often=1", "fault arm-1 jam often=1", WORDS),
        ("dance", "dance", WORDS),
        ("", "", WORDS),
    ],
)
async def test_what_cannot_be_done_names_the_part_that_is_wrong_and_says_what_can(switches, line, seen, expected):
    said = await obey(switches, line)
    assert (said["ok"], said["seen"], said["expected"]) == (False, seen, expected)
    assert said["remedy"]
    assert switches.active() == []


async def test_a_name_that_is_nearly_right_gets_a_suggestion(switches):
    assert (await obey(switches, "mend arm-11"))["remedy"] == "Did you mean 'arm-1'?"
