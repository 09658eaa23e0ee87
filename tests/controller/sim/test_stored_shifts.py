"""Shifts that a campaign found and shrank on a controller with a planted fault: on this one they break nothing.

Each is the scenario file of one row of tests/mutants/mutants.toml, and red there. `make crash` looks for them anew.
"""

from pathlib import Path

import pytest

from controller.commands.sim.qa import attempt
from controller.commands.sim.scenario import load_scenario
from simulation.virtual.faults import PlannedFault

STORED = {path.stem: path for path in sorted(Path(__file__).with_name("stored").glob("*.toml"))}
MOST_FAULTS = 2


@pytest.mark.parametrize("name", STORED)
def test_what_a_planted_fault_broke_is_well(name):
    path = STORED[name]
    scenario = load_scenario(path)
    assert scenario.broken, f"{path.name} does not say what was broken"
    assert len(scenario.faults) <= MOST_FAULTS
    faults = tuple(PlannedFault.of(part.model_dump(exclude_none=True)) for part in scenario.faults)
    assert attempt(scenario, path, faults).broken == ()
