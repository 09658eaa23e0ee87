"""Devices that no station has: declared in the site file, connected, and shown."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controller.links import Links
from controller.machine_files import scanner_file
from controller.placement import Equipment
from controller.site import ScannerPart, Site
from controller.snapshot import Snapshot
from controller.turns import Turns
from controller.whole_site import find_faults
from packline.core.clock import ManualClock
from packline.core.files import parse
from packline.core.ids import SeededIds
from packline.store import open_store
from plc.drivers.opening import open_link
from plc.machine_file import shipped_machine
from plc.plain_machine import PlainMachine
from plc.tag_scanner import TagScanner
from tests.plc.tables import Tables, TableStand
from tests.waiting import serving

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
MORE = """
[machines.belt-1]
file = "conveyor"
address = "127.0.0.1:15041"
mount = "twin"
security = "none: twin on this computer"

[machines.scale-1]
file = "checkweigher"
address = "127.0.0.1:15042"
mount = "twin"
security = "none: twin on this computer"

[scanners.scan-belt]
driver = "modbus"
address = "127.0.0.1:15043"
mount = "twin"
security = "none: twin on this computer"
"""
SCALE = """
[site]
name = "small"
title = "Small"
data = "data"
company_prefix = "9521321"
[stations]
[machines.scale-1]
file = "checkweigher"
address = "127.0.0.1:15042"
security = "none: this is a test"
"""


@pytest.fixture
def site_with(tmp_path: Path):
    """Write the demo's site file with more behind it."""

    def write(more: str) -> Path:
        path = tmp_path / "site.toml"
        path.write_text(DEMO.read_text("utf-8") + more, "utf-8")
        (tmp_path / "demo-items.csv").write_bytes((DEMO.parent / "demo-items.csv").read_bytes())
        return path

    return write


def test_site_may_have_devices_without_a_station(site_with):
    assert find_faults(site_with(MORE)) == []


def test_modbus_scanner_says_how_it_is_protected_and_has_a_file_with_the_parts_of_a_scanner(site_with):
    (fault,) = find_faults(site_with(MORE.rpartition("security")[0]))
    assert "scanners.scan-belt.security" in fault.where
    faults = find_faults(site_with(MORE + 'file = "bag_sealer"\n'))
    assert [fault.seen for fault in faults][:1] == ["no scan_number"]


def test_scanner_with_registers_is_made_from_its_machine_file():
    clock: Any = ManualClock()
    unused: Any = None
    links = Links(
        open_block=open_link, open_port=unused, open_line=unused, camera=unused, http=unused, carry=unused, video=unused,
        clock=clock, rng=random.Random(1),
    )  # fmt: skip
    part = ScannerPart(address="127.0.0.1:15043", driver="modbus")
    scanner = links.scanner("scan-belt", part, file=scanner_file(part, Path()))
    assert isinstance(scanner, TagScanner)
    assert (scanner.name, scanner.is_connected()) == ("scan-belt", False)
    assert scanner_file(ScannerPart(address="127.0.0.1:15043"), Path()) is None


async def test_snapshot_shows_a_device_without_a_station_with_its_tags():
    file = shipped_machine("checkweigher")
    stand = TableStand(file, Tables())
    stand.show(model_no=30, starts=1, weight=0.1, on_scale=True)
    machine = PlainMachine(**{**stand.given(), "name": "scale-1"})
    store = open_store("sqlite://", clock=stand.clock, ids=SeededIds("watched"), inline=True)
    recovery: Any = SimpleNamespace(findings=SimpleNamespace(as_dict=dict))
    snapshot = Snapshot(
        site=parse(tomllib.loads(SCALE), Site, "small"), store=store, posts={}, recovery=recovery, printers={}, cameras={},
        equipment=Equipment(machines={"scale-1": machine}, printers={}, cameras={}, scanners={}), clock=stand.clock,
        run_id="1", turns=Turns(stand.clock),
    )  # fmt: skip
    try:
        async with serving(machine.run()):
            await stand.do(machine.make_ready())
            await stand.rest(0.2)
            (device,) = (await snapshot.take())["devices"]
            stand.link.faults.is_cut = True
            await stand.until(lambda: not machine.view().is_good)
            (lost,) = (await snapshot.take())["devices"]
    finally:
        store.close()
    assert (device["name"], device["kind"], device["quality"]) == ("scale-1", "checkweigher", "good")
    assert {"name": "weight", "value": 0.1, "unit": "kg", "quality": "good"} in device["tags"]
    assert {tag["quality"] for tag in lost["tags"]} == {"stale"}
