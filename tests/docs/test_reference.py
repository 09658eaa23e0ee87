"""The reference pages are what the code says now."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from controller.__main__ import VERBS, main
from controller.commands.docs import all_pages
from controller.site import Site
from controller.site_file import NEEDS
from packline.core.effects import KINDS, EffectState
from packline.core.faults import FAULTS
from packline.core.ids import SeededIds
from packline.orders.model import OrderState, ParcelState, UnitState
from packline.orders.policy import Action, Reaction
from packline.orders.tracking import TRACKING
from plc.handshake import frames
from plc.handshake.frames import Command, Heartbeat, StateCommand, Status
from plc.machine_file import MachineFile, machines_folder
from plc.packml import State, name_of

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def made():
    return all_pages()


def committed(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def test_committed_pages_equal_a_fresh_making(made):
    stale = [name for name, text in made.items() if not (REFERENCE / name).exists() or committed(name) != text]
    assert not stale, f"run `make docs`: {', '.join(stale)}"


def test_nothing_lies_in_the_reference_that_is_neither_made_nor_written_by_hand(made):
    by_hand = {"glossary.md"}
    found = {str(path.relative_to(REFERENCE)) for path in REFERENCE.rglob("*") if path.is_file()}
    assert found == {*made, *by_hand}


def test_docs_verb_writes_what_changed_and_nothing_else(tmp_path, capsys):
    assert main(["docs", str(tmp_path)]) == 0
    first = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert main(["docs", str(tmp_path)]) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == first
    assert "0 changed: none" in capsys.readouterr().out


def test_defaults_stand_as_they_are_typed_and_what_may_be_left_out_in_brackets(made):
    page = made["command-line.md"]
    assert "| `--seeds A:B` | `0:20` |" in page and "| `--shard I/N` | `1/1` |" in page
    assert not re.search(r"`\[\]`|range\(|`\(\d", page)
    assert "packline sim report [FILE]" in page


def test_every_verb_has_its_heading(made):
    for verb in VERBS:
        assert f"\n## {verb}\n" in made["command-line.md"]


def test_every_fault_reaction_and_action_is_listed(made):
    page = made["faults.md"]
    assert all(f"| **{code}** |" in page for code in FAULTS)
    assert all(f"| `{name}` |" in page for name in (*Reaction, *Action))


def test_every_state_and_effect_kind_is_explained(made):
    page = made["lifecycles.md"]
    names = (*OrderState, *UnitState, *ParcelState, *EffectState, *KINDS)
    assert all(f"| `{name}` |" in page for name in names)
    assert all(f"| {state.value} | {name_of(state)} |" in page for state in State)


def test_every_station_kind_and_machine_file_is_listed(made):
    assert all(f"| `{kind}` |" in made["site-file.md"] for kind in NEEDS)
    shipped = [path.stem for path in machines_folder().glob("*.toml")]
    assert shipped
    assert all(f"\n## {name}\n" in made["machines.md"] for name in shipped)


def test_every_tracking_event_is_listed(made):
    assert all(f"`packline.{name}`" in made["tracking-events.md"] for name in TRACKING.values())


@pytest.mark.parametrize("name, model", [("site.schema.json", Site), ("machine.schema.json", MachineFile)])
def test_schema_describes_every_key_and_knows_the_same_keys_as_the_model(made, name, model):
    schema = json.loads(made[name])
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(model.model_fields)
    nodes = [schema, *schema["$defs"].values()]
    keys = [value for node in nodes for value in node.get("properties", {}).values()]
    assert all(value["description"].endswith((".", ")")) for value in keys)


# -- the registers that the handshake's page names are those that the frames use -------------------------------------------

ROW = re.compile(r"^\| (\d+)(?:-(\d+))? \| ([A-Z_0-9a-z ]+?) \|", re.MULTILINE)


def layout(made, block: str) -> dict[str, range]:
    page = made["handshake.md"]
    section = page.split(f"### {block}, ")[1].split("\n#")[0]
    return {name: range(int(first), int(last or first) + 1) for first, last, name in ROW.findall(section)}


def moved(before, after) -> set[int]:
    return {n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}


@pytest.mark.parametrize("block", [frames.CMD, frames.HB, frames.STATE, frames.STATUS])
def test_registers_of_a_block_are_named_once_each_without_a_gap(made, block):
    words = [word for span in layout(made, block).values() for word in span]
    assert words == list(range(frames.BLOCK_WORDS[block]))


ID = 0x0001_0001_0001
STATUS_FIELDS: dict[str, tuple[str, Any]] = {
    "boot": ("BOOT", 1),
    "state": ("STATE", 1),
    "mode": ("MODE", 1),
    "owner_epoch": ("OWNER_EPOCH", 0x10001),
    "owner_id": ("OWNER_ID", 0x10001),
    "ack": ("ACK_EPOCH ACK_SEQ", ID),
    "done": ("DONE_EPOCH DONE_SEQ", ID),
    "result": ("RESULT", 1),
    "rej": ("REJ_EPOCH REJ_SEQ", ID),
    "rej_code": ("REJ_CODE", 1),
    "job": ("JOB", 0x10001),
    "error": ("ERROR", 1),
    "data": ("DATA", (1, 1, 1, 1)),
    "fault": ("FAULT", 1),
    "safety": ("SAFETY", 1),
    "caps": ("CAPS", 1),
    "state_ack": ("STATE_ACK", 1),
    "spare": ("SPARE", (1,) * 6),
    "count": ("COUNT_A COUNT_B", 1),
}


@pytest.mark.parametrize("field", STATUS_FIELDS)
def test_status_registers_are_where_the_page_says(made, field):
    names, value = STATUS_FIELDS[field]
    spans = layout(made, frames.STATUS)
    touched = moved(frames.encode_status(Status()), frames.encode_status(Status(**{field: value})))
    expected = {word for name in names.split() for word in spans[name]}
    assert touched - set(spans["CRC"]) == expected


COMMAND_FIELDS: dict[str, tuple[str, Any]] = {
    "epoch": ("EPOCH", 0x10001),
    "seq": ("SEQ COMMIT", 1),
    "code": ("CODE", 1),
    "params": ("P0 to P7", (1,) * 8),
    "job": ("JOB", 0x10001),
}


@pytest.mark.parametrize("field", COMMAND_FIELDS)
def test_command_registers_are_where_the_page_says(made, field):
    names, value = COMMAND_FIELDS[field]
    spans = layout(made, frames.CMD)
    nothing: dict[str, Any] = {"epoch": 0, "seq": 0, "code": 0}
    before = frames.encode_command(Command(**nothing))
    touched = moved(before, frames.encode_command(Command(**{**nothing, field: value})))
    expected = {word for name in ([names] if " to " in names else names.split()) for word in spans[name]}
    assert touched - set(spans["CRC"]) == expected


def test_heartbeat_and_state_mailbox_are_as_the_page_says(made):
    beat, state = layout(made, frames.HB), layout(made, frames.STATE)
    words = frames.encode_heartbeat(Heartbeat(epoch=0x10002, counter=3))
    assert (words[beat["EPOCH"][0]], words[beat["EPOCH"][1]], words[beat["COUNTER"][0]]) == (1, 2, 3)
    words = frames.encode_state_command(StateCommand(epoch=0x10002, seq=3, command=4))
    seen = [words[word] for name in ("EPOCH", "SEQ", "CNTRLCMD", "COMMIT") for word in state[name]]
    assert seen == [1, 2, 3, 4, 3]


# -- tracking events really have the keys that the page lists --------------------------------------------------------------


async def test_event_data_has_the_keys_that_the_page_lists(made):
    from datetime import UTC, datetime

    from packline.core.clock import ManualClock
    from packline.orders.model import Event, OrderLine, PlaceOrder, Purchase
    from packline.store import open_store

    store = open_store("sqlite://", clock=ManualClock(), ids=SeededIds("docs"), inline=True)
    try:
        await store.outbox.set_subscribers([("archive", "archive")])
        line = OrderLine(line_no=1, sku="A", name="A", quantity=1, unit_minor=1)
        content = PlaceOrder(
            channel="shop", external_id="1", version=1, digest="", merchant="m", buyer="b",
            placed_at=datetime(2026, 1, 1, tzinfo=UTC), currency="CNY", lines=(line,), total_minor=1,
            purchase=Purchase.BOUGHT, paid=True, ship_to=None,
        )  # fmt: skip
        await store.books.record(
            Event(kind="OrderReceived", subject="shop-1", order_id="shop-1", data={"content": content})
        )
        (delivery,) = await store.outbox.claim(datetime(2026, 1, 2, tzinfo=UTC), 10)
    finally:
        store.close()
    section = made["tracking-events.md"].split("## Data")[1].split("##")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert set(delivery.body) == listed - {"link"}
