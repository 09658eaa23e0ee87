"""Shifts in which things go wrong: as data, in virtual time, with a controller that dies and begins again from its books."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import NamedTuple

import pytest

from controller.__main__ import main
from controller.commands.sim.scenario import as_toml, load_scenario
from controller.commands.sim.scenario_file import Scenario, ShiftPart
from controller.commands.sim.shift.parts import EPOCH
from controller.commands.sim.telling import is_scenario
from controller.processes import DATABASE
from packline.core.files import FileFaults
from simulation.virtual.faults import PlannedFault, When

pytestmark = pytest.mark.timeout(300)

PRINTS = """
    SELECT h.at, h.state, e.generation FROM effect_history h JOIN effect e USING (effect_id)
    WHERE e.kind = 'print' ORDER BY h.id
"""


class Step(NamedTuple):
    at: str
    state: str
    generation: int


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


@pytest.mark.parametrize("killed_s", [None, 4.0, 6.0, 15.0, 17.0], ids=lambda s: f"killed {s}" if s else "")
@pytest.mark.parametrize("open_s", [0.01, 1.0], ids=["for a moment", "until somebody comes"])
@pytest.mark.parametrize("into_s", [0.004, 0.016, 0.024])
def test_a_label_in_two_pieces_is_never_booked_as_printed(tmp_path, capsys, into_s, open_s, killed_s):
    """The cover is opened in mid-label: one piece hangs at the exit, what is left of the job waits behind it.

    A controller that dies asks again when it begins, perhaps just after somebody has freed the exit.
    """
    shift = ShiftPart(orders=1, seed=7, pixels=0)
    steps = of_prints(tmp_path, capsys, Scenario(shift=shift), "whole")
    begun = (datetime.fromisoformat(steps[0].at) - EPOCH).total_seconds()
    cover = PlannedFault(at_s=begun + into_s, device="printer-1", fault="cover_open", for_s=open_s)
    kill = (PlannedFault(at_s=killed_s, device="controller", fault="kill"),) if killed_s else ()
    steps = of_prints(tmp_path, capsys, Scenario(shift=shift), "torn", cover, *kill)
    first = [step.state for step in steps if step.generation == 1]
    assert "unknown" in first and "confirmed" not in first and first[-1] == "voided"
    assert steps[-1].state == "confirmed"


def test_a_label_that_a_printer_forgot_in_a_power_cut_is_not_printed_again_under_its_number(tmp_path, capsys):
    """It came out, the power went before the printer could say so, and its counters fell back to before the job."""
    faults = (
        PlannedFault(at_s=0.0, device="printer-1", fault="unsaid", times=1),
        PlannedFault(when=When(fact="label_printed"), device="printer-1", fault="off", for_s=1.0),
    )
    steps = of_prints(tmp_path, capsys, Scenario(shift=ShiftPart(orders=1, seed=7, pixels=0)), "cut", *faults)
    assert [step.state for step in steps if step.generation == 1][-1] == "not_executed"
    assert [step.state for step in steps if step.generation == 2][-1] == "confirmed"


def of_prints(tmp_path, capsys, scenario, name, *faults):
    """Play a scenario; gives what its books say of the prints."""
    path, data = tmp_path / f"{name}.toml", tmp_path / name
    path.write_text(as_toml(scenario, faults), "utf-8")
    assert main(["sim", "run", str(path), "--json", "--data", str(data)]) == 0
    capsys.readouterr()
    with closing(sqlite3.connect(data / DATABASE)) as books:
        return [Step(*row) for row in books.execute(PRINTS)]


def test_a_fault_that_the_controller_cannot_have_is_refused(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('[[faults]]\nat_s = 1\ndevice = "controller"\nfault = "jam"\n', "utf-8")
    with pytest.raises(FileFaults, match="kill_before_commit"):
        load_scenario(path)


def test_orders_with_a_date_go_to_the_floor_before_those_that_came_earlier_without_one(tmp_path, capsys):
    path, data = tmp_path / "dated.toml", tmp_path / "dated"
    path.write_text(
        "[shift]\norders = 14\nseed = 3\n[demand]\nburst = 14\nshares = { plain = 1, dated = 1 }\n", "utf-8"
    )
    assert main(["sim", "run", str(path), "--json", "--data", str(data)]) == 0
    capsys.readouterr()
    with closing(sqlite3.connect(data / DATABASE)) as books:
        released = "SELECT json_extract(o.content, '$.ship_by') FROM journal j JOIN orders o USING (order_id) WHERE j.kind = 'OrderReleased' ORDER BY j.seq"
        dated = [ship_by is not None for (ship_by,) in books.execute(released)]

    assert len(dated) == 14 and 0 < dated.count(True) < 14
    assert dated == sorted(dated, reverse=True)


def test_an_empty_scenario_is_the_demo_shift():
    assert Scenario().shift.site == "sites/demo.toml"


# -- how long a shift may take -----------------------------------------------------------------------------------------------


def within(horizon_s, tmp_path, capsys):
    """Play a small shift that may take so long; None: as long as it likes."""
    path = tmp_path / "bounded.toml"
    path.write_text(as_toml(Scenario(shift=ShiftPart(orders=1, pixels=0), horizon_s=horizon_s), ()), "utf-8")
    return played(path, capsys)


def test_a_shift_is_looked_at_up_to_its_horizon_and_once_more_at_it(tmp_path, capsys):
    _, free = within(None, tmp_path, capsys)
    for more_s in (0.0, 0.5, 1.0):
        code, said = within(free["virtual_seconds"] + more_s, tmp_path, capsys)
        assert (code, said["broken"]) == (0, [])
        assert (said["journal_hash"], said["virtual_seconds"]) == (free["journal_hash"], free["virtual_seconds"])


@pytest.mark.parametrize("horizon_s", [0.25, 4.5, 5.0])
def test_a_shift_that_is_not_over_is_given_up_at_its_horizon_and_not_before(horizon_s, tmp_path, capsys):
    code, said = within(horizon_s, tmp_path, capsys)
    assert (code, said["virtual_seconds"]) == (1, horizon_s)
    assert [what.partition(":")[0] for what in said["broken"]] == ["liveness"]
