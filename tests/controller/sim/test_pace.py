"""One pace for several processes: clocks that agree, wires that keep their patience, loops that say how late they were."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import simpy

from controller.commands.sim.roles import Play
from controller.commands.sim.scaled import Children, figures
from controller.commands.sim.shift.computing import offload_of
from controller.commands.sim.shift.parts import EPOCH
from controller.commands.sim.stretching import PatientClock, patient
from packline.core.clock import ManualClock
from plc.machine_file import shipped_machine
from simulation.virtual.loop import run
from simulation.virtual.paced import paced_loop
from simulation.virtual.sockets import PacedLoop
from simulation.virtual.wall import FastClock


def test_clocks_of_one_run_agree_on_and_off_a_loop():
    began = time.monotonic() - 10.0
    clock = FastClock(factor=6.0, began=began, epoch=EPOCH)

    async def on_the_loop():
        return clock.monotonic()

    off = clock.monotonic()
    on = run(on_the_loop(), lambda: paced_loop(factor=6.0, speed=3.0, began=began))
    later = clock.monotonic()
    assert 60.0 <= off <= on <= later
    assert clock.now() - EPOCH >= timedelta(seconds=60)


async def test_a_wire_has_as_long_as_ever_on_the_wall():
    clock = PatientClock(factor=5.0, began=0.0, epoch=EPOCH)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(TimeoutError):
        await clock.within(0.002, asyncio.Event().wait())
    assert loop.time() - begun >= 0.01
    head, longer = shipped_machine("turntable").machine, patient(shipped_machine("turntable"), 5.0).machine
    assert longer.request_timeout_ms == 5 * head.request_timeout_ms
    assert (longer.stale_after_ms, longer.poll_ms) == (5 * head.stale_after_ms, head.poll_ms)


def test_a_loop_says_how_late_it_came_to_what_was_due():
    async def block():
        loop: Any = asyncio.get_running_loop()
        due = asyncio.Event()
        loop.call_later(0.5, due.set)
        until = time.monotonic() + 0.02
        while time.monotonic() < until:  # heavy work on the loop: 20 s of the line at this factor
            pass
        await due.wait()
        return loop.most_lag_s

    assert run(block(), lambda: PacedLoop(simpy.Environment(), factor=1000.0)) > 10.0


def test_what_all_processes_must_know_survives_the_command_line():
    play = Play(site=Path("a b.toml"), data=Path("/d"), factor=2.5, began=17.25, speed=None, orders=3, seed=9)
    assert Play.read(play.word()) == play


@dataclass
class Ended:
    returncode: int = 3
    running: dict[str, Any] = field(default_factory=dict)

    def poll(self):
        return self.returncode


def test_a_process_that_ended_is_named_and_one_that_was_late_is_told(tmp_path):
    play = Play(site=Path("a"), data=tmp_path, factor=5.0, began=0.0)
    children = Children(play=play, running={"plant": Ended(), "web": Ended(0)})  # type: ignore[dict-item]
    assert children.dead() == "the plant ended with code 3, the web ended with code 0"
    (tmp_path / "lag-plant.json").write_text(json.dumps({"most_lag_s": 2.5}))
    assert children.lag_s() == {"plant": 2.5}


def test_figures_say_whether_it_kept_up(tmp_path):
    play = Play(site=Path("a"), data=tmp_path, factor=5.0, began=0.0)
    said = figures({"summary": {"orders": 2}}, {"plant": 0.2, "controller": 1.5}, play, {"mean_flow_s": 12.3})
    assert (said["kept_up"], said["mean_flow_s"], said["orders"]) == (False, 12.3, 2)
    assert figures({}, {"plant": 0.2}, play, {})["kept_up"]


async def test_heavy_work_takes_no_time_of_the_line_or_as_long_as_here_at_a_pace():
    class Counted(ManualClock):
        slept_s = 0.0

        async def sleep(self, seconds):
            self.slept_s += seconds

    clock = Counted()
    assert await offload_of(clock, 0.0)(pow, 2, 10) == 1024
    assert clock.slept_s == 0.0
    assert await offload_of(clock, 5.0)(sum, range(10_000)) == 49_995_000
    assert clock.slept_s > 0.0
