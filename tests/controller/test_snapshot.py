"""The devices of the live snapshot: each with its quality, and with a fault where something is wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controller.site_file import load_site
from controller.snapshot import Snapshot
from labeling.printer import PrinterStatus
from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import Store, open_store
from tests.crash.nursery import ROOT

WELL = PrinterStatus(connected=True, online=True, paper=True)


class Quiet:
    """Stands for a station, a machine or a scanner of which nothing is said here."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.file = SimpleNamespace(machine=SimpleNamespace(model="applicator", protocol="modbus"))
        self.connected = True

    def is_connected(self) -> bool:
        return self.connected

    def view(self) -> Any:
        return SimpleNamespace(quality="good", state="Held", owned=True, faults=(2002,), own_faults=(2,), inputs={})

    def snapshot(self) -> dict[str, Any]:
        return {"name": self.name, "state": "idle", "hold_by": "", "fault": None, "next": {}}


class Every(dict[str, Any]):
    """Has a quiet one for every name."""

    def __missing__(self, name: str) -> Quiet:
        return self.setdefault(name, Quiet(name))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'books.db'}", clock=ManualClock(), ids=SeededIds("s"), inline=True)
    yield opened
    opened.close()


async def devices(
    store: Store,
    station: str,
    *,
    printers: dict[str, PrinterStatus] | None = None,
    cameras: dict[str, int] | None = None,
) -> dict[str, dict[str, Any]]:
    """Give the devices of a station of the demo's site by name."""
    site = load_site(ROOT / "sites" / "demo.toml")
    equipment: Any = SimpleNamespace(machines=Every(), scanners=Every())
    recovery: Any = SimpleNamespace(findings=SimpleNamespace(as_dict=lambda: None))
    snapshot = Snapshot(
        site=site,
        store=store,
        posts=Every(),
        equipment=equipment,
        recovery=recovery,
        printers=printers or {},
        cameras=cameras or {},
        clock=ManualClock(),
        run_id=f"{random.Random(1).randrange(99):08x}",
    )
    taken = await snapshot.take()
    assert taken["line"]["wip_limit"] == site.policy.wip_limit
    found = next(one for one in taken["stations"] if one["name"] == station)
    return {device["name"]: device for device in found["devices"]}


@pytest.mark.parametrize(
    "status, faults, quality, state",
    [
        (WELL, [], "good", "ready"),
        (PrinterStatus(connected=True, online=False, paper=False), [2101], "good", "not_ready"),
        (PrinterStatus(connected=True, online=False, paper=False, cover_open=True), [2102, 2101], "good", "not_ready"),
        (PrinterStatus(), [1001], "absent", "offline"),
        (PrinterStatus(silent=True), [2103], "absent", "offline"),
    ],
)
async def test_a_printers_trouble_is_told_while_nobody_prints(
    store: Store, status: PrinterStatus, faults: list[int], quality: str, state: str
) -> None:
    printer = (await devices(store, "label-1", printers={"printer-1": status}))["printer-1"]
    assert (printer["faults"], printer["quality"], printer["state"]) == (faults, quality, state)


@pytest.mark.parametrize(
    "cameras, faults, quality",
    [({"cam-verify": 0}, [], "good"), ({"cam-verify": 1005}, [1005], "absent"), ({"cam-verify": 2201}, [2201], "good")],
)
async def test_a_camera_is_a_device_of_its_station(
    store: Store, cameras: dict[str, int], faults: list[int], quality: str
) -> None:
    camera = (await devices(store, "label-1", cameras=cameras))["cam-verify"]
    assert (camera["kind"], camera["faults"], camera["quality"]) == ("camera", faults, quality)
    assert camera["address"] == "127.0.0.1:18082"


async def test_what_was_not_looked_at_yet_is_absent_and_has_no_fault(store: Store) -> None:
    found = await devices(store, "label-1")
    assert [(found[name]["quality"], found[name]["faults"]) for name in ("printer-1", "cam-verify")] == [
        ("absent", []),
        ("absent", []),
    ]


async def test_a_machine_tells_its_own_number(store: Store) -> None:
    arm = (await devices(store, "label-1"))["arm-1"]
    assert (arm["faults"], arm["own_faults"]) == ([2002], [2])
