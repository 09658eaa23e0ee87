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
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from hashlib import sha256
from time import process_time
from typing import Any, TypeVar

import simpy

from packline.core.clock import LoopClock
from packline.core.effects import Effect, EffectKind, EffectState
from plc.handshake import frames
from plc.handshake.controller_rules import ControllerBrain, Phase
from plc.handshake.frames import Command, Result, Status, Words, identity
from plc.handshake.verdicts import Intent, Verdict, look, next_epoch
from plc.machine import Machine as Client
from plc.machine_file import MachineFile, shipped_machine
from plc.machine_jobs import job_for
from plc.packml import TOWARDS_EXECUTE, State
from plc.polling import Moments
from simulation.machines.generic import Generic
from simulation.machines.machine import Machine
from simulation.motion import Motion
from simulation.mounts.memory import MemoryTagMount
from simulation.mounts.wire import Wire
from simulation.quirks import Quirks
from simulation.virtual.loop import VirtualLoop, run
from simulation.virtual.motion import VirtualMotion
from tests.plc.plants import Epochs
from tests.waiting import serving

T = TypeVar("T")
Wish = tuple[str, dict[str, Any]]
Moment = Callable[[float, float], float]

LINE: tuple[tuple[str, tuple[Wish, ...]], ...] = (
    ("turntable", (*(("turn", {"angle_deg": angle}) for angle in (90, 180, 270, 0)), ("light", {"level_pct": 50}))),
    ("packer", (("seal", {"length_mm": 300, "width_mm": 200, "height_mm": 150}),)),
    ("applicator", (("apply", {}), ("eject", {"lane": 1}))),
    ("courier_gate", (("light", {"lamp": 1}), ("release", {}), ("light", {"lamp": 0}))),
)
"""The machines that a parcel passes, and their jobs for it."""
JOBS = sum(len(wishes) for _, wishes in LINE)
OWNER = 9
LATENCY_S, APART_S, TICK_S = 0.001, 0.000_037, 0.2
"""As in the plant of a shift: what an answer takes, what the next machine's takes more, and how often a PLC scans that nobody asks."""
READY_S = 60.0
BEGINS_S = 10.0
"""When the parcels come: every machine executes by then, also the one that was asked for its model before."""


class Plant:
    """The line's machines; `log` is every motion's begin and end."""

    def __init__(self, motion: Motion, clock: Any) -> None:
        self.log: list[tuple[int, str, str]] = []
        self._motion = motion
        self.machines: list[Machine] = []
        self.mounts: list[MemoryTagMount] = []
        for number, (model, _) in enumerate(LINE):
            file = _showing(shipped_machine(model))
            machine = Machine(model, file, Generic(motion.env, file), motion, clock, quirks=Quirks(), seed=1)
            machine.watch = self._watch
            mount = MemoryTagMount(machine, file, clock, Wire(latency_s=LATENCY_S + number * APART_S))
            mount.tell_news(machine.shown, machine.is_sound)
            mount.is_open = True
            self.machines.append(machine)
            self.mounts.append(mount)

    def power_on(self) -> None:
        for machine in self.machines:
            machine.power_on()

    def happened(self) -> None:
        """Look for whoever waits for news; called after everything that happened."""
        for mount in self.mounts:
            mount.look()

    def scan(self) -> None:
        for machine in self.machines:
            machine.scan()

    def _watch(self, name: str, what: str) -> None:
        self.log.append((round(self._motion.now() * 1e6), name, what))


def _showing(file: MachineFile) -> MachineFile:
    """Let a machine show what its file expects of it."""
    shown = {one.tag: one.equals for one in file.expect.values()}
    return file.model_copy(update={"simulation": {**file.simulation, "show": shown}})


# -- the house's clients -----------------------------------------------------------------------------------------------


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

    async def station(at: int, client: Client) -> None:
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
            client = Client(
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


KINDS = {kind: EffectKind(name=kind, once=True) for _, wishes in LINE for kind, _ in wishes}


# -- the same rules in bare SimPy ---------------------------------------------------------------------------------------


class BareMotion:
    """The plant's time where everything is a SimPy process."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env

    def now(self) -> float:
        return float(self.env.now)

    def monotonic(self) -> float:
        return float(self.env.now)

    def do(self, act: Callable[[], T]) -> T:
        return act()


class Led:
    """One machine and what it is to do, as a state machine: `see` takes a STATUS and says what to write."""

    def __init__(
        self, file: MachineFile, wishes: Sequence[Wish], queue: deque[int], then: deque[int], gave: Callable[[], None]
    ) -> None:
        self.brain = ControllerBrain(owner_id=OWNER)
        self._queue, self._then, self._gave = queue, then, gave
        self._wishes = [(job_for(kind, file.commands, file.machine.model), given) for kind, given in wishes]
        self._epoch = self._number = self._next = 0
        self._intent: Intent | None = None
        self._ordered: State | None = None
        self._parcel: int | None = None

    def see(self, status: Status, now: float) -> list[tuple[str, Words]]:
        brain = self.brain
        brain.observe(status)
        if brain.phase is Phase.UNFENCED:
            self._epoch = next_epoch(max(self._epoch, brain.epoch), status.owner_epoch)
            brain.claim(self._epoch)
        return self.lead(status, now)

    def lead(self, status: Status, now: float) -> list[tuple[str, Words]]:
        """Go on from what was seen last: also when there is a parcel now that was not."""
        if self.brain.is_owner:
            self._lead(status)
        return self.brain.due(now, is_ticking=True)

    def _lead(self, status: Status) -> None:
        if self._intent is not None:
            if look(status, self._intent) is not Verdict.ENDED:
                if look(status, self._intent) is Verdict.RUNNING:
                    self.brain.withdraw()
                return
            assert status.result == Result.OK
            self.brain.withdraw()
            self._intent, self._next = None, self._next + 1
        if status.state != State.EXECUTE:
            if (lead := TOWARDS_EXECUTE.get(State(status.state))) and self._ordered != status.state:
                self._ordered = State(status.state)
                self.brain.order_state(lead)
            return
        if self._next == len(self._wishes):
            assert self._parcel is not None
            self._then.append(self._parcel)
            self._parcel, self._next = None, 0
            self._gave()
        if self._parcel is None and self._queue:
            self._parcel = self._queue.popleft()
        if self._parcel is not None:
            self._begin(status)

    def _begin(self, status: Status) -> None:
        brain, (job, given) = self.brain, self._wishes[self._next]
        seq = brain.next_seq()
        self._number += 1
        self._intent = Intent(id=identity(brain.epoch, seq), job=self._number, boot=brain.boot, ack=status.ack)
        params = job.words(given, "")
        brain.submit(Command(epoch=brain.epoch, seq=seq, code=job.code, params=params, job=self._number))


def by_simpy(parcels: int) -> Plant:
    """Lead the line by state machines that SimPy steps."""
    env = simpy.Environment()
    motion = BareMotion(env)
    plant = Plant(motion, motion)  # type: ignore[arg-type]
    plant.power_on()
    queues: list[deque[int]] = [deque() for _ in range(len(LINE) + 1)]

    def come() -> Generator[simpy.Event, Any, None]:
        yield env.timeout(BEGINS_S)
        queues[0].extend(range(parcels))
        tell(0)

    def scans() -> Generator[simpy.Event, Any, None]:
        while True:
            yield env.timeout(TICK_S)
            plant.scan()

    def leads(at: int) -> Generator[simpy.Event, Any, None]:
        mount = plant.mounts[at]
        machine, latency_s, head = plant.machines[at], mount.wire.latency_s, mount.file.machine
        led = Led(mount.file, LINE[at][1], queues[at], queues[at + 1], lambda: tell(at + 1))
        brain, moments, is_told = led.brain, Moments(LINE[at][0]), False
        while True:
            if not is_told:
                words = machine.read(frames.STATUS)
                mount.note_read(was_sound=True)
                yield env.timeout(latency_s)
                status = frames.decode_status(words)
            blocks = led.lead(status, env.now) if is_told else led.see(status, env.now)
            for block, block_words in blocks:
                machine.write(block, block_words)
                yield env.timeout(latency_s)
            is_told = False
            if all(block == frames.HB for block, _ in blocks):
                period_s = (head.fast_poll_ms if brain.is_acting or status.busy else head.poll_ms) / 1000
                is_told = yield from waits(at, brain, moments.after, moments.last, period_s)

    def waits(
        at: int, brain: ControllerBrain, after: Moment, last: Moment, period_s: float
    ) -> Generator[simpy.Event, Any, bool]:
        """Leave out polls that cannot see a change, as the house's client does; gives whether there is a parcel to begin with."""
        now, mount, woken = env.now, plant.mounts[at], env.event()
        ends_at = after(now, period_s)
        if not brain.is_owner or brain.is_acting or mount.listen(partial(wake, woken, False)) is None:
            yield env.timeout(ends_at - now)
            return False
        ends_at = max(ends_at, last(brain.beat_due_at - mount.wire.latency_s, period_s))
        env.timeout(ends_at - now).callbacks.append(lambda _: wake(woken, False))
        pokes[at] = partial(wake, woken, True)
        is_told = bool((yield woken))
        pokes[at] = None
        if not is_told and env.now < ends_at:
            yield env.timeout(after(env.now, period_s) - env.now)
        return is_told

    def tell(at: int) -> None:
        if at < len(LINE) and (poke := pokes[at]):
            poke()

    def wake(woken: simpy.Event, is_told: bool) -> None:
        if not woken.triggered:
            woken.succeed(is_told)

    pokes: list[Callable[[], None] | None] = [None] * len(LINE)
    env.process(scans())
    env.process(come())
    for at in range(len(LINE)):
        env.process(leads(at))
    while len(queues[-1]) < parcels:
        env.step()
        plant.happened()
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
