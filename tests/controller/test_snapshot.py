"""The devices of the live snapshot: each with its quality, and with a fault where something is wrong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controller.site_file import load_site
from controller.snapshot import GATHER_S, Snapshot
from controller.turns import Turns
from labeling.printer import PrinterStatus
from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import Store, open_store
from tests.crash.nursery import ROOT
from tests.waiting import let_run

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


def look(store: Store, **changes: Any) -> Snapshot:
    """Make what looks at the demo's site."""
    equipment: Any = SimpleNamespace(machines=Every(), scanners=Every())
    recovery: Any = SimpleNamespace(findings=SimpleNamespace(as_dict=lambda: None))
    given = {"posts": Every(), "printers": {}, "cameras": {}, "clock": ManualClock(), "turns": Turns(ManualClock())}
    run_id = f"{random.Random(1).randrange(99):08x}"
    site = load_site(ROOT / "sites" / "demo.toml")
    return Snapshot(
        site=site, store=store, equipment=equipment, recovery=recovery, run_id=run_id, **{**given, **changes}
    )


async def devices(
    store: Store,
    station: str,
    *,
    printers: dict[str, PrinterStatus] | None = None,
    cameras: dict[str, int] | None = None,
) -> dict[str, dict[str, Any]]:
    """Give the devices of a station of the demo's site by name."""
    taken = await look(store, printers=printers or {}, cameras=cameras or {}).take_next(None, 0.0)
    assert taken["line"]["wip_limit"] == load_site(ROOT / "sites" / "demo.toml").policy.wip_limit
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


# -- when it is taken ----------------------------------------------------------------------------------------------------


class Worded(Quiet):
    """A station whose screen says `word`."""

    word = "idle"

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "next": {"key": self.word}}


async def test_who_has_seen_a_picture_is_given_the_next_as_soon_as_a_screen_shows_something_else(store: Store) -> None:
    clock = ManualClock()
    posts, turns = Every({"induct-1": Worded("induct-1")}), Turns(clock)
    snapshot = look(store, posts=posts, turns=turns, clock=clock)
    first = await snapshot.take_next(None, 0.0)
    waiting = asyncio.ensure_future(snapshot.take_next(first["picture"], 3600.0))
    await let_run(9)
    turns.turn()  # it was written, and says the same
    await let_run(9)
    clock.advance(GATHER_S)
    await let_run(9)
    assert not waiting.done()
    posts["induct-1"].word = "pick"
    turns.turn()
    await let_run(9)
    clock.advance(GATHER_S)
    second = await waiting
    assert second["picture"] != first["picture"]
    assert next(one for one in second["stations"] if one["name"] == "induct-1")["next"] == {"key": "pick"}


async def test_what_was_written_between_two_questions_is_told_at_once(store: Store) -> None:
    posts, turns = Every({"induct-1": Worded("induct-1")}), Turns(ManualClock())
    snapshot = look(store, posts=posts, turns=turns)
    first = await snapshot.take_next(None, 0.0)
    posts["induct-1"].word = "pick"
    turns.turn()
    assert (await snapshot.take_next(first["picture"], 3600.0))["picture"] != first["picture"]


async def test_a_picture_that_stays_the_same_is_given_when_the_time_is_up(store: Store) -> None:
    clock = ManualClock()
    snapshot = look(store, clock=clock, turns=Turns(clock))
    first = await snapshot.take_next(None, 0.0)
    waiting = asyncio.ensure_future(snapshot.take_next(first["picture"], 0.25))
    await let_run(9)
    clock.advance(0.25)
    assert (await waiting)["picture"] == first["picture"]
