"""Processes that play shifts, and what is said when somebody ends that with Ctrl-C: nothing that was found is lost."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from controller.commands.sim.scratch import WITHIN, scratch_folder
from packline.core.faults import Fault

W = TypeVar("W")
R = TypeVar("R")

AHEAD = 4
"""Shifts that wait at each process: so none is idle, and a campaign of a million seeds is not drawn before the first is played."""

MOST_END_S = 5.0
"""So long a process that was told to end may take."""
LOOK_S, MOST_LOOKS = 0.001, 5000
"""How a killed process is waited for: one that waits for a device in the kernel may take for ever."""
FEWER = "Take fewer: they need less memory."


@contextlib.contextmanager
def workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes that are started afresh. Who leaves in a hurry does not wait for them: what they play is dropped, its folders too."""
    others, context = set(multiprocessing.active_children()), multiprocessing.get_context("spawn")
    with scratch_folder("jobs") as folder:
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_settle, initargs=(folder,))
        try:
            yield pool
        except BaseException:  # a Ctrl-C, too: whatever ended it goes on when the processes are gone
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
                process.join(MOST_END_S)
                process.kill()
                # where the pool's own thread has seen its end first, it is about to write it down
                for _ in range(MOST_LOOKS):
                    process.join(LOOK_S)
                    if not process.is_alive():
                        break
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def submit(pool: ProcessPoolExecutor, what: Callable[[W], R], work: W) -> Future[R]:
    """Hand over work; a process that is started for it never hears of a Ctrl-C, which the terminal sends to all."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(what, work)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_order(what: Callable[[W], R], works: Iterable[W], jobs: int) -> Iterator[R]:
    """Give the results in the order of `works`, of which only a few are taken ahead; raises Fault 5001 when a process dies."""
    with workers(jobs) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for work in works:
                waiting.append(submit(pool, what, work))
                if len(waiting) >= jobs * AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            where, seen = f"--jobs {jobs}", "a process that died"
            raise Fault(5001, where=where, seen=seen, expected="a result", remedy=FEWER) from error


def _settle(folder: Path) -> None:
    """Have a process make its folders where they are gone with it, however it ends."""
    WITHIN.set(folder)
