"""Starts controllers quickly: everything is imported once, and each controller is a fork that may die at its point.

Reads one JSON line for each run, `{"site", "log", "points", "ends_at"}`, says its process id, and then how it ended.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import os
import random
import sys
from pathlib import Path
from typing import Any

from controller.processes import database_url, import_items, prepare, run_line, site_and_data
from packline.core.clock import LoopClock
from packline.core.ids import SystemIds
from packline.store import open_store
from tests.crash.points import Points, die_with_parent
from tests.crash.wrappers import CountedCommits, counted_links

HEAVY = ("plc.drivers.autoid", "labeling.drivers.escpos", "labeling.drawing", "scanning.decode", "escpos.printer")
log = logging.getLogger("packline.crash")


def main() -> None:
    """Serve runs until standard input ends."""
    die_with_parent()
    for name in HEAVY:
        importlib.import_module(name)
    gc.freeze()
    _say({"ready": True})
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become_controller(json.loads(line))
        _say({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _say({"code": os.waitstatus_to_exitcode(status)})


def _become_controller(run: dict[str, Any]) -> None:
    die_with_parent()
    output = os.open(run["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for handle, number in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(handle, number)
    code = 1
    try:
        asyncio.run(_control(Path(run["site"]), Points(Path(run["points"]), run["ends_at"])))
        code = 0
    except BaseException:  # noqa: BLE001 - whatever ended a run belongs into its log
        log.exception("the run ended")
    finally:
        logging.shutdown()
        os._exit(code)


async def _control(path: Path, points: Points) -> None:
    prepare()
    site, data = site_and_data(path)
    clock, ids, rng = LoopClock(), SystemIds(), random.Random()  # noqa: S311 - jitter, no secret
    commits = CountedCommits(points)
    store = open_store(database_url(data), clock=clock, ids=ids, wrap_commit=commits.wrap)
    import_items(store, site, path.parent)
    links = counted_links(site, points, clock, rng)
    await run_line(path, site, data, store=store, links=links, clock=clock, ids=ids, rng=rng)


def _say(words: dict[str, Any]) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    main()
