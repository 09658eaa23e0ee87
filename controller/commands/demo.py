"""`packline demo`: twin, controller, dashboard and people of the demo line, by one command."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from controller.commands import numbers
from controller.commands.folders import make_folder
from controller.site import Site, twin_part
from controller.site_file import load_site
from controller.sites import find_site, free_offset, moved
from packline.core.figures import NEVER_IN_A_RUN

LOOK_S = 0.25
QUIET_S = 120.0
"""The demo gives up when nothing at all moved in the plant for this long, in wall seconds."""
STOP_S = 10.0
KILL_S = 2.0
READY_S = 20.0
BAR = 24
PIPED_S = 15.0
"""Into a pipe or a log the progress is said this often, in wall seconds, and at the end."""
MOST_SAID_BYTES = 65536


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("--site", type=Path, default=Path("sites/demo.toml"), help="site file with a [twin]")
    options.add_argument("--orders", type=numbers.orders, default=24, help="how many orders are posted (default 24)")
    options.add_argument(
        "--speed", type=numbers.speed, help="motion this many times faster than life (default: the site's)"
    )
    options.add_argument("--seed", type=numbers.seed, help="seed of orders and people")
    options.add_argument("--exit", action="store_true", help="end when every order is through")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")
    options.add_argument("--data", type=Path, help="keep books and logs in this folder (default: a temporary one)")


@dataclass(slots=True, kw_only=True)
class Running:
    """The two child processes and where they work."""

    twin: subprocess.Popen[bytes]
    up: subprocess.Popen[bytes]
    site: Site
    folder: Path


def run(chosen: argparse.Namespace) -> int:
    """Run the demo; with --exit, 0 only if all is well by the plant's truth and the receiver."""
    folder = Path(tempfile.mkdtemp(prefix="packline-demo-"))
    out = sys.stderr if chosen.json else sys.stdout
    running: Running | None = None
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        path = own_site(find_site(chosen.site), folder)
        running = _start(path, folder, chosen)
        return _watch(running, chosen, out)
    except KeyboardInterrupt:
        print("stopping the line", file=out)
        return 130
    finally:
        if running is not None:
            _stop(running)
        shutil.rmtree(folder, ignore_errors=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def own_site(path: Path, folder: Path) -> Path:
    """Copy the site file and its items, with ports moved to free ones if any of its own is in use."""
    text = path.read_text("utf-8")
    own = folder / path.name
    own.write_text(moved(text, free_offset(text)), "utf-8")
    items = load_site(path).site.items
    if items:
        shutil.copy(path.resolve().parent / items, folder / items)
    return own


def _start(path: Path, folder: Path, chosen: argparse.Namespace) -> Running:
    data = chosen.data.resolve() if chosen.data else folder / "data"
    make_folder(data)
    env = {**os.environ, "PACKLINE_DATA": str(data), "PACKLINE_SUPERVISED": "1"}
    words = [sys.executable, "-m", "controller"]
    twin_words = [*words, "twin", str(path), "--orders", str(chosen.orders)]
    for name in ("speed", "seed"):
        if getattr(chosen, name) is not None:
            twin_words += [f"--{name}", str(getattr(chosen, name))]
    with (data / "twin.log").open("ab") as log:
        twin = subprocess.Popen(twin_words, stdin=subprocess.PIPE, stdout=log, stderr=log, env=env)  # noqa: S603
    site = load_site(path)
    _until_ready(site, twin)
    up = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*words, "up", str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
    )
    return Running(twin=twin, up=up, site=site, folder=data)


def _until_ready(site: Site, twin: subprocess.Popen[bytes]) -> None:
    """Wait for the plant, so that the line does not begin with alarms about machines that are still starting."""
    until = time.monotonic() + READY_S
    while twin.poll() is None and time.monotonic() < until and stage_of(site) is None:
        time.sleep(LOOK_S)


def _watch(running: Running, chosen: argparse.Namespace, out: TextIO) -> int:
    os.set_blocking(running.up.stdout.fileno(), False)  # type: ignore[union-attr]  # a pipe
    begun = time.monotonic()
    moved_at = begun
    progress = Progress(out)
    stage: dict[str, Any] | None = None
    while True:
        _pass_on(running, out)
        stage = stage_of(running.site) or stage
        if stage and progress.show(stage["progress"], time.monotonic() - begun):
            moved_at = time.monotonic()
        if stage and stage["over"] and chosen.exit:
            progress.end()
            return _close(stage["summary"], chosen, out)
        if why := _hopeless(running, moved_at, chosen):
            progress.end()
            print(f"the demo stopped: {why}. Logs: run again with --data FOLDER and read FOLDER/logs.", file=out)
            return _close(stage["summary"], chosen, out, failed=True) if stage else 1
        time.sleep(LOOK_S)


def _hopeless(running: Running, moved_at: float, chosen: argparse.Namespace) -> str:
    if running.twin.poll() is not None:
        return f"the twin ended with code {running.twin.returncode}"
    if running.up.poll() is not None:
        return f"the controller ended with code {running.up.returncode}"
    if chosen.exit and time.monotonic() - moved_at > QUIET_S:
        return f"nothing moved for {QUIET_S:.0f} s"
    return ""


def _pass_on(running: Running, out: TextIO) -> None:
    """Show what `up` says: the dashboard's address and the first administrator's password."""
    try:
        said = os.read(running.up.stdout.fileno(), MOST_SAID_BYTES)  # type: ignore[union-attr]  # a pipe
    except BlockingIOError:
        return
    if said:
        _end_line(out)
        print(said.decode("utf-8", "replace").rstrip(), file=out, flush=True)


_SHOWN = ("inducted", "packed", "labelled", "approved", "left_door", "delivered", "exceptions")


class Progress:
    """Shows how far it is: on a terminal one line that changes, elsewhere a line now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._seen: dict[str, Any] = {}
        self._line = ""
        self._said_s: float | None = None

    def show(self, progress: dict[str, Any], seconds: float) -> bool:
        """Take the figures after so many seconds; tells whether anything has moved."""
        has_moved = progress != self._seen
        if has_moved:
            self._seen, self._line = progress, _line_of(progress, seconds)
        if self._out.isatty():
            if has_moved:
                print(self._line.ljust(120), end="\r", file=self._out, flush=True)
        elif self._said_s is None or seconds - self._said_s >= PIPED_S:
            self._said_s = seconds
            self._say_line()
        return has_moved

    def end(self) -> None:
        """Say the last of it."""
        if self._out.isatty():
            print(file=self._out)
        else:
            self._say_line()

    def _say_line(self) -> None:
        if self._line:
            print(self._line, file=self._out, flush=True)
            self._line = ""


def _line_of(progress: dict[str, Any], seconds: float) -> str:
    posted, over = progress["orders"], progress["orders_over"]
    filled = round(BAR * over / posted) if posted else 0
    bar = "#" * filled + "-" * (BAR - filled)
    rest = "  ".join(f"{name.replace('_', ' ')} {progress[name]}" for name in _SHOWN)
    return f"[{bar}] {over}/{posted} orders  {rest}  {seconds:.0f} s"


def _end_line(out: TextIO) -> None:
    if out.isatty():
        print(file=out)


def _close(summary: dict[str, Any], chosen: argparse.Namespace, out: TextIO, *, failed: bool = False) -> int:
    well = not failed and is_well(summary, chosen.orders)
    verdict = "all is well" if well else "NOT well"
    parcels = numbers.counted(summary["parcels_shipped"], "parcel")
    print(f"{verdict}: {parcels} of {numbers.counted(summary['orders'], 'order')} left the door", file=out)
    if chosen.json:
        print(json.dumps(summary), flush=True)
    return 0 if well else 1


def is_well(summary: Mapping[str, Any], orders: int) -> bool:
    """Tell whether truth and receiver show nothing doubled, wrong or lost, and each of `orders` posted and ended."""
    is_clean = all(summary[name] == 0 for name in NEVER_IN_A_RUN)
    has_ended = summary["orders"] == summary["orders_over"] == orders
    fits = 0 < summary["parcels_shipped"] <= summary["labels_applied"] <= summary["labels_printed"]
    return is_clean and has_ended and fits


def stage_of(site: Site) -> dict[str, Any] | None:
    """Ask the twin how far its people's play is; None while nobody answers."""
    host, _, port = twin_part(site).host.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=2.0)
    try:
        connection.request("GET", "/stage")
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _stop(running: Running) -> None:
    for process in (running.up, running.twin):
        process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in (running.up, running.twin):
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(KILL_S)
