"""`packline sim scaled`: the plant and the production controller in processes of their own, all time a factor faster than the wall."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from controller.commands import numbers
from controller.commands.demo import Progress, is_well, own_site, stage_of
from controller.commands.folders import make_folder
from controller.commands.sim import roles
from controller.commands.sim.roles import LAG_FILE, ROLES, Play
from controller.site import Site, twin_part
from controller.site_file import load_site
from controller.sites import find_site
from packline.core.clock import WallClock
from simulation.plant.truth import Fact
from simulation.virtual.tally import Flows

FILE = Path("sites/demo.toml")
FACTOR = 5.0
LOOK_S, READY_S, STOP_S = 0.25, 30.0, 10.0
HORIZON_S, PER_ORDER_S = 900.0, 120.0
"""The line's seconds after which a run that does not end is given up: a quarter of an hour, and this for each order."""
LATE_S = 1.0
"""A process that came so late, in the line's seconds, to what was due did not keep up."""


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("file", type=Path, nargs="?", default=FILE, help=f"site file with a [twin] (default: {FILE})")
    options.add_argument(
        "--factor",
        type=numbers.speed,
        default=FACTOR,
        help="all time passes so much faster than on the wall (default: 5)",
    )
    options.add_argument(
        "--speed", type=numbers.speed, default=1.0,
        help="besides, machines and hands move so much faster than life, while clocks, polls and time-outs do not (default: 1)",
    )  # fmt: skip
    options.add_argument("--orders", type=numbers.orders, default=12, help="how many orders are posted (default 12)")
    options.add_argument("--seed", type=numbers.seed, default=1, help="seed of orders and people (default 1)")
    options.add_argument("--data", type=Path, help="keep books and logs in this folder (default: a temporary one)")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


@dataclass(slots=True, kw_only=True)
class Children:
    """The processes of one run."""

    play: Play
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, role: str) -> None:
        """Start one; its words go into a log of its own."""
        env = {**os.environ, "PACKLINE_DATA": str(self.play.data), "PACKLINE_SUPERVISED": "1"}
        env.setdefault("PACKLINE_LOG", "WARNING")
        command = [sys.executable, "-m", roles.__name__, role, self.play.word()]
        with (self.play.data / f"{role}.log").open("ab") as log:
            self.running[role] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=env)  # noqa: S603

    def dead(self) -> str:
        """Say which has ended, and how."""
        over = {role: process.returncode for role, process in self.running.items() if process.poll() is not None}
        return ", ".join(f"the {role} ended with code {code}" for role, code in over.items())

    def stop(self) -> None:
        """End all, the plant last."""
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def lag_s(self) -> dict[str, float]:
        """Give how late each loop ever came to what was due, in the line's seconds."""
        found = {}
        for role in self.running:
            file = self.play.data / LAG_FILE.format(role)
            if file.exists():
                found[role] = float(json.loads(file.read_text())["most_lag_s"])
        return found


def run(chosen: argparse.Namespace) -> int:
    """Run until every order is over; 0 only if all is well by the plant's truth and the receiver."""
    out = sys.stderr if chosen.json else sys.stdout
    with _prepared(chosen) as play:
        children = Children(play=play)
        try:
            site = load_site(play.site)
            stage, why = _played(children, site, out)
            flows = _flows(site)
        finally:
            children.stop()
        said = figures(stage, children.lag_s(), play, flows)
    return _close(said, why, chosen, out)


@contextmanager
def _prepared(chosen: argparse.Namespace) -> Iterator[Play]:
    with tempfile.TemporaryDirectory(prefix="packline-scaled-") as name:
        folder = Path(name)
        data = chosen.data.resolve() if chosen.data else folder / "data"
        make_folder(data)
        yield Play(
            site=own_site(find_site(chosen.file), folder),
            data=data,
            factor=chosen.factor,
            began=WallClock().monotonic(),
            speed=chosen.speed,
            orders=chosen.orders,
            seed=chosen.seed,
        )


def _played(children: Children, site: Site, out: TextIO) -> tuple[dict[str, Any], str]:
    """Start everything, the plant first, and watch until it is over; gives the last that the stage said, and why it was given up."""
    wall, progress, play = WallClock(), Progress(out), children.play
    children.start("plant")
    until = wall.monotonic() + READY_S
    while (stage := stage_of(site)) is None and wall.monotonic() < until and not children.dead():
        time.sleep(LOOK_S)
    for role in ROLES:
        if role not in children.running:
            children.start(role)
    began, most_s = wall.monotonic(), (HORIZON_S + play.orders * PER_ORDER_S) / play.factor
    why = ""
    while not (stage and stage["over"]) and not why:
        time.sleep(LOOK_S)
        stage = stage_of(site) or stage
        seconds = wall.monotonic() - began
        if stage:
            progress.show(stage["progress"], seconds)
        why = children.dead() or ("it took too long" if seconds > most_s else "")
    progress.end()
    return stage or {}, why


def figures(stage: dict[str, Any], lag_s: dict[str, float], play: Play, flows: dict[str, float]) -> dict[str, Any]:
    """Put together what came of it, JSON-ready; flow times are the plant's seconds, as those of `sim run`."""
    return {
        "factor": play.factor,
        "speed": play.speed,
        "seed": play.seed,
        **stage.get("summary", {}),
        **flows,
        "most_lag_s": lag_s,
        "kept_up": all(late <= LATE_S for late in lag_s.values()),
    }


def _flows(site: Site) -> dict[str, float]:
    """Ask the plant how long its parcels were in the hall; {} when it does not answer any more."""
    host, _, port = twin_part(site).truth.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=STOP_S)
    flows = Flows()
    try:
        for fact in _facts(connection):
            flows.hear(fact)
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    return flows.figures()


def _facts(connection: http.client.HTTPConnection) -> Iterator[Fact]:
    """Ask for one page after the other: the plant gives some thousand facts at a time."""
    last = 0
    while True:
        connection.request("GET", f"/truth/facts?after={last}")
        rows = json.loads(connection.getresponse().read())["facts"]
        if not rows:
            return
        for row in rows:
            yield _fact(row)
        last = int(rows[-1]["n"])


def _fact(row: dict[str, Any]) -> Fact:
    at = datetime.fromisoformat(row["at"])
    return Fact(n=row["n"], name=row["name"], sim_s=row["sim_s"], at=at, data=row)


def _close(said: dict[str, Any], why: str, chosen: argparse.Namespace, out: TextIO) -> int:
    well = not why and is_well(said, chosen.orders)
    if why:
        print(f"given up: {why}. Logs: run again with --data FOLDER and read FOLDER/*.log.", file=out)
    if not said["kept_up"]:
        late = ", ".join(f"the {who} {lag_s:.1f} s" for who, lag_s in said["most_lag_s"].items() if lag_s > LATE_S)
        print(f"it did not keep up: late by {late} of the line. Type a smaller --factor, or use `sim run`.", file=out)
    print(
        f"{'all is well' if well else 'NOT well'}: {numbers.counted(said.get('parcels_shipped', 0), 'parcel')} of "
        f"{numbers.counted(said.get('orders', 0), 'order')} left the door at {said['factor']:g} times the wall clock; a parcel took {said.get('mean_flow_s', 0)} s on average",
        file=out,
    )
    if chosen.json:
        print(json.dumps(said), flush=True)
    return 0 if well else 1
