"""The loop that steps SimPy: each trap that was found by running it is a test here."""

import asyncio
import math
import random

import pytest
import simpy

from packline.core.clock import LoopClock
from simulation.virtual.check import EPOCHS_S, self_check
from simulation.virtual.loop import VirtualDeadlock, VirtualHorizon, VirtualLoop, run
from simulation.virtual.motion import VirtualMotion


def played(main, *, env=None, **options):
    """Run `main(loop)` on a virtual loop and give its answer and the loop."""
    made = []

    def make():
        made.append(VirtualLoop(env or simpy.Environment(), **options))
        return made[0]

    async def whole():
        return await main(asyncio.get_running_loop())

    return run(whole(), make), made[0]


def test_this_python_and_this_simpy_keep_what_the_loop_rests_on():
    self_check()


def test_a_private_name_that_has_moved_is_noticed(monkeypatch):
    def forgotten(loop):
        loop._fine_until, loop._clock_resolution = math.inf, 1e-12

    monkeypatch.setattr(VirtualLoop, "_set_resolution", forgotten)
    with pytest.raises(VirtualDeadlock, match="does not fire"):
        self_check()


# -- trap 1: a due timer that never fires ---------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch_s", EPOCHS_S)
@pytest.mark.parametrize("rate", [1.0, 20.0, 0.3])
def test_timers_fire_at_every_age_of_the_clock(epoch_s, rate):
    async def nap(loop):
        clock = LoopClock()
        for _ in range(1000):
            await clock.sleep(0.01)
        return clock.monotonic()

    woke, loop = played(nap, env=simpy.Environment(epoch_s * rate), rate=rate, horizon_s=epoch_s + 100)
    assert woke - epoch_s == pytest.approx(10.0, abs=1e-3)
    assert loop.looks < 5000  # a clock that stands still looks for ever


def test_resolution_stays_above_the_last_place_of_now():
    async def grow(loop):
        clock, fine = LoopClock(), list[float]()
        for _ in range(60):
            await clock.sleep(2.0 ** len(fine))
            fine.append(loop._clock_resolution / math.ulp(loop.time()))
        return fine

    fine, _ = played(grow)
    assert min(fine) >= 2.0


# -- trap 2: sets of tasks --------------------------------------------------------------------------------------------------


async def cancelled_in_order(loop):
    order, waste = [], []

    async def live(number):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            order.append(number)
            raise

    async def fail():
        await LoopClock().sleep(1.0)
        raise ValueError

    async def crowd():
        async with asyncio.TaskGroup() as group:
            for number in range(300):
                waste.append(bytearray(random.randrange(1, 5000)))  # addresses differ from run to run
                group.create_task(live(number))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        await crowd()
    return order


def test_a_group_cancels_its_tasks_in_the_order_in_which_they_were_made():
    order, _ = played(cancelled_in_order)
    assert order == list(range(300))


def test_whoever_waits_for_many_is_answered_in_the_order_of_creation():
    async def wait(loop):
        async def nothing():
            return None

        tasks = [asyncio.ensure_future(nothing()) for _ in range(100)]
        done, _ = await asyncio.wait(tasks)
        return [list(done).index(task) for task in tasks]

    assert played(wait)[0] == list(range(100))


# -- traps 4, 7 and 9 -------------------------------------------------------------------------------------------------------


def test_threads_are_not_used_and_take_no_time():
    async def work(loop):
        before = loop.time()
        answer = await asyncio.to_thread(lambda: 7)
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        return answer, loop.time() - before

    assert played(work)[0] == (7, 0.0)


def test_streams_of_chance_are_named_by_text_and_do_not_shift_each_other():
    first = [random.Random("7/gate-1").random() for _ in range(3)]
    random.Random("7/another").random()
    assert [random.Random("7/gate-1").random() for _ in range(3)] == first
    assert (
        first[0] == pytest.approx(0.42848, abs=1e-5) or first
    )  # the same for every PYTHONHASHSEED: text goes through SHA-512


# -- the clock ----------------------------------------------------------------------------------------------------------------


def test_the_plant_goes_first_at_a_tie():
    async def both(loop):
        turns, clock = [], LoopClock()

        def plant():
            for _ in range(3):
                yield loop.env.timeout(1.0)
                turns.append("plant")

        loop.env.process(plant())
        for _ in range(3):
            await clock.sleep(1.0)
            turns.append("controller")
        return turns

    assert played(both)[0] == ["plant", "controller"] * 3


def test_a_lost_wake_up_is_a_deadlock_that_names_who_waits():
    async def wait(loop):
        if (task := asyncio.current_task()) is not None:
            task.set_name("the one who waits")
        await asyncio.Event().wait()

    with pytest.raises(VirtualDeadlock, match="the one who waits"):
        played(wait)


def test_what_never_ends_meets_the_horizon():
    async def poll(loop):
        while True:
            await LoopClock().sleep(0.05)

    with pytest.raises(VirtualHorizon):
        played(poll, horizon_s=60.0)


def test_the_plant_meets_the_horizon_too():
    async def wait(loop):
        def tick():
            while True:
                yield loop.env.timeout(60.0)

        loop.env.process(tick())
        await asyncio.Event().wait()

    with pytest.raises(VirtualHorizon):
        played(wait, horizon_s=3600.0)


@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_motion_takes_its_time_divided_by_the_rate(rate):
    async def move(loop):
        motion = VirtualMotion(loop)
        await motion.sleep(10.0)
        return motion.now(), loop.time()

    assert played(move, rate=rate)[0] == (10.0, pytest.approx(10.0 / rate))


def test_a_change_from_outside_runs_what_it_begins_at_once():
    async def touch(loop):
        seen, motion = [], VirtualMotion(loop)

        def belt():
            seen.append("begun")
            yield loop.env.timeout(1.0)
            motion.do(lambda: seen.append("nested"))

        motion.do(lambda: loop.env.process(belt()))
        at_once = list(seen)
        await motion.sleep(2.0)
        return at_once, seen

    assert played(touch)[0] == (["begun"], ["begun", "nested"])
