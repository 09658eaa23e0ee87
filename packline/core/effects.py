"""The words of the effects ledger: what was meant, what left, what is proved.

    intended -> sent -> confirmed | failed | not_executed | unknown
                                    unknown -> confirmed | not_executed | failed | voided, by evidence or by a person

A *once* effect in doubt is never tried again blindly; a *repeatable* one may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol


class EffectState(StrEnum):
    """How much is known of an effect."""

    INTENDED = "intended"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    NOT_EXECUTED = "not_executed"
    UNKNOWN = "unknown"
    VOIDED = "voided"


OPEN_STATES = frozenset({EffectState.INTENDED, EffectState.SENT, EffectState.UNKNOWN})

# what evidence may turn a state into; anything else raises Fault 5101
EFFECT_TABLE: Mapping[EffectState, frozenset[EffectState]] = MappingProxyType(
    {
        EffectState.INTENDED: frozenset(
            {EffectState.SENT, EffectState.CONFIRMED, EffectState.FAILED, EffectState.NOT_EXECUTED, EffectState.UNKNOWN}
        ),
        EffectState.SENT: frozenset(
            {EffectState.CONFIRMED, EffectState.FAILED, EffectState.NOT_EXECUTED, EffectState.UNKNOWN}
        ),
        EffectState.UNKNOWN: frozenset(
            {EffectState.CONFIRMED, EffectState.FAILED, EffectState.NOT_EXECUTED, EffectState.VOIDED}
        ),
        EffectState.CONFIRMED: frozenset({EffectState.VOIDED}),
        EffectState.FAILED: frozenset({EffectState.NOT_EXECUTED, EffectState.VOIDED}),  # only by a person's word
        # a person's "not done" while the machine was asked, and then the machine's proof that it did it
        EffectState.NOT_EXECUTED: frozenset({EffectState.CONFIRMED}),
        EffectState.VOIDED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectKind:
    """A kind of effect declares itself once or repeatable."""

    name: str
    once: bool


PRINT = EffectKind(name="print", once=True)
APPLY = EffectKind(name="apply", once=True)
SEAL = EffectKind(name="seal", once=True)
EJECT = EffectKind(name="eject", once=True)
RELEASE = EffectKind(name="release", once=True)
DISCARD = EffectKind(name="discard", once=True)
DIVERT = EffectKind(name="divert", once=True)
TURN = EffectKind(name="turn", once=False)
LIGHT = EffectKind(name="light", once=False)
WEIGH = EffectKind(name="weigh", once=False)
KINDS: Mapping[str, EffectKind] = MappingProxyType(
    {k.name: k for k in (PRINT, APPLY, SEAL, EJECT, RELEASE, DISCARD, DIVERT, TURN, LIGHT, WEIGH)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One wish to change the world.

    `subject` is the LPN (or item unit id); `generation` counts deliberate repetitions (a reprint after the old label was
    voided, the second angle of a turn). (subject, kind, generation) is unique for ever.
    """

    kind: EffectKind
    subject: str
    generation: int
    station: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a device needs to recognise its own work again; stored in one row with the intent.

    `epoch`, `sequence`, `boot`, `job` are 0 for devices that do not speak the handshake; `extra` is JSON (a printer's
    label counter before the job, a person's task id).
    """

    machine: str
    epoch: int = 0
    sequence: int = 0
    boot: int = 0
    job: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a device, a sensor, a camera or a person says of an effect.

    `state` is SENT (accepted, still running), CONFIRMED, FAILED, NOT_EXECUTED or UNKNOWN. `source` names the witness
    ("machine memory", "label counter", "camera", "person lin"). `fault` is a house code when something is wrong. `remember`
    is JSON that the device finds in the `extra` of this job's ticket from now on, also after a crash.
    """

    state: EffectState
    source: str
    data: Mapping[str, Any] = field(default_factory=dict)
    fault: int | None = None
    remember: Mapping[str, Any] = field(default_factory=dict)


class Device(Protocol):
    """The machine's side of an effect; drivers implement it and store nothing."""

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        """Choose the ticket; touches nothing that moves. Raises Fault when the machine cannot take a job now."""
        ...

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Hand the job over. Raises nothing for a lost answer: it says UNKNOWN or SENT."""
        ...

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Wait for, and judge by, the machine's own memory; also called after a crash for an old ticket."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the ledger answers a station: the last state and the evidence for it."""

    effect_id: str
    state: EffectState
    evidence: Evidence

    @property
    def ok(self) -> bool:
        """Tell whether the effect is proved done."""
        return self.state is EffectState.CONFIRMED


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEffect:
    """A row of the ledger, read back (after a stop: one that is not settled)."""

    effect_id: str
    effect: Effect
    ticket: Ticket
    state: EffectState


class Ledger(Protocol):
    """The book of effects. Intent is committed before the first byte leaves."""

    async def perform(self, effect: Effect, device: Device) -> Outcome:
        """Do `effect` at most once (if its kind is once) and say what is known.

        A row that exists is asked after, never repeated: CONFIRMED is answered at once; open ones are inquired; only
        NOT_EXECUTED (or, for repeatable kinds, UNKNOWN) is sent again, under a new ticket.
        """
        ...

    async def ask(self, effect: Effect, device: Device) -> Outcome:
        """Ask after a row that exists and write down the answer; sends nothing, whatever the row's state is by now.

        Raises Fault 5101 for an effect that was never intended.
        """
        ...

    async def settle(self, effect_id: str, evidence: Evidence) -> Outcome:
        """Write later evidence (camera, scan, a person) into a row; raises Fault 5101 for an impossible step."""
        ...

    async def find(self, kind: EffectKind, subject: str, generation: int) -> OpenEffect | None:
        """Give the row of one effect, in whatever state; None if it was never intended."""
        ...

    async def open_effects(self, station: str | None = None) -> list[OpenEffect]:
        """List what is not settled, oldest first."""
        ...


class Epochs(Protocol):
    """The durable fencing epoch of each machine."""

    async def epoch(self, machine: str) -> int:
        """Give the greatest epoch ever made durable for `machine`; 0 if none."""
        ...

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        """Make `epoch` durable before it is claimed; returns after the commit. Never lowers."""
        ...
