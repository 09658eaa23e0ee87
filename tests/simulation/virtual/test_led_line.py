"""The house's clients move machines on the virtual loop as the same rules do where there is no loop."""

import simpy

from simulation.virtual.loop import VirtualLoop, run
from tests.bench.led_line import by_asyncio
from tests.bench.led_plant import JOBS
from tests.bench.led_simpy import by_simpy

PARCELS = 6


def test_tasks_on_the_loop_and_state_machines_in_simpy_begin_and_end_every_motion_at_the_same_microsecond():
    on_the_loop = run(by_asyncio(PARCELS), lambda: VirtualLoop(simpy.Environment())).log
    in_simpy = by_simpy(PARCELS).log

    assert sorted(on_the_loop) == sorted(in_simpy)
    assert len(on_the_loop) >= 2 * JOBS * (PARCELS - 1)
