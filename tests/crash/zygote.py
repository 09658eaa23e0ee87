"""Starts processes of a line quickly: everything is imported once, and each process is a fork of this one.

It reads one JSON line for each, `{"words", "env", "log"}` for a `packline` command or `{"run", "env", "log"}` for a
controller that may die at its point, and says its process id; later it says how each ended.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import os
import random
import select
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from controller.__main__ import main as packline
from controller.processes import database_url, import_items, prepare, run_line, site_and_data
from packline.core.clock import LoopClock
from packline.core.ids import SystemIds
from packline.store import open_store
from tests.crash.points import Points, die_with_parent
from tests.crash.wrappers import CountedCommits, counted_links

OF_A_LINE = (
    "controller.commands.process",
    "controller.commands.twin",
    "controller.video",
    "controller.webprocess",
    "escpos.printer",
    "labeling.drawing",
    "labeling.drivers.escpos",
    "plc.drivers.autoid",
    "scanning.decode",
    "simulation.mounts.autoid",
    "simulation.mounts.modbus",
    "simulation.mounts.opcua",
)
MOST_BYTES = 65536
log = logging.getLogger("packline.crash")


def main() -> None:
    """Serve until standard input ends; what was started is killed then."""
    die_with_parent()
    for name in OF_A_LINE:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    news, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    _say(ready=True)
    unread = b""
    while True:
        readable, _, _ = select.select([0, news], [], [])
        if news in readable:
            os.read(news, MOST_BYTES)
            _tell_who_ended()
        if 0 not in readable:
            continue
        if not (read := os.read(0, MOST_BYTES)):
            return
        *orders, unread = (unread + read).split(b"\n")
        for order in orders:
            _start(json.loads(order), news, bell)


def _start(order: dict[str, Any], *pipes: int) -> None:
    assert len([*Path("/proc/self/task").iterdir()]) == 1, "a fork of several threads has only one of them"
    pid = os.fork()
    if pid:
        _say(pid=pid)
        return
    for pipe in pipes:
        os.close(pipe)
    _become(order)


def _tell_who_ended() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _say(ended=pid, code=os.waitstatus_to_exitcode(status))


def _become(order: dict[str, Any]) -> NoReturn:
    """Be as a process that was started by a command: its own signals, input and output, environment and chance."""
    die_with_parent()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for handle, number in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(handle, number)
    os.environ.clear()
    os.environ.update(order["env"])
    random.seed()
    code = 1
    try:
        code = _run(order)
    except BaseException:  # noqa: BLE001 - whatever ended a run belongs into its log
        log.exception("the run ended")
    finally:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)


def _run(order: dict[str, Any]) -> int:
    if words := order.get("words"):
        sys.argv = ["packline", *words]
        return packline(words)
    run = order["run"]
    asyncio.run(_control(Path(run["site"]), Points(Path(run["points"]), run["ends_at"])))
    return 0


async def _control(path: Path, points: Points) -> None:
    prepare()
    site, data = site_and_data(path)
    clock, ids, rng = LoopClock(), SystemIds(), random.Random()  # noqa: S311 - jitter, no secret
    commits = CountedCommits(points)
    store = open_store(database_url(data), clock=clock, ids=ids, wrap_commit=commits.wrap)
    import_items(store, site, path.parent)
    links = counted_links(site, points, clock, rng)
    await run_line(path, site, data, store=store, links=links, clock=clock, ids=ids, rng=rng)


def _say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    main()
