"""`packline sim watch`: a recorded journal on the plan of its line, at any speed, with a slider for its time."""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from controller.commands import numbers
from controller.site import Site, StationPart
from controller.site_file import load_site
from controller.sites import find_site, is_free
from controller.starting import DATABASE
from controller.ways import ways_of
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.ids import SystemIds
from packline.store import Store, open_store
from packline.store.backup import copy_online
from web.replay import Player, Recording
from web.serve import run as serve
from web.settings import WebSettings

SITE = Path("sites/demo.toml")
HOST, PORT, MOST_PORTS = "127.0.0.1", 8090, 20
FACTOR = 5.0
STREAMS = 16
GUEST = "replay"


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "journal", type=Path, help="books that a line or `sim run --data` wrote: the file or its folder"
    )
    options.add_argument("--site", type=Path, default=SITE, help=f"the line's site file (default: {SITE})")
    options.add_argument(
        "--port", type=numbers.port, help=f"where to show it on this computer (default: the first free one from {PORT})"
    )
    options.add_argument("--factor", type=numbers.speed, default=FACTOR, help=f"seconds of the journal in each second (default {FACTOR:g})")  # fmt: skip
    options.add_argument("--json", action="store_true", help="last line of standard output: what was shown as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Show the journal until Ctrl-C; the books themselves are not touched."""
    logging.basicConfig(level="ERROR", stream=sys.stderr)
    out = sys.stderr if chosen.json else sys.stdout
    site = load_site(find_site(chosen.site))
    port = demand_free(chosen.port) if chosen.port else free_port()
    with opened(chosen.journal) as (store, folder):
        recording = Recording(store.tape, standing(site))
        if not recording.rows:
            raise Fault(4201, where=str(chosen.journal), seen="an empty journal", expected="books of a line that ran")
        address = f"http://{HOST}:{port}/plan"
        print(f"{recording.rows} rows, {span(recording, site)}; it begins when a browser looks at it", file=out)
        print(f"watch it at {address}  (Ctrl-C ends)", file=out, flush=True)
        player = Player(recording, WallClock(), chosen.factor)
        serve(settings(site, store, folder, player), HOST, port)
        if chosen.json:
            print(
                json.dumps({"address": address, "rows": recording.rows, "shown_until": player.state()["at"]}),
                flush=True,
            )
    return 0


@contextmanager
def opened(journal: Path) -> Iterator[tuple[Store, Path]]:
    """Open a copy of the books at `journal` (a file, or a folder with them), and give it with its folder; raises Fault 4201, 5002."""
    file = journal / DATABASE if journal.is_dir() else journal
    if not file.is_file():
        remedy = f"Name the file {DATABASE} of a line, or the folder of `packline sim run --data FOLDER`."
        raise Fault(4201, where=str(journal), seen="no such file", expected="books", remedy=remedy)
    with tempfile.TemporaryDirectory(prefix="packline-watch-") as folder:
        copy = Path(folder) / DATABASE
        copy_online(file, copy)
        store = open_store(f"sqlite:///{copy}", clock=WallClock(), ids=SystemIds())
        try:
            yield store, Path(folder)
        finally:
            store.close()


def settings(site: Site, store: Store, folder: Path, player: Player) -> WebSettings:
    """Give a dashboard that shows what `player` plays, to whoever sits at this computer."""
    return WebSettings(
        store=store,
        clock=WallClock(),
        ids=SystemIds(),
        data=folder,
        secret=secrets.token_bytes(32),
        title=site.site.title,
        zone=ZoneInfo(site.site.time_zone),
        languages=site.site.languages,
        most_streams=STREAMS,
        player=player,
        guest=GUEST,
    )


def standing(site: Site) -> list[dict[str, Any]]:
    """Give the stations of a site as a snapshot has them when nothing is known of what they do."""
    ways = ways_of(site)
    return [{"name": name, "leads": ways[name], **_still(part)} for name, part in site.stations.items()]


def _still(part: StationPart) -> dict[str, Any]:
    return {
        "kind": part.kind, "run_by": part.run_by, "state": "idle", "parcel": "", "order": "", "unit": "", "tasks": [], "devices": [],
        "scans": [], "camera": "", "pictures": [], "fault": None, "hold_by": "",
    }  # fmt: skip


def span(recording: Recording, site: Site) -> str:
    """Say from when to when a recording goes, by the clock of its hall as the page has it."""
    zone = ZoneInfo(site.site.time_zone)
    begin, end = recording.begin.astimezone(zone), recording.end.astimezone(zone)
    return f"{begin:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} {zone.key} (from {recording.begin:%H:%M:%S} UTC on)"


def demand_free(port: int) -> int:
    """Give `port`; raises Fault 4201 when it cannot be listened at."""
    if not is_free(port):
        raise Fault(4201, where=f"--port {port}", seen="in use, or not yours to use", expected="a free port", remedy="Name another, or leave it out.")  # fmt: skip
    return port


def free_port() -> int:
    """Give the first free port from PORT on; raises Fault 4201 when MOST_PORTS are taken."""
    for port in range(PORT, PORT + MOST_PORTS):
        if is_free(port):
            return port
    raise Fault(4201, where="ports", seen=f"{PORT} to {PORT + MOST_PORTS - 1} are in use", expected="a free port", remedy="Name one with --port.")  # fmt: skip
