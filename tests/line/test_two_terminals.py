"""`packline twin` and `packline up` in two terminals, whichever is typed first."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.site import Site, twin_part
from controller.site_file import load_site
from controller.sites import OFFSET_STEP, free_offset, moved
from packline.core.local import ask
from tests.crash.hall import tail
from tests.crash.nursery import ROOT

PATIENCE_S = 120.0
LOOK_S = 0.1
END_S = 30.0
MACHINES = {"induct-1": "turntable-1", "pack-1": "packer-1", "label-1": "arm-1", "gate-1": "gate-1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Copy the demo's site, with ports that are free."""
    text = (ROOT / "sites" / "demo.toml").read_text("utf-8")
    shutil.copy(ROOT / "sites" / "demo-items.csv", tmp_path)
    site = tmp_path / "hall.toml"
    site.write_text(moved(text, free_offset(text, first=60 + os.getpid() % 50 * OFFSET_STEP)), "utf-8")
    return site


@contextmanager
def terminal(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Type a `packline` command; it is interrupted at the end, and must end well then."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PACKLINE_DATA": str(folder / "data"), "PYTHONPATH": str(ROOT)}
    with (folder / f"{words[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "controller", *words],
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            env=env,
            text=True,
        )
    try:
        yield process
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=END_S)
        assert (process.returncode, rest if "--json" in words else "") == (0, ""), tail(folder / f"{words[0]}.log")
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until `holds` gives something true, and give it; what nobody answers yet is not true."""
    due = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(OSError, ValueError, KeyError, httpx.HTTPError):
            if found := holds():
                return found
        assert time.monotonic() < due, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(LOOK_S)


def stations(folder: Path) -> dict[str, dict[str, Any]]:
    """Give the controller's picture of every station."""
    picture = ask(folder / "data", {"do": "snapshot"}, timeout_s=10.0)
    return {station["name"]: station for station in picture["stations"]}


def stage(site: Site) -> dict[str, Any]:
    """Give the twin's own account."""
    told: dict[str, Any] = _http().get(f"http://{twin_part(site).host}/stage").json()
    return told


@cache
def _http() -> httpx.Client:
    """Make the client once: its trust store takes longer to read than ten answers."""
    return httpx.Client(trust_env=False)


def ready(twin: subprocess.Popen[str]) -> dict[str, dict[str, str]]:
    """Read the one line that a twin prints once it is ready."""
    assert twin.stdout is not None
    said = json.loads(twin.stdout.readline())
    return {machine["name"]: machine for machine in said["machines"]}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "first", [pytest.param("up", marks=pytest.mark.wire), pytest.param("twin", marks=pytest.mark.demo)]
)
def test_twin_and_up_find_each_other_whichever_is_started_first(path: Path, tmp_path: Path, first: str) -> None:
    site = load_site(path)
    with ExitStack() as terminals:
        if first == "up":
            terminals.enter_context(terminal(tmp_path, "up", str(path)))
            until(lambda: _all_away(tmp_path), "every machine station is held by 1001")
        twin = terminals.enter_context(
            terminal(tmp_path, "twin", str(path), "--orders", "1", "--speed", "40", "--json")
        )
        served = ready(twin)
        if first == "twin":
            terminals.enter_context(terminal(tmp_path, "up", str(path)))
        declared = {**site.machines, **site.printers, **site.scanners, **site.cameras}
        assert set(served) == set(declared)
        assert all(machine["protocol"] and str(_port(machine["address"])) for machine in served.values())
        assert _ports(served) == {name: _port(_address(part)) for name, part in declared.items()}
        summary = until(lambda: (told := stage(site))["over"] and told["summary"], "the order is over")
    assert (summary["parcels_shipped"], summary["lost_orders"], summary["double_labels"]) == (1, 0, 0)


def _all_away(folder: Path) -> bool:
    seen = stations(folder)
    return all((seen[name]["fault"] or {}).get("code") == 1001 for name in MACHINES)


def _address(part: Any) -> str:
    return str(getattr(part, "address", "") or part.url)


def _port(address: str) -> int:
    return int(address.partition("://")[2].partition("/")[0].rpartition(":")[2] or address.rpartition(":")[2])


def _ports(served: dict[str, dict[str, str]]) -> dict[str, int]:
    return {name: _port(machine["address"]) for name, machine in served.items()}
