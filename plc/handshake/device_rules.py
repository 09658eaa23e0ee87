"""The machine's side of the handshake as one pure object; the twin runs it, a PLC programmer implements it.

The rule numbers in the comments are those of the handshake's section "Machine's rules". One call of `scan` is one scan of
the PLC. Time is handed in as monotonic seconds of wall time; nothing here waits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from plc.handshake import frames
from plc.handshake.frames import Command, Refusal, Result, Status, Words

SILENCE_S = 2.0
COUNTER_MOST = 0xFFFF


class Reaction(StrEnum):
    """What the machine does by itself when its owner falls silent."""

    HOLD = "hold"
    STOP = "stop"


class StateModel(Protocol):
    """The machine's PackML states, as far as the handshake needs them."""

    @property
    def state(self) -> int: ...

    @property
    def mode(self) -> int: ...

    def is_execute(self) -> bool: ...

    def is_stopping(self) -> bool:
        """Tell whether a running motion must end now (Stopping, Aborting), not only after its step."""
        ...

    def is_transient(self) -> bool:
        """Tell whether this is an acting state other than Execute."""
        ...

    def command(self, number: int) -> bool: ...

    def hold(self) -> bool: ...

    def stop(self) -> bool: ...

    def abort(self) -> bool: ...

    def complete(self) -> bool: ...

    def power_up(self, *, aborted: bool) -> None: ...


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a retentive machine remembers through a power cut."""

    boot: int = 0
    owner_epoch: int = 0
    owner_id: int = 0
    ack: int = 0
    done: int = 0
    job: int = 0
    result: int = 0
    error: int = 0
    data: Words = (0,) * frames.DATA_WORDS
    state_ack: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartMotion:
    """The machine accepted a job and must move now; everything needed to recognise it is already retained."""

    code: int
    params: Words
    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMotion:
    """The motion in progress must end at once; answer with `finish(Result.ABORTED)`."""


Action = StartMotion | StopMotion
ParameterRule = Callable[[Words], bool]


@dataclass(slots=True, kw_only=True)
class MachineBrain:
    """Keeps a machine's rules: `boot` first, `write` blocks as they arrive, `scan` to act, `finish` when a motion ends.

    `codes` says which work codes exist and which parameters each takes. `inputs`, `faults` and `safety` are the machine's own
    words and are simply set; `faults` uses bits 2..15 only. `retentive` is the ability; a `boot(memory_kept=False)` loses the
    memory once even so.
    """

    states: StateModel
    codes: Mapping[int, ParameterRule]
    rng: random.Random
    retentive: bool = True
    on_silence: Reaction = Reaction.HOLD
    memory: Memory = field(default_factory=Memory)
    areas: dict[str, list[int]] = field(default_factory=dict)
    inputs: list[int] = field(default_factory=lambda: [0] * frames.SPARE_WORDS)
    faults: int = 0
    safety: int = 0
    count: int = 0
    boot_kept_memory: bool = True
    _rej: tuple[int, Refusal] = (0, Refusal.NONE)
    _cause: int = 0
    _beat: int | None = None
    _beat_at: float = 0.0
    _stop_told: bool = False

    def boot(self, now: float, *, memory_kept: bool = True) -> None:
        """Start up (rule 7): nothing moves, an unfinished job is marked interrupted."""
        kept = self.retentive and memory_kept
        fresh = self.rng.randrange(1, 0x10000)
        self.memory = replace(self.memory, boot=self.memory.boot % COUNTER_MOST + 1) if kept else Memory(boot=fresh)
        self.boot_kept_memory = kept
        self.areas = {name: [0] * frames.BLOCK_WORDS[name] for name in (frames.CMD, frames.HB, frames.STATE)}
        self._rej, self._beat, self._beat_at, self._stop_told = (0, Refusal.NONE), None, now, False
        interrupted = self.memory.ack != self.memory.done
        if interrupted:
            self.memory.result = Result.INTERRUPTED
            self.memory.done = self.memory.ack
        self.states.power_up(aborted=interrupted)
        self._cause = frames.FAULT_POWER_UP

    def write(self, block: str, words: Sequence[int], offset: int = 0) -> None:
        """Put `words` into CMD, HB or STATE from word `offset` on; raises ValueError beyond the block's end."""
        area = self.areas[block]
        if offset < 0 or offset + len(words) > len(area):
            raise ValueError(f"{block} has {len(area)} words")
        area[offset : offset + len(words)] = words

    def scan(self, now: float) -> list[Action]:
        """Run one scan and say what the mechanics must do."""
        self._feel_heartbeat(now)
        self._guard(now)
        self._take_state_command()
        actions = self._take_command(now)
        actions += self._stop_motion_if_due()
        self._settle_state()
        self.count = (self.count + 1) & 0xFFFF
        return actions

    def finish(self, result: Result, data: Sequence[int] = (), error: int = 0) -> None:
        """End the running job with OK, FAILED or ABORTED and up to four data words; nothing if none runs."""
        if not self.busy:
            return
        self.memory.result, self.memory.error = result, error
        self.memory.data = (*data, *(0,) * frames.DATA_WORDS)[: frames.DATA_WORDS]
        self.memory.done = self.memory.ack  # DONE last (rule 6)
        self._stop_told = False
        self._settle_state()

    def raise_fault(self, bit: int, *, abort: bool = False) -> None:
        """Set the machine's own fault `bit` (2..15) and hold, or abort; only a person's command leads on from there."""
        self.faults |= 1 << bit
        self.states.abort() if abort else self.states.hold()
        self._cause = 0

    def press(self, number: int) -> bool:
        """Take PackML command `number` from the machine's own panel; whatever state it meets, a person now answers for it."""
        self._cause = 0
        return self.states.command(number)

    def clear_fault(self, bit: int) -> None:
        """Take fault `bit` back; the state stays as it is."""
        self.faults &= ~(1 << bit)

    @property
    def cause(self) -> int:
        """Give why the present wait state was entered: the bits of FAULT that belong to the handshake."""
        return self._cause

    @property
    def rejected(self) -> tuple[int, Refusal]:
        """Give the last refused command and why."""
        return self._rej

    @property
    def busy(self) -> bool:
        """Tell whether an accepted job has not ended."""
        return self.memory.ack != self.memory.done

    def is_heard(self, now: float) -> bool:
        """Tell whether the owner's heartbeat changed within the last 2 s."""
        return self.memory.owner_epoch != 0 and now - self._beat_at < SILENCE_S

    def status(self) -> Status:
        """Give the present STATUS."""
        m = self.memory
        return Status(
            boot=m.boot,
            count=self.count,
            state=self.states.state,
            mode=self.states.mode,
            owner_epoch=m.owner_epoch,
            owner_id=m.owner_id,
            ack=m.ack,
            done=m.done,
            result=m.result,
            rej=self._rej[0],
            rej_code=self._rej[1],
            job=m.job,
            error=m.error,
            data=m.data,
            fault=self.faults & 0xFFFC | self._cause,
            safety=self.safety,
            caps=frames.CAPS_RETENTIVE if self.boot_kept_memory else 0,
            state_ack=m.state_ack,
            spare=tuple(self.inputs),
        )

    def status_words(self) -> Words:
        """Give the present STATUS as 40 words."""
        return frames.encode_status(self.status())

    # -- heartbeat and safety ------------------------------------------------------------------------------------------

    def _feel_heartbeat(self, now: float) -> None:
        beat = frames.decode_heartbeat(self.areas[frames.HB])
        if beat.epoch == self.memory.owner_epoch and beat.counter not in (0, self._beat):
            self._beat, self._beat_at = beat.counter, now

    def _guard(self, now: float) -> None:
        """React to an open safety circuit and to silence (rule 8) as levels, so that no order of events slips through."""
        if self.safety:
            self.states.abort()
            self._cause = 0
        elif self.states.is_execute() and not self.is_heard(now):
            self.states.hold() if self.on_silence is Reaction.HOLD else self.states.stop()
            self._cause = frames.FAULT_SILENCE

    # -- STATE mailbox -------------------------------------------------------------------------------------------------

    def _take_state_command(self) -> None:
        order = frames.decode_state_command(self.areas[frames.STATE])
        if order is None or order.epoch != self.memory.owner_epoch or order.seq <= self.memory.state_ack:
            return
        self.memory.state_ack = order.seq  # retained first: a late copy must not command twice
        if self.states.command(order.command) and order.command not in frames.LEADING_COMMANDS:
            self._cause = 0

    # -- CMD -----------------------------------------------------------------------------------------------------------

    def _take_command(self, now: float) -> list[Action]:
        command = frames.decode_command(self.areas[frames.CMD])  # rule 1
        if command is None:
            return []
        if command.code == frames.CLAIM:
            self._claim(command, now)
            return []
        if command.epoch == self.memory.owner_epoch and command.id <= self.memory.ack:  # rule 4
            return []
        refusal = self._refusal(command, now)
        if refusal:
            self._rej = (command.id, refusal)
            return []
        return self._accept(command)

    def _claim(self, command: Command, now: float) -> None:  # rule 2
        m = self.memory
        if command.epoch > m.owner_epoch and command.params[0] == m.boot:
            m.owner_epoch = command.epoch
            m.owner_id = frames.join(command.params[1], command.params[2])
            m.state_ack = 0
            self._beat, self._beat_at = None, now  # the claim itself proves a live owner

    def _refusal(self, command: Command, now: float) -> Refusal:
        checks: tuple[tuple[bool, Refusal], ...] = (
            (command.epoch != self.memory.owner_epoch, Refusal.NOT_OWNER),  # rule 3
            (self.busy, Refusal.BUSY),  # rule 5
            (bool(self.safety), Refusal.INTERLOCK),
            (not self.is_heard(now), Refusal.NO_HEARTBEAT),  # rule 8
            (not self.states.is_execute(), Refusal.BAD_STATE),
            (not self._is_known(command), Refusal.BAD_PARAMETER),
        )
        return next((reason for is_so, reason in checks if is_so), Refusal.NONE)

    def _is_known(self, command: Command) -> bool:
        rule = self.codes.get(command.code)
        return command.code == frames.NOP or (rule is not None and rule(command.params))

    def _accept(self, command: Command) -> list[Action]:  # rule 6: retained before the first motion
        m = self.memory
        m.ack, m.job, m.result, m.error = command.id, command.job, Result.RUNNING, 0
        m.data = (0,) * frames.DATA_WORDS
        self._rej = (0, Refusal.NONE)
        if command.code == frames.NOP:
            self.finish(Result.OK)
            return []
        return [StartMotion(code=command.code, params=command.params, job=command.job)]

    # -- states --------------------------------------------------------------------------------------------------------

    def _stop_motion_if_due(self) -> list[Action]:
        if not (self.busy and self.states.is_stopping()) or self._stop_told:
            return []
        self._stop_told = True
        return [StopMotion()]

    def _settle_state(self) -> None:
        """Finish acting states once nothing moves: a hold waits for the running step to end."""
        while self.states.is_transient() and not self.busy:
            self.states.complete()
        if self.states.is_execute():
            self._cause = 0
