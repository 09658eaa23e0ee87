"""Virtual time over real sockets, and time at a pace of the wall clock."""

import asyncio
import socket
import threading
import types
from typing import Any

import pytest
import simpy

from packline.core.clock import LoopClock
from simulation.virtual.loop import run
from simulation.virtual.sockets import LoopbackLoop, PacedLoop
from simulation.virtual.wall import patched_time
from tests.simulation.virtual.test_loop import cancelled_in_order

pytestmark = pytest.mark.wire


async def echoes(rounds):
    """Ask a small server over the loopback and sleep in between; gives loop times of the answers."""

    async def serve(reader, writer):
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    clock, times = LoopClock(), []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for n in range(rounds):
            writer.write(f"{n}\n".encode())
            assert await reader.readline() == f"{n}\n".encode()
            times.append(clock.monotonic())
            await clock.sleep(1.0)
        writer.close()
        await writer.wait_closed()
    return times


def test_an_answer_over_the_loopback_takes_no_virtual_time():
    assert run(echoes(20), lambda: LoopbackLoop(simpy.Environment())) == pytest.approx(range(20))


def test_virtual_time_stands_still_while_a_thread_works():
    async def work():
        loop, entered = asyncio.get_running_loop(), threading.Event()
        asked = asyncio.ensure_future(loop.run_in_executor(None, entered.wait, 10.0))
        timer = asyncio.ensure_future(LoopClock().sleep(3600.0))
        entered.set()
        assert await asked
        assert not timer.done()
        timer.cancel()
        return loop.time()

    assert run(work(), lambda: LoopbackLoop(simpy.Environment())) == 0.0


def test_tasks_keep_their_order_here_too():
    async def whole():
        return await cancelled_in_order(None)

    assert run(whole(), lambda: LoopbackLoop(simpy.Environment())) == list(range(300))


# trap 8: a clock that sleeps until the next event of the plant does not hear a socket before that


def test_a_socket_is_served_long_before_the_next_event_of_the_plant():
    async def listen():
        loop: Any = asyncio.get_running_loop()
        loop.env.timeout(1e9)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        writer = threading.Thread(target=theirs.sendall, args=(b"news",))
        writer.start()
        heard = await loop.sock_recv(ours, 16)
        writer.join()
        ours.close()
        theirs.close()
        return heard, loop.env.now < 1e9

    assert run(listen(), lambda: PacedLoop(simpy.Environment(), factor=1.0)) == (b"news", True)


# trap 6: time-outs of a wire are wall time


def test_a_time_out_of_a_wire_is_stretched_by_the_pace():
    async def ask():
        loop: Any = asyncio.get_running_loop()
        return loop.wall(3.0)

    assert run(ask(), lambda: PacedLoop(simpy.Environment(), factor=20.0)) == 60.0


def test_a_paced_loop_runs_plant_and_timers_in_their_order():
    async def both():
        loop: Any = asyncio.get_running_loop()
        turns: list[str] = []

        def plant():
            for _ in range(3):
                yield loop.env.timeout(10.0)
                turns.append("plant")

        loop.env.process(plant())
        for _ in range(3):
            await LoopClock().sleep(10.0)
            turns.append("controller")
        return turns

    turns = run(both(), lambda: PacedLoop(simpy.Environment(), factor=100_000.0))
    assert sorted(turns) == ["controller"] * 3 + ["plant"] * 3


# trap 3: libraries that mix the module time with the loop's sleeps


def test_a_patched_module_reads_the_loops_time_and_gets_its_own_back():
    import time
    from datetime import UTC, datetime

    module: Any = types.ModuleType("library")
    module.time = time

    async def drift():
        loop, clock = asyncio.get_running_loop(), LoopClock()
        with patched_time(loop, datetime(2026, 1, 1, tzinfo=UTC), module):
            before = module.time.monotonic()
            await clock.sleep(7.0)
            return module.time.monotonic() - before, module.time.time(), module.time.sleep is time.sleep

    took, calendar, keeps_the_rest = run(drift(), lambda: LoopbackLoop(simpy.Environment()))
    assert (took, keeps_the_rest) == (7.0, True)
    assert calendar == datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC).timestamp()
    assert module.time is time
