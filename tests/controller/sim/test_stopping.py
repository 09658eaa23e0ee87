"""Processes that play shifts: what is handed to them, and that nobody waits for them who leaves in a hurry."""

import asyncio
import itertools
import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from controller.commands.sim import ended_in_order, stopping
from controller.commands.sim.scratch import scratch_folder
from controller.commands.sim.stopping import AHEAD, in_order, submit, workers
from packline.core.faults import Fault


def test_who_leaves_in_a_hurry_waits_for_no_process():
    def leave():
        with workers(1) as pool:
            submit(pool, time.sleep, 3600.0)
            raise KeyboardInterrupt

    before = multiprocessing.active_children()
    with pytest.raises(KeyboardInterrupt):
        leave()
    assert multiprocessing.active_children() == before


def test_results_come_in_order_and_little_is_taken_ahead(monkeypatch):
    with ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(stopping, "workers", lambda _: nullcontext(pool))
        works = itertools.count()
        found = list(itertools.islice(in_order(str, works, 2), 5))
        assert found == ["0", "1", "2", "3", "4"]
        assert next(works) <= 5 + 2 * AHEAD


def test_a_process_that_dies_is_an_error_with_what_to_do():
    with pytest.raises(Fault) as fault:
        list(in_order(os._exit, [1], 1))
    assert (fault.value.code, fault.value.where, fault.value.seen) == (5001, "--jobs 1", "a process that died")


def test_what_a_process_plays_lies_in_a_folder_that_is_gone_with_it():
    (folder,) = in_order(_made_within, ["a"], 1)
    assert folder.parent.name.startswith("packline-jobs-")
    assert not folder.parent.exists()


def test_what_is_told_to_end_ends_as_by_ctrl_c():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), ended_in_order():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


def test_what_is_told_to_end_in_the_background_ends_its_loop_in_order():
    """A shell has Ctrl-C ignored there; what is raised in the middle of some task would leave all others as they are."""
    ended = []

    async def whole():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_told_to_end())
                await asyncio.Event().wait()  # what never comes; the end does
        finally:
            ended.append("in order")

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), ended_in_order():
            asyncio.run(whole())
        assert ended == ["in order"]
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGINT, before)


async def _told_to_end():
    signal.raise_signal(signal.SIGTERM)
    await asyncio.Event().wait()


def _made_within(name):
    with scratch_folder(name) as folder:
        return folder
