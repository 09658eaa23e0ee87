"""Clocks: the one that is told, the one of the loop, the one on the wall."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from packline.core.clock import Clock, LoopClock, ManualClock, WallClock
from tests.waiting import let_run

START = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(START)
    sleeper = asyncio.ensure_future(clock.sleep(10))
    for _ in range(5):
        await let_run()
        clock.advance(1.9)
    await let_run()
    assert not sleeper.done() and clock.now() == START + timedelta(seconds=9.5)
    clock.advance(0.5)
    await sleeper
    assert clock.monotonic() == 10


async def test_a_manual_clock_wakes_every_sleeper_that_is_due() -> None:
    clock = ManualClock()
    woken: list[int] = []

    async def sleep(n: int) -> None:
        await clock.sleep(n)
        woken.append(n)

    tasks = [asyncio.ensure_future(sleep(n)) for n in (3, 1, 2)]
    await let_run(2)
    clock.advance(2)
    await asyncio.gather(tasks[1], tasks[2])
    assert sorted(woken) == [1, 2]
    clock.advance(1)
    await tasks[0]


async def test_a_manual_clock_ends_work_that_takes_too_long_and_cancels_it() -> None:
    clock = ManualClock()
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def bounded() -> None:
        with pytest.raises(TimeoutError):
            await clock.within(5, work())

    task = asyncio.ensure_future(bounded())
    await let_run(4)
    assert not task.done()
    clock.advance(5)
    await task
    assert ended == ["cancelled"]


async def test_work_that_ends_in_time_is_given_and_its_error_too() -> None:
    async def well() -> str:
        return "done"

    async def badly() -> str:
        raise ValueError("no")

    for clock in (ManualClock(), LoopClock(), WallClock()):
        assert await clock.within(5, well()) == "done"
        with pytest.raises(ValueError, match="no"):
            await clock.within(5, badly())


async def test_cancelling_a_bounded_wait_cancels_its_work() -> None:
    clock = ManualClock()
    inner: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(clock.within(5, inner))
    await let_run()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert inner.cancelled()


async def test_a_loop_clock_follows_its_loop_from_its_epoch() -> None:
    clock = LoopClock(START)
    before = clock.monotonic()
    assert clock.now() >= START + timedelta(seconds=before)
    await clock.sleep(0.001)
    assert clock.monotonic() > before
    with pytest.raises(TimeoutError):
        await clock.within(0.001, asyncio.Event().wait())


async def test_clocks_on_the_wall_are_aware_and_in_utc() -> None:
    for clock in (LoopClock(), WallClock()):
        assert clock.now().tzinfo is UTC
        assert clock.monotonic() <= clock.monotonic()
    await WallClock().sleep(0)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("clock", [LoopClock(), WallClock(), ManualClock()], ids=["loop", "wall", "manual"])
async def test_a_cancellation_in_the_moment_of_success_is_not_swallowed(clock: Clock, turns: int) -> None:
    """Python 3.11's wait_for forgets it: a station whose bell rang just then ran on, and the controller never ended."""
    bell = asyncio.Event()
    task = asyncio.ensure_future(clock.within(10, bell.wait()))
    await let_run(5)
    bell.set()
    await let_run(turns)
    was_over = task.done()
    task.cancel()
    await asyncio.wait({task})
    assert was_over or task.cancelled()
