"""What lint says of machine files that load, and what loading refuses."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.core.files import FileFaults, parse
from plc.kinds import machine_class
from plc.lint import Report, lint, plan_lines, plans_of
from plc.machine import Machine
from plc.machine_file import MachineFile, load_machine, machines_folder
from plc.machine_jobs import PlainJob, Proof
from plc.plain_machine import PlainMachine
from plc.tags.bounds import raw_bounds
from plc.tags.model import Poll
from tests.plc.test_plain_machine import FILE as PRESS
from tests.plc.test_tagged_machine import TAGS

SHIPPED = sorted(machines_folder().glob("*.toml"))


def arm(text: str = TAGS) -> dict[str, Any]:
    raw = tomllib.loads((machines_folder() / "applicator.toml").read_text("utf-8"))
    return {**raw, **tomllib.loads(text)}


def press() -> dict[str, Any]:
    return tomllib.loads(PRESS)


def report(raw: dict[str, Any]) -> Report:
    return lint(parse(raw, MachineFile, "t"))


def words(raw: dict[str, Any]) -> str:
    return "\n".join(f"{f.level} {f.where} {f.what}" for f in report(raw).findings)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_are_clean(path):
    found = lint(load_machine(path))
    assert found.is_clean, found.findings


def test_plan_is_shown_with_requests_registers_and_fill():
    raw = arm(TAGS.replace("[expect]", "[limits]\nmax_gap = 10\n[expect]"))
    lines = list(plan_lines(parse(raw, MachineFile, "t")))
    assert lines[0] == "fast: 3 requests for 4 tags, 13 registers, 38% filled"
    assert "  holding 300 +11  27%  weight_g, speed" in lines
    assert set(plans_of(parse(raw, MachineFile, "t"))) == {Poll.FAST, Poll.SLOW, Poll.ONCE}


@pytest.mark.parametrize(
    "change, said",
    [
        ({"tags": {"twin": {"address": 301, "area": "holding", "type": "u16"}}}, "warning tags.twin lies on the same bits as tag weight_g"),
        ({"tags": {"peek": {"address": 130, "area": "holding", "type": "u16"}}}, "reads words of block STATUS"),
        ({"tags": {"mute": {"address": 400, "area": "holding", "type": "u16", "access": "w"}}}, "never read, and no job"),
        ({"tags": {"far": {"address": 400, "area": "holding", "type": "u16", "range": [70000, 80000]}}}, "no raw value"),
        ({"tags": {"one": {"address": 400, "area": "holding", "type": "bool", "bit": 1, "access": "rw"}}}, "changing the bits"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_found(change, said):
    raw = arm()
    raw["tags"] = {**raw["tags"], **change["tags"]}
    assert said in words(raw)


@pytest.mark.parametrize("bits, is_warned", [([2, 5], False), ([16, 20], False), ([12, 17], True)])
def test_bits_that_the_device_changes_by_itself_are_fine_as_long_as_they_lie_in_one_register(bits, is_warned):
    raw = arm() | {"limits": {"mask_write": True}}
    field = {"address": 400, "area": "holding", "type": "u32", "bits": bits, "access": "rw"}
    raw["tags"] = {**raw["tags"], "field": field}
    assert ("changing the bits" in words(raw)) is is_warned


def test_two_bits_of_one_register_are_no_overlap():
    raw = arm()
    raw["tags"] |= {f"b{n}": {"address": 400, "area": "holding", "type": "bool", "bit": n} for n in range(16)}
    assert report(raw).is_clean


def test_plain_machine_wants_an_identity_and_a_proof_that_ends():
    raw = press()
    assert "error" not in words(raw)
    del raw["expect"]
    assert "warning expect nothing shows" in words(raw)
    del raw["jobs"]["eject"]["reset"]
    assert "warning jobs.eject its end is a level that nothing takes back" in words(raw)
    raw["jobs"]["eject"]["params"]["lane"]["max"] = 9
    assert "error jobs.eject.params.lane allows 1 to 9, but tag lane takes only 0 to 3" in words(raw)


def test_plain_machine_tells_that_it_notices_no_second_controller():
    assert "hint handshake.kind a second controller on this machine is not noticed" in words(press())
    assert "second controller" not in words(arm())


@given(st.integers(0, 15), st.integers(0, 15))
def test_bounds_of_a_bit_field_are_those_of_its_bits(low, size):
    high = min(15, low + size)
    raw = arm()
    raw["tags"] = {"f": {"address": 400, "area": "holding", "type": "bits", "bits": [low, high]}}
    raw.pop("expect"), raw.pop("capability")
    assert raw_bounds(parse(raw, MachineFile, "t").tags["f"]) == (0, 2 ** (high - low + 1) - 1)


# -- what loading refuses ----------------------------------------------------------------------------------------------


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(FileFaults) as faults:
        parse(raw, MachineFile, "t")
    return str(faults.value)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda d: d.update(expect={"x": {"tag": "none", "equals": 1}}), "saw none, expected a tag"),
        (lambda d: d.update(capability={"carton_present": "none"}), "saw none, expected a tag"),
        (lambda d: d.update(capability={"eye": "speed"}), "a name that no tag and no input has"),
        (lambda d: d["inputs"].update(w={"tag": "weight_g"}), "whole number without scale"),
        (lambda d: d["inputs"].update(w={"word": 33, "tag": "eye"}), "either its word or its tag"),
        (lambda d: d["inputs"].update(speed={"word": 33}), "both tag and input"),
        (lambda d: d["tags"]["speed"].update(access="w") or d["expect"]["model"].update(tag="speed"), "is never read"),
        (lambda d: d["tags"]["speed"].update(address=10), "inside block CMD"),
        (lambda d: d.update(limits={"max_read": 1}), "saw 2 registers, expected 1 at most"),
        (lambda d: d.update(limits={"write_function": 6}) or d["tags"]["weight_g"].update(access="rw"), "what can be written in one request"),
        (lambda d: d.update(limits={"max_read": 126}), "a number 1 to 125"),
        (lambda d: d.update(handshake={"kind": "none"}), "blocks of a plain machine"),
        (lambda d: d.pop("blocks"), "expected the four blocks"),
        (lambda d: d["tags"]["speed"].update(adress=1), "adress"),
        (lambda d: d["machine"].update(kind="no such kind"), "text of the form"),
        (lambda d: d["tags"].update({"two words": {"type": "u16"}}), "two words"),
    ],
)  # fmt: skip
def test_file_whose_parts_do_not_fit_together_is_refused(change, said):
    raw = arm()
    change(raw)
    assert said in refusal(raw)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda d: d["jobs"]["apply"]["write"].append({"tag": "count", "value": 1}), "expected a tag that may be written"),
        (lambda d: d["jobs"]["eject"]["write"].append({"tag": "lane", "from": "speed"}), "expected a parameter of the job"),
        (lambda d: d["jobs"]["eject"]["write"].append({"tag": "lane"}), "either value or from"),
        (lambda d: d["jobs"]["eject"]["done"].update(rises=1), "exactly one of equals, min, rises"),
        (lambda d: d["jobs"]["eject"]["done"].update(tag="none"), "expected a tag of the file"),
        (lambda d: d["jobs"]["eject"].update(code=16), "code"),
        (lambda d: d["jobs"].update(dance=d["jobs"].pop("eject")), "dance"),
        (lambda d: d.update(inputs={"x": {"word": 33}}), "no status words"),
        (lambda d: d.pop("tags"), "tag"),
        (lambda d: d["capability"].update(boot="done_by"), "expected a tag of the file"),
        (lambda d: d["handshake"].update(kind="packline"), "expected the four blocks"),
    ],
)  # fmt: skip
def test_plain_file_whose_parts_do_not_fit_together_is_refused(change, said):
    raw = press()
    change(raw)
    assert said in refusal(raw)


@pytest.mark.parametrize(
    "tag, said",
    [
        ({"type": "u16", "safe": 70_000}, "does not fit into u16"),
        ({"type": "u16", "safe": 1.5}, "no whole number"),
        ({"type": "u16", "safe": 7, "sentinels": [7]}, "would mean no value"),
        ({"type": "string", "length": 2, "safe": "abcdefgh"}, "does not fit into 4 characters"),
        ({"type": "bits", "bits": [0, 2], "safe": 8}, "does not fit into bits 0 to 2"),
    ],
)
def test_safe_value_that_could_not_be_written_is_refused_before_it_is_needed(tag, said):
    raw = press()
    raw["tags"]["held"] = {"address": 900, "area": "holding", "access": "rw", **tag}
    assert f"[tags.held.safe], saw {tag['safe']!r}, expected a value that can be written" in refusal(raw)
    assert said in refusal(raw)


def test_value_of_a_job_that_its_tag_never_takes_is_refused():
    raw = press()
    raw["jobs"]["eject"]["write"].append({"tag": "lane", "value": 70_000})
    assert "expected a value that can be written" in refusal(raw)


def test_opcua_file_wants_whole_nodes_where_it_writes():
    raw = tomllib.loads((machines_folder() / "packer.toml").read_text("utf-8"))
    raw["tags"] = {"a": {"node": "M.A", "type": "bool", "bit": 3, "access": "rw", "safe": False}}
    assert "[tags.a.access], saw rw, expected a whole node" in refusal(raw)
    raw["tags"]["a"] = {"node": "M.A", "type": "bool", "bit": 3}
    assert parse(raw, MachineFile, "t").tags["a"].is_part


def test_opcua_file_wants_nodes_and_a_namespace():
    raw = tomllib.loads((machines_folder() / "packer.toml").read_text("utf-8"))
    raw["tags"] = {"a": {"address": 1, "area": "holding", "type": "u16"}}
    assert "says its node" in refusal(raw)
    raw["tags"] = {"a": {"node": "M.A", "type": "u16"}}
    assert parse(raw, MachineFile, "t").wired["a"].node == ("urn:packline:machine", "s=M.A")


@given(before=st.integers(0, 65535), risen=st.integers(0, 65535), rises=st.integers(1, 100))
def test_counter_proves_a_job_only_if_it_rose_by_exactly_what_was_ordered(before, risen, rises):
    proof = Proof(tag="t", rises=rises)
    assert proof.holds((before + risen) % 65536, before, 65536) is (risen == rises)


def test_plain_job_takes_exactly_its_parameters():
    job = parse(press(), MachineFile, "t").jobs["eject"]
    assert isinstance(job, PlainJob)
    assert job.values({"lane": 2}, "x") == {"lane": 2}
    with pytest.raises(Fault):
        job.values({"lane": 0}, "x")


# -- kinds -------------------------------------------------------------------------------------------------------------


def test_kind_is_the_handshake_the_plain_one_or_a_class_that_the_file_names():
    assert machine_class(parse(arm(), MachineFile, "t")) is Machine
    assert machine_class(parse(press(), MachineFile, "t")) is PlainMachine
    raw = press()
    raw["machine"]["kind"] = "plc.plain_machine:PlainMachine"
    assert machine_class(parse(raw, MachineFile, "t")) is PlainMachine


@pytest.mark.parametrize("kind", ["no_such_kind", "plc.nowhere:Machine", "plc.kinds:Nobody", "plc.kinds:GROUP"])
def test_kind_that_is_not_there_is_named(kind):
    raw = press()
    raw["machine"]["kind"] = kind
    with pytest.raises(Fault) as fault:
        machine_class(parse(raw, MachineFile, "t"))
    assert fault.value.code == 4201
