"""Machine files: what ships is right, and what is wrong is named."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.effects import KINDS
from packline.core.faults import Fault
from packline.core.files import FileFaults, parse
from plc.handshake import frames
from plc.machine_file import MachineFile, load_machine, machines_folder, shipped_machine
from plc.machine_jobs import Job

TURN = shipped_machine("turntable").commands["turn"]
SHIPPED = sorted(path.stem for path in machines_folder().glob("*.toml"))


def raw(name: str = "turntable") -> dict:
    return tomllib.loads((machines_folder() / f"{name}.toml").read_text("utf-8"))


def complaints(change) -> list[Fault]:
    data = raw()
    change(data)
    with pytest.raises(FileFaults) as faults:
        parse(data, MachineFile, "turntable.toml")
    return faults.value.faults


def test_machines_that_ship_are_there():
    assert SHIPPED == [
        "applicator", "bag_sealer", "checkweigher", "conveyor", "courier_gate", "modbus_scanner", "packer", "packer_modbus",
        "paddle_hub", "turntable",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_file_is_right(name):
    file = load_machine(machines_folder() / f"{name}.toml")
    assert file.model == name
    assert file.simulation["behaviour"] == name.removesuffix("_modbus")
    assert file.jobs.keys() <= KINDS.keys()


def test_machines_that_ship_can_do_every_effect_but_printing():
    assert {kind for name in SHIPPED for kind in shipped_machine(name).jobs} == KINDS.keys() - {"print"}


@pytest.mark.parametrize("base,cmd,register", [(0, 0, 0), (1, 1, 0), ("modicon", 40001, 0), ("modicon", 400101, 100)])
def test_address_base_says_how_registers_are_counted(base, cmd, register):
    data = raw()
    data["machine"]["address_base"] = base
    del data["tags"], data["expect"]
    offset = cmd - register
    data["blocks"] = {"cmd": cmd, "hb": 200 + offset, "state": 300 + offset, "status": 400 + offset}
    assert parse(data, MachineFile, "t").register(frames.CMD) == register


def test_modbus_file_must_say_its_address_base():
    (fault,) = complaints(lambda d: d["machine"].pop("address_base"))
    assert "address_base" in fault.text()


def test_typo_is_named_with_a_suggestion():
    faults = complaints(lambda d: d["machine"].update(pol_ms=20))
    assert (faults[0].code, faults[0].seen) == (4202, "pol_ms")
    assert "poll_ms" in faults[0].remedy


@pytest.mark.parametrize(
    "change,word",
    [
        (lambda d: d["blocks"].update(hb=10), "overlap"),
        (lambda d: d["blocks"].update(status=65530), "outside"),
        (lambda d: d["blocks"].update(cmd="Machine.CMD"), "register numbers"),
        (lambda d: d["jobs"]["light"].update(code=16), "share a code"),
        (lambda d: d["jobs"]["light"].update(code=15), "a number 16 to 65535"),
        (lambda d: d["jobs"].update(dance=d["jobs"].pop("light")), "dance"),
        (lambda d: d["faults"]["bits"].update({"1": 2002}), "2..15"),
        (lambda d: d["faults"]["errors"].update({"9": 9999}), "house fault"),
        (lambda d: d["machine"].update(protocol="opcua"), "namespace"),
        (lambda d: d["inputs"]["item_present"].update(word=31), "32"),
        (lambda d: d["packml"].update(disabled=["Execute"]), "Execute"),
    ],
)
def test_contradiction_is_named(change, word):
    assert any(word in fault.text() for fault in complaints(change))


def test_contradictions_of_a_whole_file_are_all_told_with_their_places():
    def change(data):
        data["machine"]["poll_ms"] = 1
        data["blocks"]["hb"] = data["blocks"]["cmd"]
        data["jobs"]["dance"] = {**data["jobs"]["light"]}
        data["faults"]["bits"]["1"] = 2002

    faults = complaints(change)
    places = [fault.where.partition(" ")[2] for fault in faults]
    assert {"[machine.poll_ms]", "[faults.bits.1]", "[jobs.dance]", "[jobs.dance.code]"} <= set(places)
    assert any(place.startswith("[blocks.") for place in places)
    assert "[]" not in places and all("Value error" not in fault.text() and fault.seen for fault in faults)


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileFaults) as faults:
        load_machine(tmp_path / "none.toml")
    assert faults.value.faults[0].code == 4201


def test_opcua_machine_gives_node_ids_and_no_registers():
    file = shipped_machine("packer")
    assert file.node(frames.STATUS) == ("urn:packline:machine", "Machine.STATUS")
    with pytest.raises(Fault):
        file.register(frames.STATUS)
    with pytest.raises(Fault):
        shipped_machine("turntable").node(frames.STATUS)


@given(st.floats(0, 360))
def test_scaled_parameter_is_rounded_to_its_word_and_allowed(angle):
    words = TURN.words({"angle_deg": angle}, "t")
    assert abs(words[0] - angle * 10) <= 0.5
    assert TURN.allows(words)


@given(
    st.one_of(
        st.floats(360.1, 1e9), st.floats(-1e9, -0.1), st.just(float("nan")), st.just(float("inf")), st.text(), st.none()
    )
)
def test_parameter_out_of_range_is_refused(angle):
    with pytest.raises(Fault) as fault:
        TURN.words({"angle_deg": angle}, "t")
    assert fault.value.code == 4201


def test_results_are_named_by_the_file():
    job = Job(code=20, timeout_s=1, results={"count": 24, "weight_g": 27})
    assert job.read_results((1, 2, 3, 4)) == {"count": 1, "weight_g": 4}


def test_scan_gate_parameters_are_those_of_its_lamp():
    job = shipped_machine("courier_gate").commands["light"]
    assert job.words({"lamp": 3}, "g")[0] == 3
    with pytest.raises(Fault):
        job.words({"lamp": 4}, "g")


def test_a_changed_copy_works_out_anew_what_the_file_it_was_made_of_has_worked_out():
    file = shipped_machine("checkweigher")
    assert "weight" in file.wired and file.parts
    assert not {"wired", "parts", "commands", "plain_jobs"} & file.model_copy(update={"tags": {}}).__dict__.keys()
