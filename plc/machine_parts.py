"""The parts of a machine file, each right by itself: the model of `plc/machines/*.toml` without what compares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from packline.core.faults import FAULTS, Fault
from packline.core.file_part import FilePart
from packline.core.files import Mistake, Wrong
from plc.handshake import frames
from plc.handshake.device_rules import Reaction
from plc.machine_jobs import AnyJob, Job, PlainJob
from plc.packml import STATE_COMPLETE, Edition, State
from plc.tags.model import Expect, Limits, Order, Poll, Tag, Wired, wire_modbus, wire_opcua

_WORKED_OUT = ("commands", "plain_jobs", "wired", "parts")
_FIRST_REGISTER = {0: (0,), 1: (1,), "modicon": (400001, 40001)}


class MachineHead(FilePart):
    """[machine]: what it is and how it is polled."""

    model: str = Field(min_length=1)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1, description="manual and revision that the figures come from")
    protocol: Literal["modbus", "opcua"]
    address_base: Literal[0, 1, "modicon"] | None = Field(
        default=None, description="how register numbers are counted; mandatory for modbus, senseless for opcua"
    )
    unit: int = Field(default=1, ge=0, le=255)
    poll_ms: int = Field(default=50, ge=5, le=400, description="at most 400, so that the heartbeat keeps its 500 ms")
    fast_poll_ms: int = Field(default=20, ge=5, le=400, description="while a job runs")
    stale_after_ms: int = Field(default=1000, ge=100, le=60_000)
    request_timeout_ms: int = Field(default=800, ge=50, le=10_000)
    transport: Literal["pymodbus", "lean"] = Field(
        default="pymodbus",
        description="Modbus: by which client. `lean` costs a third of the processor time and knows no TLS; for controllers that read "
        "many devices.",
    )
    slow_poll_ms: int = Field(
        default=1000, ge=10, le=60_000, description='Milliseconds between two reads of a tag with `poll = "slow"`.'
    )
    word_order: Order = Field(
        default=Order.ABCD,
        description="Byte order of 32 and 64-bit tags: big-endian `ABCD`, words swapped `CDAB`, bytes swapped `BADC`, both `DCBA`.",
    )
    namespace: str | None = Field(
        default=None, description="OPC UA namespace uri of the tags' nodes, if it is not that of [blocks]."
    )
    kind: str = Field(
        default="",
        pattern=r"^$|^[a-z][a-z0-9_-]*$|^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="A kind of machine with a class of its own: `package.module:Class`, or a name in the entry-point group "
        "`packline.machines`. Left out: what [handshake] says.",
    )


class Blocks(FilePart):
    """[blocks]: where the four blocks lie: register numbers (modbus) or string node ids (opcua)."""

    cmd: int | str
    hb: int | str
    state: int | str
    status: int | str
    namespace: str | None = Field(default=None, description="OPC UA namespace uri of the node ids")

    def place(self, block: str) -> int | str:
        """Give what the file says of `block` ("CMD", "HB", "STATE", "STATUS")."""
        places = {frames.CMD: self.cmd, frames.HB: self.hb, frames.STATE: self.state, frames.STATUS: self.status}
        return places[block]


class Input(FilePart):
    """[inputs.<name>]: a bit of a spare status word, the whole word as a number, or a tag."""

    word: int | None = Field(default=None, ge=32, le=37)
    bit: int | None = Field(default=None, ge=0, le=15)
    tag: str | None = Field(default=None, description="Or: the tag that it is; a bool or a whole number.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.word is None) == (self.tag is None):
            raise ValueError("an input says either its word or its tag")
        if self.tag is not None and self.bit is not None:
            raise ValueError("a tag says its bit itself")
        return self

    def read(self, spare: frames.Words) -> int:
        """Give 0 or 1 for a bit, else the word; only for an input that is no tag."""
        if self.word is None:
            raise ValueError(f"the input is tag {self.tag}")
        value = spare[self.word - frames.FIRST_SPARE_WORD]
        return value if self.bit is None else value >> self.bit & 1


class FaultMap(FilePart):
    """[faults]: the machine's fault bits (2..15) and error numbers -> house fault codes."""

    bits: dict[str, int] = {}
    errors: dict[str, int] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if mistakes := [*self._wrong_bits(), *self._wrong_codes()]:
            raise Wrong(*mistakes)
        return self

    def _wrong_bits(self) -> Iterator[Mistake]:
        for key in self.bits:
            if not key.isdigit() or not frames.FIRST_MACHINE_FAULT_BIT <= int(key) <= 15:
                yield Mistake(
                    at=f"bits.{key}", seen=f"bit {key}", expected="one of the machine's own fault bits, 2..15"
                )

    def _wrong_codes(self) -> Iterator[Mistake]:
        for name, table in (("bits", self.bits), ("errors", self.errors)):
            for key, code in table.items():
                if code not in FAULTS:
                    yield Mistake(at=f"{name}.{key}", seen=str(code), expected="a house fault code")


class PackMlPart(FilePart):
    """[packml]: edition and the acting states that the machine does without."""

    edition: Edition = Edition.Y2022
    disabled: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _check(self) -> Self:
        known = {s.name.capitalize() for s in STATE_COMPLETE if s is not State.EXECUTE}
        if self.disabled - known:
            seen, expected = ", ".join(sorted(self.disabled - known)), f"some of {', '.join(sorted(known))}"
            raise Wrong(Mistake(at="disabled", seen=seen, expected=expected))
        return self

    def disabled_states(self) -> frozenset[State]:
        """Give the disabled acting states."""
        return frozenset(State[name.upper()] for name in self.disabled)


class HandshakePart(FilePart):
    """[handshake]: whether it speaks it, what it keeps through a power cut and does when its controller falls silent."""

    kind: Literal["packline", "none"] = Field(
        default="packline",
        description="`packline`: the four blocks. `none`: plain coils and words; what such a machine did is known by its tags only, "
        "and a second controller on it is not noticed: let it accept one client only",
    )
    retentive: bool = True
    on_silence: Reaction = Reaction.HOLD


class MachineTables(FilePart):
    """All tables of one machine, and what follows from them."""

    machine: MachineHead
    blocks: Blocks | None = None
    jobs: dict[str, AnyJob] = {}
    inputs: dict[str, Input] = {}
    tags: dict[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")], Tag] = Field(
        default={}, description="A named value of the machine: where it lies and what its bits mean."
    )
    limits: Limits = Field(default=Limits(), description="What the device takes in one request.")
    expect: dict[str, Expect] = Field(
        default={},
        description="What a tag must show at each connect, before anything is written. If it does not, the machine is refused.",
    )
    capability: dict[str, str] = Field(
        default={},
        description='Which tag or input plays which part of a kind: `carton_present = "eye_1"`. The part `boot` is the number of '
        "starts of a machine without the handshake.",
    )
    faults: FaultMap = FaultMap()
    packml: PackMlPart = PackMlPart()
    handshake: HandshakePart = HandshakePart()
    simulation: dict[str, Any] = {}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy it; what was worked out of parts that `update` changes is worked out anew."""
        copy = super().model_copy(update=update, deep=deep)
        for name in _WORKED_OUT:
            copy.__dict__.pop(name, None)
        return copy

    @property
    def model(self) -> str:
        """Give the model's name."""
        return self.machine.model

    @property
    def is_plain(self) -> bool:
        """Tell whether it does not speak the handshake."""
        return self.handshake.kind == "none"

    @cached_property
    def commands(self) -> Mapping[str, Job]:
        """Give the jobs that are commands of the handshake; none for a plain machine."""
        return MappingProxyType({name: job for name, job in self.jobs.items() if isinstance(job, Job)})

    @cached_property
    def plain_jobs(self) -> Mapping[str, PlainJob]:
        """Give the jobs that write tags; none for a machine with the handshake."""
        return MappingProxyType({name: job for name, job in self.jobs.items() if isinstance(job, PlainJob)})

    @property
    def namespace(self) -> str | None:
        """Give the namespace uri of the tags' nodes."""
        return self.machine.namespace or (self.blocks.namespace if self.blocks else None)

    @cached_property
    def wired(self) -> Mapping[str, Wired]:
        """Give every tag with its place as it goes over the wire."""
        return MappingProxyType({name: self.wire(name) for name in self.tags})

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """Give the tag behind each part that is played by one: inputs that are tags, and capabilities."""
        parts = {name: part.tag for name, part in self.inputs.items() if part.tag is not None}
        for name, played_by in self.capability.items():
            tag = parts.get(played_by) if played_by in self.inputs else played_by
            if tag is not None:
                parts[name] = tag
        return MappingProxyType(parts)

    def register(self, block: str) -> int:
        """Give the zero-based holding register where `block` begins, as it goes over the wire."""
        place = self._blocks().place(block)
        if not isinstance(place, int) or self.machine.address_base is None:
            raise Fault(4201, where=f"{self.model} [blocks]", seen=str(place), expected="a register number")
        bases = _FIRST_REGISTER[self.machine.address_base]
        return place - next((b for b in bases if place >= b), bases[-1])

    def node(self, block: str) -> tuple[str, str]:
        """Give namespace uri and string node id of `block`."""
        blocks = self._blocks()
        place = blocks.place(block)
        if not isinstance(place, str) or blocks.namespace is None:
            raise Fault(4201, where=f"{self.model} [blocks]", seen=str(place), expected="a string node id")
        return blocks.namespace, place

    def rules(self) -> dict[int, Job]:
        """Give the jobs by code."""
        return {job.code: job for job in self.commands.values()}

    def stale_after_s(self, tag: str) -> float:
        """Give the age at which a value of `tag` is stale; infinite for one that is read once."""
        head, poll = self.machine, self.tags[tag].poll
        if poll is Poll.ONCE:
            return float("inf")
        return (head.stale_after_ms + (head.slow_poll_ms if poll is Poll.SLOW else 0)) / 1000

    def _blocks(self) -> Blocks:
        if self.blocks is None:
            raise Fault(4201, where=f"{self.model} [blocks]", seen="a plain machine", expected="a machine with blocks")
        return self.blocks

    def wire(self, name: str) -> Wired:
        """Settle where one tag lies; raises ValueError that says what does not fit."""
        if self.machine.protocol == "opcua":
            return wire_opcua(name, self.tags[name], self.namespace)
        if self.machine.address_base is None:
            raise ValueError(f"tag {name}: the file says no address_base")
        return wire_modbus(name, self.tags[name], self.machine.address_base, self.machine.word_order)
