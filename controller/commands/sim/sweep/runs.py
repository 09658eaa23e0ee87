"""The runs of a sweep: played one by one, in processes of this computer, or by the workers of a Dask cluster."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from controller.commands.sim.expecting import unexpected
from controller.commands.sim.judging import misses_of
from controller.commands.sim.recorded import play_recorded
from controller.commands.sim.scratch import scratch_folder
from controller.commands.sim.stopping import submit, workers
from controller.commands.sim.sweep.grid import Work, model_at, shift_at
from packline.core.faults import Fault
from simulation.model.running import run_model
from simulation.report.figures import figures_of
from simulation.virtual.breakages import CRASH

Row = dict[str, Any]
AHEAD = 2
"""Runs that wait at each process: so none is idle, and a sweep of a million is not held in memory twice."""
DASK = "distributed"
EXTRA = "packline[dask]"
LOCAL = "local"
CONNECT_S = 20
AGAIN = "Give the same command again: what is done is kept. Fewer processes need less memory."


def play_work(work: Work) -> Row:
    """Play one run and give its result: the same for the same work, wherever it is played."""
    logging.disable(logging.CRITICAL)
    row: Row = {"scenario": work.point.scenario, "seed": work.seed, "set": dict(work.point.settings)}
    try:
        return {**row, **(_of_model(work) if work.point.is_model else _of_shift(work))}
    except Exception as error:  # noqa: BLE001 - one run that falls over is a result, and must not end the sweep
        return {**row, "figures": {}, "well": False, "broken": [f"{CRASH}: {type(error).__name__} {error}"[:300]]}


def _of_shift(work: Work) -> Row:
    with scratch_folder("sweep") as folder:
        shift, scenario = shift_at(work, folder)
        played, recording = play_recorded(shift, scenario)
    return {
        "figures": dict(figures_of(recording).numbers),
        "well": recording.head.is_well,
        "broken": list(unexpected(scenario.expect, played.broken)),
        "missed": [miss.text() for miss in misses_of(played, shift, scenario)],
        "journal": played.journal,
        "truth": played.truth,
    }


def _of_model(work: Work) -> Row:
    model = model_at(work)
    outcome = run_model(model, seed=work.seed, replications=2 if model.antithetic else 1)
    return {
        "figures": {name: outcome.interval(name).estimate for name in outcome.names()},
        "well": not outcome.warnings,
        "broken": list(outcome.warnings),
    }


def in_processes(works: Sequence[Work], jobs: int) -> Iterator[Row]:
    """Play all, `jobs` at once, in processes that are started afresh; results come as they are ready."""
    if min(jobs, len(works)) <= 1:
        yield from map(play_work, works)
        return
    with workers(min(jobs, len(works))) as pool:
        try:
            yield from _as_ready(iter(works), jobs * AHEAD, lambda work: submit(pool, play_work, work))
        except BrokenProcessPool as error:
            raise Fault(
                5001, where=f"--jobs {jobs}", seen="a process that died", expected="a result", remedy=AGAIN
            ) from error


def _as_ready(works: Iterator[Work], most: int, submit: Callable[[Work], Future[Row]]) -> Iterator[Row]:
    waiting = {submit(work) for work in islice(works, most)}
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        waiting |= {submit(work) for work in islice(works, len(done))}
        yield from (future.result() for future in done)


def on_cluster(works: Sequence[Work], address: str, jobs: int) -> Iterator[Row]:
    """Play all on a Dask cluster: that at `address`, or "local" for `jobs` workers here.

    Raises Fault 4201 when the extra is not installed or nobody answers at the address.
    """
    dask = _dask()
    with _client(dask, address, jobs) as client:
        futures = client.map(play_work, works, pure=False, retries=1)
        for _, row in dask.as_completed(futures, with_results=True):
            yield row


def _dask() -> Any:
    try:
        return importlib.import_module(DASK)
    except ImportError as error:
        raise Fault(
            4201,
            where="--dask",
            seen=f"no library {DASK}",
            expected="the optional extra dask",
            remedy=f"Install {EXTRA} here and on the workers, or leave --dask out: --jobs and --shard need no library.",
        ) from error


def _client(dask: Any, address: str, jobs: int) -> Any:
    if address == LOCAL:
        return dask.Client(n_workers=jobs, threads_per_worker=1, processes=True, dashboard_address=None)
    try:
        return dask.Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise Fault(
            4201,
            where="--dask",
            seen=f"{address}: {error}"[:120],
            expected="the address of a scheduler that answers, or local",
            remedy="Start one with `dask scheduler`, and workers with `dask worker ADDRESS`.",
        ) from error
