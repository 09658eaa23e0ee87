"""A job that ended well for the machine and badly for the parcel is no good job."""

import pytest

from controller.commands.sim.recorded import play_recorded
from controller.commands.sim.scenario import shift_of
from controller.commands.sim.scenario_file import FaultPart, Scenario, ShiftPart
from simulation.report.figures import figures_of


@pytest.mark.parametrize("fault", ["label_dropped", "folded", "doubled"])
def test_a_label_that_the_arm_lost_folded_or_doubled_counts_against_the_arm(tmp_path, fault):
    faults = (FaultPart(at_s=1.0, device="arm-1", fault=fault, times=1),)
    scenario = Scenario(shift=ShiftPart(orders=1, pixels=0), faults=faults)

    _, found = play_recorded(shift_of(scenario, tmp_path / "scenario.toml", tmp_path), scenario)

    (arm,) = (machine for machine in figures_of(found).machines if machine.name == "arm-1")
    assert arm.undone == 1
