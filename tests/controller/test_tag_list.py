"""Tag lists as CSV with Kepware's columns, and from NodeSet2 files: there and back, and everything wrong told at once."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.__main__ import main
from controller.integrator.nodeset import read_nodeset
from controller.integrator.tag_list import COLUMNS, read_list, write_list
from packline.core.files import FileFaults, parse
from plc.links import Area
from plc.machine_file import MachineFile, load_machine
from plc.tags.model import Tag, TagType

HEAD = {"model": "m", "title": "t", "source": "s", "protocol": "modbus", "address_base": "modicon"}
FIGURES = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: abs(x) > 1e-6)
BASES = st.sampled_from([0, 1, "modicon"])
FIRST = {Area.COIL: 1, Area.DISCRETE: 100_001, Area.INPUT: 300_001, Area.HOLDING: 400_001}


@st.composite
def tags(draw) -> tuple[object, Tag]:
    """Give a base and a tag that such a list can say."""
    base = draw(BASES)
    area = draw(st.sampled_from(list(Area)))
    place = draw(st.integers(0, 65_000))
    raw: dict = {"area": area, "address": FIRST[area] + place if base == "modicon" else place + base}
    if area in (Area.COIL, Area.DISCRETE):
        raw["type"] = "bool"
    else:
        raw["type"] = draw(st.sampled_from([kind for kind in TagType if kind is not TagType.BITS]))
        if raw["type"] is TagType.BOOL:
            raw["bit"] = draw(st.integers(0, 15))
        elif raw["type"] is TagType.STRING:
            raw |= {"length": draw(st.integers(1, 100)), "order": draw(st.sampled_from(["ABCD", "BADC"]))}
        else:
            raw |= draw(st.just({}) | scalings())
    if area in (Area.COIL, Area.HOLDING):
        raw["access"] = draw(st.sampled_from(["r", "rw", "w"]))
    raw["poll"] = draw(st.sampled_from(["fast", "slow"]))
    raw["unit"] = draw(st.sampled_from(["", "kg", "Cel", "mm/s"]))
    raw["description"] = draw(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), max_size=20)
    )
    return base, Tag.model_validate(raw)


@st.composite
def scalings(draw) -> dict:
    raw = {"scale": draw(FIGURES), "offset": draw(FIGURES | st.just(0.0))}
    ends = sorted(draw(st.tuples(FIGURES, FIGURES)))
    return raw | ({"range": tuple(ends)} if ends[0] < ends[1] and draw(st.booleans()) else {})


SHORT = {"area": "holding", "address": 0, "type": "string", "length": 1, "order": "BADC"}


@example((0, Tag.model_validate(SHORT)))
@given(tags())
def test_what_a_list_can_say_comes_back_as_it_was(pair):
    base, tag = pair
    raw = {"machine": {**HEAD, "address_base": base}, "handshake": {"kind": "none"}, "tags": {"one": tag.model_dump()}}
    text, losses = write_list(parse(raw, MachineFile, "t"))
    found = read_list(text, "t", base)
    assert (found.faults, losses) == ([], [])
    assert _plain(found.tags["one"]) == _plain(tag)


def _plain(tag: Tag) -> dict:
    """A string's order may be unsaid, which is ABCD."""
    said = tag.model_dump(mode="json")
    return said | ({"order": said["order"] or "ABCD"} if tag.type is TagType.STRING else {})


def rows(*changes: dict) -> str:
    usual = {"Tag Name": "a", "Address": "400001", "Data Type": "Word", "Client Access": "RO"}
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for n, change in enumerate(changes):
        writer.writerow({**usual, "Tag Name": f"a{n}", **change})
    return text.getvalue()


@pytest.mark.parametrize(
    "change, word",
    [
        ({"Address": "4"}, "an address like 400001"),
        ({"Address": "400000"}, "from 1 to 65536"),
        ({"Address": "D100"}, "an address like 400001"),
        ({"Data Type": "BCD"}, "a data type of ours, not BCD"),
        ({"Client Access": "yes"}, "Client Access: one of"),
        ({"Scaling": "Square Root"}, "Scaling None or Linear"),
        ({"Scaling": "Linear", "Raw Low": "5", "Raw High": "5"}, "Raw High above Raw Low"),
        ({"Scaling": "Linear", "Raw Low": "five"}, "a number in Raw Low"),
        ({"Scan Rate": "NaN"}, "a number in Scan Rate"),
        ({"Data Type": "Float", "Scaling": "Linear", "Scaled Low": "0", "Scaled High": "0"}, "scale 0"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(change, word):
    (fault,) = read_list(rows({}, change), "list.csv", 0).faults
    assert fault.where == "list.csv line 3"
    assert word in fault.expected


def test_all_wrong_rows_are_told_at_once_and_two_tags_of_one_name_are_wrong():
    found = read_list(rows({"Address": "x"}, {"Data Type": "y"}, {"Tag Name": "p.q"}, {"Tag Name": "p q"}), "l", 0)
    assert [fault.where for fault in found.faults] == ["l line 2", "l line 3", "l line 5"]
    with pytest.raises(FileFaults):
        found.whole()


def test_a_list_without_its_columns_is_no_tag_list():
    (fault,) = read_list("name;address\n", "l", 0).faults
    assert "Tag Name" in fault.expected


def test_scaling_and_negation_become_scale_and_offset():
    linear = {"Scaling": "Linear", "Raw Low": "4000", "Raw High": "20000", "Scaled Low": "-10", "Scaled High": "150"}
    text = rows(
        linear | {"Data Type": "Short", "Clamp Low": "1", "Clamp High": "1"},
        {"Negate Value": "1"},
        linear | {"Negate Value": "1"},
    )
    one, two, three = read_list(text, "l", 0).whole().values()
    assert (one.scale, one.offset, one.range) == (0.01, -50.0, (-10, 150))
    assert (two.scale, two.offset) == (-1.0, 0.0)
    assert (three.scale, three.offset) == (-0.01, 50.0)


def test_an_input_register_is_read_only_whatever_the_list_says():
    found = read_list(rows({"Address": "300001", "Client Access": "R/W"}), "l", 0)
    assert found.tags["a0"].access == "r"
    assert "read only" in found.notes[0]


def test_what_a_list_cannot_say_is_told(tmp_path, capsys):
    raw = {
        "machine": HEAD,
        "handshake": {"kind": "none"},
        "tags": {
            "field": {"address": 400001, "type": "u16", "bits": [2, 5]},
            "swapped": {"address": 400002, "type": "f32", "order": "DCBA"},
            "held": {"address": 1, "type": "bool", "access": "rw", "safe": False},
            "once": {"address": 300001, "type": "i16", "poll": "once", "sentinels": [0x8000], "no_merge": True},
        },
    }
    _, losses = write_list(parse(raw, MachineFile, "t"))
    assert [line.partition(":")[0] for line in losses] == ["field", "swapped", "held", "once", "once", "once"]


NODESET = """<?xml version="1.0"?>
<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">
  <NamespaceUris><Uri>urn:press</Uri></NamespaceUris>
  <Aliases><Alias Alias="Float">i=10</Alias></Aliases>
  <UAObject NodeId="ns=1;s=Press" BrowseName="1:Press"/>
  <UAVariable NodeId="ns=1;s=Press.Force" BrowseName="1:Force" ParentNodeId="ns=1;s=Press" DataType="Float" AccessLevel="1">
    <Description>in newton</Description></UAVariable>
  <UAVariable NodeId="ns=1;i=77" BrowseName="1:Set point" ParentNodeId="ns=1;s=Press" DataType="i=5" AccessLevel="3"/>
  <UAVariable NodeId="ns=1;s=Press.Curve" BrowseName="1:Curve" DataType="Float" ValueRank="1"/>
  <UAVariable NodeId="ns=1;s=Press.At" BrowseName="1:At" DataType="i=294"/>
</UANodeSet>"""


def test_a_nodeset_gives_its_plain_variables_and_says_what_it_left_out():
    found = read_nodeset(NODESET.encode(), "n.xml")
    assert found.faults == []
    assert {name: (t.node, t.type, t.access) for name, t in found.tags.items()} == {
        "Press_Force": ("nsu=urn:press;s=Press.Force", "f32", "r"),
        "Press_Set_point": ("nsu=urn:press;i=77", "u16", "rw"),
    }
    assert [note.partition(":")[0] for note in found.notes] == ["Curve", "At"]


def test_a_source_without_anything_that_a_tag_can_be_says_so_and_changes_no_file(tmp_path, capsys):
    machine, source = tmp_path / "m.toml", tmp_path / "empty.xml"
    machine.write_text('[machine]\nmodel = "m"\n')
    source.write_text('<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"/>')
    assert main(["import", str(source), "--into", str(machine)]) == 0
    assert capsys.readouterr().err == f"{source}: nothing in it that a tag can be\n"
    assert machine.read_text() == '[machine]\nmodel = "m"\n'


@pytest.mark.parametrize("data", [b"<a/>", b"no xml", b'<!DOCTYPE x [<!ENTITY a "b">]><a>&a;</a>'])
def test_what_is_no_nodeset_is_refused(data):
    (fault,) = read_nodeset(data, "n.xml").faults
    assert fault.code == 4201


def test_tags_are_put_behind_a_machine_file_or_nothing_is_written(tmp_path, capsys):
    machine, listed = tmp_path / "m.toml", tmp_path / "l.csv"
    machine.write_text(
        '[machine]\nmodel = "m"\ntitle = "t"\nsource = "s"\nprotocol = "modbus"\naddress_base = 0\n'
        '[handshake]\nkind = "none"\n[tags]\nfirst = { address = 9, area = "holding", type = "u16" }\n'
    )
    listed.write_text(rows({}, {"Address": "300002"}))
    assert main(["import", str(listed), "--into", str(machine)]) == 0
    assert set(load_machine(machine).tags) == {"first", "a0", "a1"}
    assert load_machine(machine).wired["a1"].start == 1
    before = machine.read_text()
    assert main(["import", str(listed), "--into", str(machine)]) == 1
    assert machine.read_text() == before
    assert "names that the file has not yet" in capsys.readouterr().err
    assert main(["export", str(machine), "--out", str(tmp_path / "back.csv")]) == 0
    assert set(read_list((tmp_path / "back.csv").read_text(), "b", 0).whole()) == {"first", "a0", "a1"}
