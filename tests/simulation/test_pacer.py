"""The plant's clock: slaved to the wall, woken by what comes from outside."""

import asyncio
import random

import pytest
import simpy

from packline.core.clock import LoopClock, ManualClock
from plc.handshake.frames import FAULT_SILENCE, Result, decode_status
from plc.links import LinkDown
from plc.machine_file import shipped_machine
from plc.packml import State
from simulation.machines.machine import Machine
from simulation.machines.mechanics import Done, Mechanics
from simulation.mounts.memory import MemoryMount
from simulation.pacer import Pacer
from simulation.quirks import Quirks
from tests.waiting import let_run


async def test_outside_change_happens_now_not_at_the_next_event():
    clock = ManualClock()
    pacer = Pacer(simpy.Environment(), 20.0, clock)
    pacer.do(lambda: pacer.env.timeout(1000))
    clock.advance(3)
    seen = pacer.do(pacer.now)
    assert seen == pytest.approx(60)


async def test_sleep_takes_simulated_seconds():
    clock = ManualClock()
    pacer = Pacer(simpy.Environment(), 10.0, clock)
    running = asyncio.ensure_future(pacer.run())
    sleeping = asyncio.ensure_future(pacer.sleep(30))
    await let_run(10)
    clock.advance(2.9)
    await let_run(10)
    assert not sleeping.done()
    clock.advance(0.2)
    await sleeping
    running.cancel()


async def test_nested_changes_are_one():
    pacer = Pacer(simpy.Environment(), 1.0, ManualClock())
    assert pacer.do(lambda: pacer.do(lambda: 7)) == 7


async def test_cancelled_sleeper_does_not_disturb_the_plant():
    clock = ManualClock()
    pacer = Pacer(simpy.Environment(), 1.0, clock)
    sleeping = asyncio.ensure_future(pacer.sleep(5))
    await let_run()
    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)
    clock.advance(10)
    assert pacer.do(pacer.now) == pytest.approx(10)


async def test_what_breaks_the_plant_comes_out_of_run():
    env = simpy.Environment()
    pacer = Pacer(env, 1000.0, LoopClock())

    def breaks():
        yield env.timeout(1)
        raise RuntimeError("a shaft broke")

    pacer.do(lambda: env.process(breaks()))
    with pytest.raises(RuntimeError, match="shaft"):
        await asyncio.wait_for(pacer.run(), 20)


def test_speed_must_be_above_zero():
    with pytest.raises(ValueError, match="speed"):
        Pacer(simpy.Environment(), 0.0, ManualClock())


class Press(Mechanics):
    """A gate's file with the simplest mechanics."""

    def __init__(self, env):
        self.env = env
        self.pressed = 0

    def jobs(self):
        return {"release": self.release}

    def sense(self):
        return {"parcel_present": 1, "passed_total": self.pressed}

    def release(self, _given):
        yield self.env.timeout(2)
        self.pressed += 1
        return Done(results={"passed_count": 1})


def press_machine(speed=1.0):
    clock = ManualClock()
    pacer = Pacer(simpy.Environment(), speed, clock)
    mechanics = Press(pacer.env)
    machine = Machine("gate-1", shipped_machine("courier_gate"), mechanics, pacer, clock, quirks=Quirks(), seed=1)
    return clock, mechanics, machine


async def owned(machine, hand):
    machine.power_on()
    mount = MemoryMount(machine)
    await mount.open()
    link = mount.link()
    await link.connect()
    controller = hand(link.read, link.write)
    await controller.take()
    return mount, link, controller


async def test_machine_in_memory_keeps_the_same_rules_without_a_wire(hand):
    clock, mechanics, machine = press_machine()
    with pytest.raises(LinkDown):
        await MemoryMount(machine).link().connect()
    mount, link, controller = await owned(machine, hand)
    command = await controller.start(16)
    assert decode_status(await link.read("STATUS")).busy
    clock.advance(1.9)
    assert mechanics.pressed == 0
    clock.advance(0.1)
    status = decode_status(await link.read("STATUS"))
    assert (status.done, status.result, mechanics.pressed) == (command.id, Result.OK, 1)
    await mount.close()
    with pytest.raises(LinkDown):
        await link.read("STATUS")


@pytest.mark.parametrize("speed", [1.0, 40.0])
async def test_machine_holds_by_itself_after_the_same_wall_time_of_silence_at_any_speed(hand, speed):
    clock, _, machine = press_machine(speed)
    await owned(machine, hand)
    clock.advance(1.9)
    machine.scan()
    assert machine.brain.states.state == State.EXECUTE
    clock.advance(0.2)
    machine.scan()
    assert machine.brain.states.state == State.HELD
    assert machine.brain.status().fault == FAULT_SILENCE


def test_two_machines_of_one_plant_have_their_own_randomness():
    draws = {name: random.Random(f"1/{name}").random() for name in ("arm-1", "gate-1")}
    assert draws["arm-1"] != draws["gate-1"]
