"""A machine of the plant: the rules of the handshake around a behaviour that moves things."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import simpy

from packline.core.clock import Clock
from packline.core.effects import LIGHT
from plc.brains import brain_for
from plc.handshake import frames
from plc.handshake.device_rules import Action, StartMotion
from plc.handshake.frames import Result, Words
from plc.links import Value
from plc.machine_file import MachineFile
from simulation.machines.ears import DEAF, Moved, unwatched
from simulation.machines.mechanics import ERROR_MACHINE, Done, Mechanics, Move
from simulation.machines.tag_image import TagImage
from simulation.machines.wear import worn
from simulation.motion import Motion
from simulation.quirks import Quirks

FAULT_BIT = 2
SAFETY_ESTOP = 1
SLOW_SCAN_S = 0.7


class Machine:
    """One machine. It is a BlockDevice: every access is one scan of its PLC, at the present moment of the plant.

    A power cut or a stop ends a motion where it is: what has already moved stays moved.
    """

    def __init__(
        self,
        name: str,
        file: MachineFile,
        mechanics: Mechanics,
        motion: Motion,
        clock: Clock,
        *,
        quirks: Quirks,
        seed: int,
    ) -> None:
        self.name = name
        self.file = file
        self.quirks = quirks
        self.mechanics = mechanics
        self._motion = motion
        self._clock = clock
        self._rng = random.Random(f"{seed}/{name}")
        self.brain = brain_for(file, random.Random(f"{seed}/{name}/boot"))
        self._jobs = {
            file.commands[kind].code: (kind, move) for kind, move in mechanics.jobs().items() if kind in file.commands
        }
        self._image = TagImage(file)
        self._places = {
            name: (part.word - frames.FIRST_SPARE_WORD, part.bit or 0)
            for name, part in file.inputs.items()
            if part.word is not None
        }
        """Which word and bit of the spare ones each input has."""
        self._moving: simpy.Process | None = None
        self._frozen: Words | None = None
        self.touches = 0
        """Counts what is done to the machine by hand."""
        self._scanned_s = -SLOW_SCAN_S
        self.drifts = 0
        self.is_powered = False
        self.watch: Moved = unwatched
        self.ears = DEAF
        self.trip: Callable[[], None] = unplugged
        """Takes its power away for a while, as soon as may be."""

    # -- power ---------------------------------------------------------------------------------------------------------

    def power_on(self, *, memory_kept: bool = True) -> None:
        """Boot; nothing moves by itself."""
        self.is_powered = True
        self.touches += 1
        self.brain.boot(self._clock.monotonic(), memory_kept=memory_kept)
        self.scan()

    def power_off(self) -> None:
        """Cut the power; a motion stops where it is, and only the retained memory knows of it."""
        self.is_powered = False
        self.touches += 1
        self._motion.do(lambda: self._stop("power"))
        self.ears.looked()

    # -- the protocol's side -------------------------------------------------------------------------------------------

    def read(self, block: str) -> Words:
        """Give a whole block after one scan."""
        self.scan()
        if block != frames.STATUS:
            return tuple(self.brain.areas[block])
        if "garbage" in self.quirks:
            return tuple(self._rng.randrange(0x10000) for _ in range(frames.BLOCK_WORDS[block]))
        words = self.brain.status_words()
        if "frozen" not in self.quirks:
            self._frozen = None
            return words
        self._frozen = self._frozen or words
        return self._frozen

    def is_sound(self) -> bool:
        """Tell whether it is on and does nothing wrong, so that it shows what it is."""
        return self.is_powered and not self.quirks

    def shown(self) -> tuple[object, ...]:
        """Give what decides what STATUS shows, apart from the count of scans; nothing is scanned for it."""
        brain, memory = self.brain, self.brain.memory
        held = (memory.ack, memory.done, memory.result, memory.error, memory.data, memory.job, memory.state_ack)
        owner = (memory.boot, memory.owner_epoch, memory.owner_id)
        own = (brain.states.state, brain.states.mode, brain.faults, brain.safety, brain.cause, brain.rejected)
        return (*held, *owner, *own, self.is_powered, *self.mechanics.sense().values())

    def write(self, block: str, words: Sequence[int], offset: int = 0) -> None:
        """Take words from the controller and act on them; an unpowered machine takes nothing."""
        if self.is_powered and not self._is_lost(block):
            self.brain.write(block, words, offset)
            if block == frames.CMD and self.quirks.hits("overwritten"):
                self.brain.write(block, [self._rng.randrange(0x10000) for _ in range(frames.BLOCK_WORDS[block])])
            self.scan()

    def tag_values(self) -> Mapping[str, Value]:
        """Give the value of every tag after one scan."""
        self.scan()
        return self._image.values({**self.mechanics.sense(), **self.mechanics.tags()})

    def write_tag(self, name: str, value: Value) -> None:
        """Take a tag from the controller; an unpowered machine takes nothing."""
        if self.is_powered:
            self._image.write(name, value)
            self._motion.do(lambda: self.mechanics.written(name, value))

    def scan(self) -> None:
        """Run one scan of the PLC."""
        if self.is_powered and not self._is_between_scans():
            self._motion.do(self._scan)

    @property
    def is_moving(self) -> bool:
        """Tell whether a job moves it: then whatever happens in the plant may change what it shows."""
        return self._moving is not None

    def press(self, command: int) -> bool:
        """Press a PackML command on the machine's own panel; False if its state does not know it."""
        if not self.is_powered:
            return False
        self.watch(self.name, "pressed")
        self.touches += 1
        is_known = self._motion.do(lambda: self.brain.press(command))
        self.ears.looked()
        return is_known

    # -- faults of the machine itself ----------------------------------------------------------------------------------

    def clear_jam(self) -> None:
        """Take the jam out; the state stays, a person's command leads on."""
        self.touches += 1
        self.brain.clear_fault(FAULT_BIT)

    def emergency_stop(self, *, is_open: bool) -> None:
        """Open or close the safety circuit."""
        self.watch(self.name, "stopped" if is_open else "closed")
        self.touches += 1
        self.brain.safety = SAFETY_ESTOP if is_open else 0
        self.scan()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _scan(self) -> None:
        self._sense()
        brain, before = self.brain, self._stand()
        actions = brain.scan(self._clock.monotonic())
        for action in actions:
            self._act(action)
        self.touches += before != self._stand()
        if actions:
            self._sense()
        self.ears.looked()

    def _stand(self) -> tuple[object, ...]:
        """Give what of `shown` a scan may change."""
        brain, memory = self.brain, self.brain.memory
        held = (memory.ack, memory.done, memory.result, memory.owner_epoch, memory.owner_id, memory.state_ack)
        return (*held, brain.states.state, brain.states.mode, brain.faults, brain.cause, brain.rejected)

    def _is_lost(self, block: str) -> bool:
        return block == frames.HB and "stale_heartbeat" in self.quirks

    def _is_between_scans(self) -> bool:
        if "slow_scan" not in self.quirks:
            return False
        now = self._clock.monotonic()
        if now - self._scanned_s < SLOW_SCAN_S:
            return True
        self._scanned_s = now
        return False

    def _sense(self) -> None:
        if "stuck_sensor" in self.quirks:
            return
        words = [0] * frames.SPARE_WORDS
        for name, value in self.mechanics.sense().items():
            if value and (place := self._places.get(name)):
                words[place[0]] |= value << place[1] & 0xFFFF
        self.brain.inputs = words

    def _act(self, action: Action) -> None:
        if isinstance(action, StartMotion):
            self.watch(self.name, "begins")
            self._moving = self._motion.env.process(self._move(action))
        else:
            self._stop("stop")

    def _stop(self, cause: str) -> None:
        moving, self._moving = self._moving, None
        if moving is not None and moving.is_alive:
            moving.interrupt(cause)

    def _move(self, action: StartMotion) -> Generator[simpy.Event, Any, None]:
        kind, behaviour = self._jobs[action.code]
        job = self.file.commands[kind]
        given = {name: action.params[parameter.index] for name, parameter in job.params.items()}
        began_s = self._motion.env.now
        try:
            done = yield from self._spoilt(kind, behaviour(given))
        except simpy.Interrupt as interrupt:
            if interrupt.cause == "stop":
                self.brain.finish(Result.ABORTED)
            self.touches += 1
            self.ears.ended(kind, self._motion.env.now - began_s, None)
            return
        self._moving = None
        self.watch(self.name, "ends")
        data = [0] * frames.DATA_WORDS
        for name, value in done.results.items():
            if name in job.results:
                data[job.results[name] - frames.FIRST_DATA_WORD] = value & 0xFFFF
        self._sense()
        self.brain.finish(Result.FAILED if done.error else Result.OK, data, done.error)
        self.touches += 1
        self.ears.ended(kind, self._motion.env.now - began_s, done.error)

    def _spoilt(self, kind: str, move: Move) -> Move:
        """Let a job end badly if it is told to: `fail` and `jam` spoil it before anything has moved."""
        if self.quirks.hits("fail"):
            yield self._motion.env.timeout(0.5)
            return Done(error=ERROR_MACHINE)
        if self.quirks.hits("jam"):
            yield self._motion.env.timeout(0.5)
            self.brain.raise_fault(FAULT_BIT)
            return Done(error=ERROR_MACHINE)
        if kind != LIGHT.name and self.quirks.hits("brown_out"):  # a lamp moves nothing
            return (yield from self._cut_short(move))
        if self.quirks:
            return (yield from worn(move, self.quirks, self._motion.env, self))
        return (yield from move)

    def _cut_short(self, move: Move) -> Move:
        """Lose the power in the middle of a motion, or when all is done and the job's end is not noted yet."""
        if self._rng.random() < 0.5:
            yield next(move)
            self.trip()
            return (yield from move)
        yield from move
        self.trip()
        yield self._motion.env.event()
        raise AssertionError("a machine without power went on")


def unplugged() -> None:
    """Nobody can take its power away."""
