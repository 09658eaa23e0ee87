"""A shift that is listened to is the same shift; a page is written of recordings and of what is played for it."""

import json
import math
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.sim import report
from controller.commands.sim.recorded import play_recorded
from controller.commands.sim.scenario import shift_of
from controller.commands.sim.scenario_file import FaultPart, Scenario, ShiftPart
from controller.commands.sim.shift.playing import play
from simulation.recording.files import write
from simulation.recording.rows import STATES
from simulation.report.figures import figures_of
from tests.report.shifts import recording

pytestmark = pytest.mark.timeout(300)
FAULTS = (
    FaultPart(at_s=1.5, device="packer-1", fault="jam", times=1, for_s=2.0),
    FaultPart(at_s=1.0, device="scan-gate", fault="no_read", times=1, for_s=30.0),
)

SCENARIO = Scenario(shift=ShiftPart(orders=1), faults=FAULTS)


@pytest.fixture(scope="module")
def shift(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shift")
    return shift_of(SCENARIO, folder / "scenario.toml", folder)


@pytest.fixture(scope="module")
def recorded(shift):
    return play_recorded(shift, SCENARIO)


def test_a_shift_that_is_recorded_has_the_journal_and_the_truth_of_one_that_is_not(shift, recorded):
    played, alone = recorded[0], play(shift)

    assert (played.journal, played.truth, played.virtual_s) == (alone.journal, alone.truth, alone.virtual_s)


def test_a_run_and_its_report_count_percentiles_in_one_way_and_the_rate_from_where_they_say(tmp_path):
    scenario = Scenario(shift=ShiftPart(orders=4, pixels=0))
    played, found = play_recorded(shift_of(scenario, tmp_path / "scenario.toml", tmp_path), scenario)
    figures, numbers = played.figures, figures_of(found).numbers

    assert figures["p50_flow_s"] == pytest.approx(numbers["cycle_p50_s"], abs=0.06)
    assert figures["p95_flow_s"] == pytest.approx(numbers["cycle_p95_s"], abs=0.06)
    assert figures["p95_flow_s"] < figures["most_flow_s"]
    last_s = max(parcel.ended_s for parcel in found.parcels if parcel.ended_s is not None)
    lasted_s = last_s - min(parcel.begun_s for parcel in found.parcels)
    assert figures["parcels_per_hour"] == pytest.approx(numbers["throughput_per_h"] * last_s / lasted_s, abs=0.02)


def test_every_machine_is_in_one_state_at_any_time_and_was_at_work(recorded):
    machines = figures_of(recorded[1]).machines

    assert {machine.name for machine in machines} == {"turntable-1", "arm-1", "gate-1", "packer-1"}
    assert [math.fsum(machine.shares.values()) for machine in machines] == pytest.approx([1.0] * 4, abs=1e-9)
    assert all(machine.shares["busy"] > 0 and machine.shares["starved"] > 0 for machine in machines)
    assert all(set(machine.shares) == set(STATES) for machine in machines)


def test_a_jam_is_on_the_machines_record_and_on_the_faults(recorded):
    found = recorded[1]
    packer = next(machine for machine in figures_of(found).machines if machine.name == "packer-1")

    assert ("packer-1", "jam") in {(fault.device, fault.fault) for fault in found.faults}
    assert packer.shares["down"] + packer.shares["held"] > 0
    assert packer.failed == 1 and packer.oee.effectiveness < 1


def test_what_a_scanner_did_not_read_at_first_is_counted(recorded):
    (gate,) = (row for row in recorded[1].scanners if row.name == "scan-gate")

    assert gate.first - gate.read == 1


def test_every_parcel_has_its_way_from_the_first_hand_to_the_door(recorded):
    played, found = recorded
    gone = [parcel for parcel in found.parcels if parcel.ended == "left"]

    assert len(gone) == played.figures["parcels_shipped"] == 1
    for parcel in gone:
        assert parcel.order and parcel.labels == 1 and parcel.is_verified
        assert [at for at, _ in parcel.visits] == sorted(at for at, _ in parcel.visits)
        assert {"item in", "sealed", "label on", "left"} <= {what for _, what in parcel.marks}


def test_every_order_has_come_and_ended(recorded):
    assert [order.ended for order in recorded[1].orders] == ["closed"]


def test_what_is_played_against_a_recording_has_its_seed(tmp_path, capsys):
    (tmp_path / "one.toml").write_text("[shift]\norders = 1\nseed = 3\n")
    write(recording(seed=7), tmp_path / "kept.jsonl")
    page = tmp_path / "page.html"
    words = ["sim", "report", str(tmp_path / "kept.jsonl"), "--against", str(tmp_path / "one.toml"), "--out", str(page)]

    assert main([*words, "--json"]) == 0

    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["seeds"] == told["against"]["seeds"] == [7]
    assert told["differences"]["parcels"]["estimate"] == -3
    assert told["differences"]["parcels"]["paired"] is True
    assert "one − kept" in page.read_text()


def test_recordings_of_one_scenario_stand_together_with_intervals(tmp_path, capsys):
    for seed in range(3):
        write(recording(seed=seed, flow_s=100.0 + seed), tmp_path / f"{seed}.jsonl")
    words = [str(tmp_path / f"{seed}.jsonl") for seed in range(3)]

    assert main(["sim", "report", *words, "--out", str(tmp_path / "page.html"), "--json"]) == 0

    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["seeds"] == [0, 1, 2]
    assert told["figures"]["cycle_mean_s"] == pytest.approx({"estimate": 116, "half": 4.303 / math.sqrt(3)}, rel=1e-3)


def test_shifts_of_one_file_with_another_number_of_orders_typed_are_not_one_scenario(tmp_path, capsys):
    shipped = tmp_path / "s.toml"
    shipped.write_text("[shift]\norders = 2\npixels = 0\n")
    for seed, orders in ((1, 1), (2, 2), (3, 2)):
        words = [
            str(shipped),
            "--orders",
            str(orders),
            "--seed",
            str(seed),
            "--record",
            str(tmp_path / f"{seed}.jsonl"),
        ]
        assert main(["sim", "run", *words]) == 0
    one, two, three = (str(tmp_path / f"{seed}.jsonl") for seed in (1, 2, 3))

    assert main(["sim", "report", one, two, "--out", str(tmp_path / "p")]) == 1
    assert "2 scenarios" in capsys.readouterr().err
    assert main(["sim", "report", two, three, "--out", str(tmp_path / "p")]) == 0


@pytest.mark.parametrize(
    "second, seen", [({"seed": 1}, "seed 1 twice"), ({"seed": 2, "scenario": "other"}, "2 scenarios")]
)
def test_recordings_that_do_not_belong_together_are_refused(tmp_path, capsys, second, seen):
    write(recording(seed=1), tmp_path / "a.jsonl")
    write(recording(**second), tmp_path / "b.jsonl")

    assert (
        main(["sim", "report", str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl"), "--out", str(tmp_path / "p")]) == 1
    )
    assert seen in capsys.readouterr().err


@pytest.mark.parametrize("side", ["files", "against"])
def test_a_page_never_takes_the_place_of_what_it_tells_of(tmp_path, capsys, side):
    for name in ("a", "b"):
        write(recording(), tmp_path / f"{name}.jsonl")
    words = ["sim", "report", str(tmp_path / "a.jsonl"), "--against", str(tmp_path / "b.jsonl")]
    taken = tmp_path / ("a.jsonl" if side == "files" else "b.jsonl")
    before = taken.read_bytes()

    assert main([*words, "--out", str(tmp_path / "." / taken.name)]) == 1
    assert "one of the files to report on" in capsys.readouterr().err
    assert taken.read_bytes() == before


def test_a_page_on_a_shift_that_was_not_well_ends_with_one_and_the_terminal_says_what_was_wrong_first(tmp_path, capsys):
    write(recording(is_well=False, broken=("label: one too many", "missed x")), tmp_path / "a.jsonl")
    write(recording(is_well=False), tmp_path / "b.jsonl")
    words = [str(tmp_path / "a.jsonl"), "--against", str(tmp_path / "b.jsonl"), "--out", str(tmp_path / "page.html")]

    assert main(["sim", "report", *words]) == 1
    first, second, _ = capsys.readouterr().out.splitlines()
    assert first == "a, seed 1: label: one too many, and 1 more"
    assert second == "b, seed 1: not every order ended well"

    assert main(["sim", "report", *words, "--json"]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["broken"] == {"1": ["label: one too many", "missed x"]}
    assert told["against"]["broken"] == {"1": ["not every order ended well"]}


def test_two_sides_of_one_file_have_names_that_tell_them_apart(tmp_path, capsys):
    write(recording(), tmp_path / "a.jsonl")
    page = tmp_path / "page.html"
    words = [str(tmp_path / "a.jsonl"), "--against", str(tmp_path / "a.jsonl"), "--out", str(page), "--json"]

    assert main(["sim", "report", *words]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["name"], told["against"]["name"]) == ("a (first)", "a (second)")
    assert "a (second) − a (first)" in page.read_text()


@pytest.mark.parametrize(
    "words, seen",
    [
        (["ONE", "OTHER"], "2 scenarios"),
        (["ONE", "ONE"], "seed 3 twice"),
        (["ONE", "--against", "OTHER", "--against", "OTHER"], "seed 3 twice"),
        (["KEPT", "ONE"], "2 scenarios"),
        (["ONE", "--against", "sites/model-line.toml"], "a [model]"),
        (["ONE", "--against", "BARE"], "no [twin]"),
        (["ONE", "--against", "EXPECTS", "--orders", "1"], "2"),
    ],
)
def test_what_cannot_stand_together_is_refused_before_anything_is_played(words, seen, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report, "play_one", lambda _: pytest.fail("it was played"))
    shift = "[shift]\norders = 2\nseed = 3\n"
    files = {
        "ONE": shift,
        "OTHER": f"{shift}pixels = 0\n",
        "EXPECTS": f"{shift}[expect]\norders_over = 2\n",
        "BARE": Path("sites/demo.toml").read_text().partition("\n[twin]")[0],
    }
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)
    write(recording(), tmp_path / "KEPT.jsonl")
    places = {**{name: str(tmp_path / f"{name}.toml") for name in files}, "KEPT": str(tmp_path / "KEPT.jsonl")}

    page = str(tmp_path / "page.html")
    assert main(["sim", "report", *(places.get(word, word) for word in words), "--out", page, "--json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert fault["seen"] == seen


def test_words_on_how_to_play_are_not_taken_for_recordings(tmp_path, capsys):
    recording = tmp_path / "shift.jsonl"
    recording.write_text("")
    words = ["--orders", "3", "--seed", "2", "--replications", "1"]
    assert main(["sim", "report", str(recording), *words, "--json"]) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [fault["where"] for fault in said["faults"]] == ["--orders", "--seed", "--replications"]
    assert {fault["expected"] for fault in said["faults"]} == {"only for what is played"}


def test_what_cannot_be_read_is_told_before_anything_is_played(tmp_path, capsys):
    gone = tmp_path / "gone.jsonl"
    assert main(["sim", "report", "sites/demo.toml", "--orders", "1", "--against", str(gone), "--json"]) == 1
    said = capsys.readouterr()
    (fault,) = json.loads(said.out.splitlines()[-1])["faults"]
    assert (fault["where"], fault["expected"]) == (str(gone), "a recording that can be read")
    assert "is played" not in said.err
