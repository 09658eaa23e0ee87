"""Shifts in which things go wrong: as data, in virtual time, with a controller that dies and begins again from its books."""

import json

import pytest

from controller.__main__ import main
from controller.commands.sim.scenario import as_toml, load_scenario
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.telling import is_scenario
from packline.core.files import FileFaults
from simulation.virtual.faults import PlannedFault, When

pytestmark = pytest.mark.timeout(300)

FAULTS = (
    PlannedFault(at_s=3.0, device="arm-1", fault="late_answers", for_s=2.0),
    PlannedFault(at_s=4.0, device="printer-1", fault="half_print", times=1, for_s=6.0),
    PlannedFault(when=When(commit=70), device="controller", fault="kill_after_commit"),
    PlannedFault(when=When(commit=130), device="controller", fault="kill_before_commit"),
)


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(as_toml(Scenario(shift=ShiftPart(orders=2, seed=5, pixels=0)), FAULTS), "utf-8")
    return path


def played(path, capsys):
    code = main(["sim", "run", str(path), "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_scenario_reads_back_as_it_was_written(scenario):
    read = load_scenario(scenario)
    assert is_scenario(scenario)
    assert tuple(PlannedFault.of(part.model_dump(exclude_none=True)) for part in read.faults) == FAULTS


def test_a_controller_that_dies_twice_among_faults_repeats_nothing_and_loses_nothing(scenario, capsys):
    code, said = played(scenario, capsys)
    assert (code, said["deaths"], said["broken"]) == (0, 2, [])
    assert said["orders_over"] == 2
    again = played(scenario, capsys)[1]
    assert (again["journal_hash"], again["truth_hash"]) == (said["journal_hash"], said["truth_hash"])


def test_a_fault_that_the_controller_cannot_have_is_refused(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('[[faults]]\nat_s = 1\ndevice = "controller"\nfault = "jam"\n', "utf-8")
    with pytest.raises(FileFaults, match="kill_before_commit"):
        load_scenario(path)


def test_an_empty_scenario_is_the_demo_shift():
    assert Scenario().shift.site == "sites/demo.toml"
