"""`packline sim run`: a shift of the demo line in virtual time."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from controller.commands import numbers
from controller.commands.demo import Progress, is_well
from controller.commands.sim.shift import Played, Shift, play
from controller.site_file import load_site
from controller.sites import find_site
from controller.starting import DATABASE
from packline.core.clock import WallClock

FILE = Path("sites/demo.toml")


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("file", type=Path, nargs="?", default=FILE, help=f"site file with a [twin] (default: {FILE})")
    options.add_argument("--orders", type=numbers.orders, default=24, help="how many orders are posted (default 24)")
    options.add_argument("--seed", type=int, default=1, help="the same seed gives the same journal (default 1)")
    options.add_argument(
        "--speed", type=numbers.speed, help="motion this many times faster than life (default: the site's)"
    )
    options.add_argument(
        "--pixels",
        type=int,
        default=500,
        metavar="N",
        help="draw and decode labels and pictures of every N-th parcel; 1: all, 0: none (default 500)",
    )
    options.add_argument("--data", type=Path, help="keep the books in this folder (default: in memory)")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Run the shift; 0 only if all is well by the plant's truth and the receiver."""
    logging.basicConfig(level=os.environ.get("PACKLINE_LOG", "ERROR"), stream=sys.stderr)
    out = sys.stderr if chosen.json else sys.stdout
    wall, progress = WallClock(), Progress(out)
    began = wall.monotonic()
    with tempfile.TemporaryDirectory(prefix="packline-sim-") as folder:
        played = play(_shift(chosen, Path(folder)), lambda now: _show(progress, now, wall.monotonic() - began))
    progress.end()
    said = summary(played, chosen, wall.monotonic() - began)
    is_good = is_well(played.figures, chosen.orders)
    print(
        f"{'all is well' if is_good else 'NOT well'}: {said['parcels_shipped']} parcels of {said['orders']} orders left "
        f"the door in {said['virtual_seconds']:.0f} s of the line, {said['wall_seconds']:.1f} s of this computer; "
        f"journal {played.journal[:12]}",
        file=out,
    )
    if chosen.json:
        print(json.dumps(said), flush=True)
    return 0 if is_good else 1


def summary(played: Played, chosen: argparse.Namespace, wall_s: float) -> dict[str, Any]:
    """Give the figures of a run, JSON-ready."""
    return {
        "seed": chosen.seed,
        **played.figures,
        "virtual_seconds": played.virtual_s,
        "wall_seconds": round(wall_s, 2),
        "journal_rows": played.rows,
        "journal_hash": played.journal,
        "truth_hash": played.truth,
    }


def _show(progress: Progress, now: dict[str, Any], seconds: float) -> None:
    progress.show(now, seconds)


def _shift(chosen: argparse.Namespace, folder: Path) -> Shift:
    path = find_site(chosen.file)
    url = "sqlite://"
    if chosen.data:
        folder = chosen.data.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / DATABASE}"
    return Shift(
        site=load_site(path),
        path=path,
        folder=folder,
        url=url,
        orders=chosen.orders,
        seed=chosen.seed,
        speed=chosen.speed,
        one_in=chosen.pixels,
    )
