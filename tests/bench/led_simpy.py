"""Leads the machines of one line by state machines over the house's pure rules, as SimPy processes: there is no asyncio."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, TypeVar

import simpy

from plc.handshake import frames
from plc.handshake.controller_rules import ControllerBrain, Phase
from plc.handshake.frames import Command, Result, Status, Words, identity
from plc.handshake.verdicts import Intent, Verdict, look, next_epoch
from plc.machine_file import MachineFile
from plc.machine_jobs import job_for
from plc.packml import TOWARDS_EXECUTE, State
from plc.polling import Moments
from tests.bench.led_plant import BEGINS_S, LINE, OWNER, TICK_S, Plant, Wish

T = TypeVar("T")
Moment = Callable[[float, float], float]


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
