"""Leads the machines of one line through many parcels, in a process of its own: `python -m tests.bench.led_line WAY PARCELS`.

Ways: `asyncio` (the house's own clients of machines on the virtual loop) and `simpy` (state machines over the same pure rules, as SimPy
processes: no asyncio). Machines, handshake, polls and their moments, answers' time and jobs are the same; neither has books. The last line says seconds
of the processor, jobs, when the last of them ended, and a hash of when each began and ended.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from contextlib import AsyncExitStack
from hashlib import sha256
from time import process_time

import simpy

from packline.core.clock import LoopClock
from packline.core.effects import Effect, EffectKind, EffectState
from plc.machine import Machine
from simulation.virtual.loop import VirtualLoop, run
from simulation.virtual.motion import VirtualMotion
from tests.bench.led_plant import BEGINS_S, JOBS, LINE, OWNER, TICK_S, Plant
from tests.bench.led_simpy import by_simpy
from tests.plc.plants import Epochs
from tests.waiting import serving

READY_S = 60.0
KINDS = {kind: EffectKind(name=kind, once=True) for _, wishes in LINE for kind, _ in wishes}


async def by_asyncio(parcels: int) -> Plant:
    """Lead the line as the controller does, without its books."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = LoopClock()
    plant = Plant(VirtualMotion(loop), clock)
    loop.happened = plant.happened
    plant.power_on()
    queues: list[asyncio.Queue[int]] = [asyncio.Queue() for _ in range(len(LINE) + 1)]

    async def come() -> None:
        await clock.sleep(BEGINS_S)
        for number in range(parcels):
            queues[0].put_nowait(number)

    async def scans() -> None:
        while True:
            await clock.sleep(TICK_S)
            plant.scan()

    async def station(at: int, client: Machine) -> None:
        device, job = client.device(), 0
        await client.wait(lambda view: view.owned, READY_S)
        await client.make_ready()
        while True:
            parcel = await queues[at].get()
            for kind, parameters in LINE[at][1]:
                job += 1
                wish = Effect(kind=KINDS[kind], subject=str(parcel), generation=1, station="s", parameters=parameters)
                ticket = await device.prepare(wish, job)
                evidence = await device.send(wish, ticket)
                if evidence.state is EffectState.SENT:
                    evidence = await device.inquire(wish, ticket)
                assert evidence.state is EffectState.CONFIRMED, evidence
            queues[at + 1].put_nowait(parcel)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(scans()))
        await stack.enter_async_context(serving(come()))
        for at, mount in enumerate(plant.mounts):
            client = Machine(
                name=LINE[at][0],
                file=mount.file,
                link=mount.tag_link(),
                epochs=Epochs(),
                owner_id=OWNER,
                clock=clock,
                rng=random.Random(3),
            )
            await stack.enter_async_context(serving(client.run()))
            await stack.enter_async_context(serving(station(at, client)))
        for _ in range(parcels):
            await queues[-1].get()
    return plant


def main(way: str, parcels: int) -> None:
    """Run one way and say what it took."""
    begun = process_time()
    plant = by_simpy(parcels) if way == "simpy" else run(by_asyncio(parcels), lambda: VirtualLoop(simpy.Environment()))
    busy_s = process_time() - begun
    ends = [at for at, _, what in plant.log if what == "ends"]
    assert len(ends) >= parcels * JOBS
    digest = sha256(repr(sorted(plant.log)).encode()).hexdigest()[:16]
    print(json.dumps({"busy_s": busy_s, "jobs": len(ends), "last_us": max(ends), "hash": digest}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
