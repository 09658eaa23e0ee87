"""The catalogue, what the devices can do, and what is tested say the same."""

from pathlib import Path

import pytest

from controller.commands.sim.scenario import known_of, shift_of
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.shift.playing import known_faults, switched
from controller.site_file import load_site
from simulation.faults.catalogue import CATALOGUE, COMMITS, NAMED, Ends, Seam, ends_of, ids, seams_of
from simulation.faults.known import known
from tests.simulation.faults.small_line import SPEC, in_small

DEMO = Path("sites/demo.toml")
HERE = Path(__file__).parent
TESTED_ELSEWHERE = {"kill", *COMMITS}
"""Kills are tested in shifts: tests/controller/sim."""


def test_there_are_at_least_forty_five_kinds_at_every_seam_that_is_named():
    assert len(ids()) >= 45
    assert {kind.seam for kind in CATALOGUE} == set(Seam)
    assert all(kind.does.endswith(".") and kind.by for kind in CATALOGUE)


def test_no_device_has_two_kinds_of_one_id():
    pairs = [(kind.id, by) for kind in CATALOGUE for by in kind.by]
    assert len(pairs) == len(set(pairs))


def test_every_device_of_a_plant_has_the_switches_that_the_catalogue_gives_it():
    async def look(small):
        return small.plant.misbehaviour.known()

    named = {name.value for name in NAMED} - {"hall", "floor"}  # these belong to the shift, not to the plant
    expected = {device: sorted(kinds) for device, kinds in known(SPEC).items() if device not in named}
    assert in_small(look) == expected


def test_every_name_of_a_shift_has_its_switches_too(tmp_path):
    shift = shift_of(Scenario(shift=ShiftPart(orders=1)), DEMO, tmp_path)
    expected = {device: [f for f in faults if f not in COMMITS] for device, faults in known_faults(shift).items()}
    assert switched(shift) == expected


def test_every_kind_is_named_in_a_test():
    texts = "".join(path.read_text("utf-8") for path in HERE.glob("test_*.py") if path.name != Path(__file__).name)
    assert {kind for kind in ids() - TESTED_ELSEWHERE if f'"{kind}"' not in texts} == set()


def test_how_a_fault_ends_depends_on_who_has_it():
    assert (ends_of("controller", "kill"), ends_of("arm-1", "jam")) == (Ends.AT_ONCE, Ends.STRIKES)
    assert (ends_of("subscribers", "slow"), ends_of("arm-1", "slow")) == (Ends.MENDED, Ends.MENDED)
    assert seams_of("subscribers", "slow") == {"hosts"}
    assert seams_of("arm-1", "slow") == {"wire"}
    assert ends_of("arm-1", "no such thing") is Ends.MENDED


@pytest.mark.parametrize("device", [name.value for name in NAMED])
def test_names_of_every_line_are_known_at_the_demo_line(device):
    assert known_of(load_site(DEMO), DEMO)[device]
