"""A machine of the plant without the handshake: its own rules are those that its file says of its jobs."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import simpy

from plc.handshake.frames import Words
from plc.links import Value
from plc.machine_file import MachineFile
from plc.machine_jobs import PlainJob, Proof
from plc.tags.codec import modulus
from simulation.machines.ears import DEAF, Moved, unwatched
from simulation.machines.mechanics import ERROR_MACHINE, Done, Mechanics, Move
from simulation.machines.tag_image import TagImage
from simulation.machines.wear import worn
from simulation.motion import Motion
from simulation.quirks import Quirks


class PlainMachine:
    """One machine of coils and words. A job begins when its last write comes, and its evidence shows how it ended.

    A level that showed an end is taken back by the reset, or when the job is written again.
    """

    def __init__(self, name: str, file: MachineFile, mechanics: Mechanics, motion: Motion, *, quirks: Quirks) -> None:
        self.name, self.file, self.mechanics, self.quirks = name, file, mechanics, quirks
        self._motion = motion
        self._image = TagImage(file)
        self._jobs = {kind: move for kind, move in mechanics.jobs().items() if kind in file.plain_jobs}
        self._moving: simpy.Process | None = None
        self._frozen: Mapping[str, Value] | None = None
        self._sensed: Mapping[str, int] | None = None
        self._is_stopped = False
        self.drifts = 0
        self.is_powered = False
        self.watch: Moved = unwatched
        self.ears = DEAF
        self.begun: list[str] = []

    # -- power ---------------------------------------------------------------------------------------------------------

    def power_on(self, *, memory_kept: bool = True) -> None:
        """Boot: outputs are off; counters are kept or not."""
        self.is_powered = True
        self._image.forget()
        if not memory_kept:
            self._image.own.clear()
        self.mechanics.forget()
        boot = self.file.capability.get("boot")
        if boot is not None:
            self._image.own[boot] = int(self._image.own.get(boot, 0)) + 1
        self.ears.looked()

    def power_off(self) -> None:
        """Cut the power; a motion stops where it is."""
        self.is_powered = False
        self._motion.do(lambda: self._stop("power"))
        self.ears.looked()

    # -- the protocol's side -------------------------------------------------------------------------------------------

    def tag_values(self) -> Mapping[str, Value]:
        """Give the value of every tag."""
        values = self._motion.do(lambda: self._image.values({**self._inputs(), **self.mechanics.tags()}))
        if "frozen" not in self.quirks:
            self._frozen = None
            return values
        self._frozen = self._frozen or values
        return self._frozen

    def write_tag(self, name: str, value: Value) -> None:
        """Take a write and begin the job that it completes."""
        if self.is_powered:
            self._motion.do(lambda: self._write(name, value))

    def read(self, block: str) -> Words:
        """Refuse: there are no blocks."""
        raise ValueError(f"{self.name} has no block {block}")

    def write(self, block: str, words: Sequence[int], offset: int = 0) -> None:
        """Refuse: there are no blocks."""
        raise ValueError(f"{self.name} has no block {block}")

    def scan(self) -> None:
        """Bring the plant up to now."""
        if self.is_powered:
            self._motion.do(lambda: None)

    def press(self, _command: int) -> bool:
        """Press a PackML command: such a machine knows none."""
        return False

    # -- faults of the machine itself ----------------------------------------------------------------------------------

    def clear_jam(self) -> None:
        """Take the jam out: it shows only in a job that failed."""

    def emergency_stop(self, *, is_open: bool) -> None:
        """Open or close the safety circuit: open, nothing moves and nothing begins."""
        for what in (
            ("stopped",) if is_open else ("closed", "pressed")
        ):  # it has no panel: closing is all that resets it
            self.watch(self.name, what)
        self._is_stopped = is_open
        if is_open:
            self._motion.do(lambda: self._stop("stop"))
        self.ears.looked()

    @property
    def is_stopped(self) -> bool:
        """Tell whether the safety circuit is open."""
        return self._is_stopped

    @property
    def is_busy(self) -> bool:
        """Tell whether a job runs."""
        return self._moving is not None and self._moving.is_alive

    # -- inside --------------------------------------------------------------------------------------------------------

    def _inputs(self) -> Mapping[str, int]:
        """Give what its sensors say; a stuck one says what it said."""
        if "stuck_sensor" not in self.quirks or self._sensed is None:
            self._sensed = self.mechanics.sense()
        return self._sensed

    def _write(self, name: str, value: Value) -> None:
        self._image.write(name, value)
        self.mechanics.written(name, value)
        for kind, job in self.file.plain_jobs.items():
            if any(w.tag == name and w.value == value for w in job.reset):
                self._take_back(job)
            if job.write[-1].tag == name and self._is_whole(job):
                self._begin(kind, job)

    def _is_whole(self, job: PlainJob) -> bool:
        """Tell whether every tag of the job holds what the job writes."""
        written = self._image.written
        return all(w.tag in written and (w.source is not None or written[w.tag] == w.value) for w in job.write)

    def _begin(self, kind: str, job: PlainJob) -> None:
        if kind not in self._jobs or self.is_busy or self._is_stopped or self._shows_end(job):
            return
        given = {w.source: self._image.written[w.tag] for w in job.write if w.source is not None}
        numbers = {name: int(value) for name, value in given.items() if not isinstance(value, str)}
        self.begun.append(kind)
        self.watch(self.name, "begins")
        self._moving = self._motion.env.process(self._move(job, kind, numbers))
        self.ears.looked()

    def _move(self, job: PlainJob, kind: str, given: Mapping[str, int]) -> Generator[simpy.Event, Any, None]:
        began_s = self._motion.env.now
        try:
            done = yield from self._spoilt(self._jobs[kind](given))
        except simpy.Interrupt:
            self.ears.ended(kind, self._motion.env.now - began_s, None)
            return
        self.watch(self.name, "ends")
        proof = job.failed if done.error else job.done
        if proof is not None:
            self._prove(proof)
        for name, value in done.results.items():
            if name in self.file.tags:
                self._image.own[name] = value
        self._moving = None
        self.ears.ended(kind, self._motion.env.now - began_s, done.error)

    def _spoilt(self, move: Move) -> Move:
        if self.quirks.hits("fail") or self.quirks.hits("jam"):
            yield self._motion.env.timeout(0.5)
            return Done(error=ERROR_MACHINE)
        if self.quirks:
            return (yield from worn(move, self.quirks, self._motion.env, self))
        return (yield from move)

    def _prove(self, proof: Proof) -> None:
        own, shown = self._image.own, self._image.values({}).get(proof.tag, 0)
        if proof.rises is not None and not isinstance(shown, str):
            turn = modulus(self.file.tags[proof.tag])
            risen = int(shown) + proof.rises
            own[proof.tag] = risen % turn if turn else risen
        else:
            level = proof.equals if proof.equals is not None else proof.min
            own[proof.tag] = level if level is not None else 0

    def _shows_end(self, job: PlainJob) -> bool:
        return any(p is not None and p.rises is None and p.tag in self._image.own for p in (job.done, job.failed))

    def _take_back(self, job: PlainJob) -> None:
        for proof in (job.done, job.failed):
            if proof is not None and proof.rises is None:
                self._image.own.pop(proof.tag, None)

    def _stop(self, cause: str) -> None:
        moving, self._moving = self._moving, None
        if moving is not None and moving.is_alive:
            moving.interrupt(cause)
