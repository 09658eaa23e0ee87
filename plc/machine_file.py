"""A machine is one file: the model of `plc/machines/*.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, model_validator
from pydantic import Tag as Branch

from packline.core.effects import KINDS
from packline.core.faults import FAULTS, Fault
from packline.core.files import load_toml
from plc.handshake import frames
from plc.handshake.device_rules import Reaction
from plc.links import Area
from plc.packml import STATE_COMPLETE, Edition, State
from plc.tags.model import (
    BIT_AREAS,
    Expect,
    Limits,
    Number,
    Order,
    Poll,
    Scalar,
    Tag,
    TagType,
    Wired,
    wire_modbus,
    wire_opcua,
)

Word = Annotated[int, Field(ge=0, le=0xFFFF)]
_FIRST_REGISTER = {0: (0,), 1: (1,), "modicon": (400001, 40001)}
_REGISTERS = 0x10000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MachineHead(_Part):
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


class Blocks(_Part):
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


class Parameter(_Part):
    """One parameter of a job: the word of CMD, its range and scale. The word is round(value * scale)."""

    to: Literal["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]
    min: Word = 0
    max: Word = 0xFFFF
    scale: float = Field(default=1.0, gt=0)

    @property
    def index(self) -> int:
        """Give 0..7."""
        return int(self.to[1])


class Job(_Part):
    """[jobs.<effect kind>]: how an effect becomes a command."""

    code: int = Field(ge=frames.FIRST_WORK_CODE, le=0xFFFF)
    timeout_s: float = Field(gt=0, le=600)
    params: dict[str, Parameter] = {}
    results: dict[str, Annotated[int, Field(ge=24, le=27)]] = {}

    def words(self, values: Mapping[str, Any], where: str) -> frames.Words:
        """Turn an effect's parameters into P0..P7; raises Fault 4201 for a missing, unknown or out-of-range one."""
        if values.keys() != self.params.keys():
            raise Fault(4201, where=where, seen=", ".join(sorted(values)) or "nothing", expected=self._expected())
        words = [0] * frames.PARAMETERS
        for name, parameter in self.params.items():
            words[parameter.index] = _word(parameter, values[name], f"{where} {name}")
        return tuple(words)

    def allows(self, words: frames.Words) -> bool:
        """Tell whether every parameter word lies in its range."""
        return all(p.min <= words[p.index] <= p.max for p in self.params.values())

    def read_results(self, data: frames.Words) -> dict[str, int]:
        """Name the result words."""
        return {name: data[word - frames.FIRST_DATA_WORD] for name, word in self.results.items()}

    def _expected(self) -> str:
        return "exactly " + (", ".join(sorted(self.params)) or "no parameters")


class PlainWrite(_Part):
    """One write of a plain job: a tag, and its value or the parameter that gives it."""

    tag: str = Field(description="Name of the tag to write.")
    value: Scalar | None = Field(default=None, description="The value to write.")
    source: str | None = Field(default=None, alias="from", description="Or: the parameter whose value is written.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.value is None) == (self.source is None):
            raise ValueError("say either value or from")
        return self


class PlainParameter(_Part):
    """The range of one parameter of a plain job."""

    min: Number = Field(description="Least value.")
    max: Number = Field(description="Greatest value.")


class Proof(_Part):
    """What a tag shows when a plain job has ended: a level, or a counter that has risen since before the job."""

    tag: str = Field(description="Name of the tag that shows it.")
    equals: Scalar | None = Field(default=None, description="It shows this value, and did not before the job.")
    min: Number | None = Field(default=None, description="It shows at least this, and did not before the job.")
    rises: int | None = Field(
        default=None,
        ge=1,
        description="It has risen by exactly this since before the job, a roll-over of its type counted; the best proof. Any other "
        "change leaves a doubt.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(part is not None for part in (self.equals, self.min, self.rises)) != 1:
            raise ValueError("say exactly one of equals, min, rises")
        return self

    def holds(self, value: Scalar, before: Scalar | None, modulus: int | None = None) -> bool:
        """Tell whether `value` proves the end, `before` being what the tag showed before the job."""
        if self.equals is not None:
            return value == self.equals
        if isinstance(value, str) or isinstance(before, str):
            return False
        if self.min is not None:
            return value >= self.min
        if before is None or self.rises is None:
            return False
        risen = value - before
        return (risen % modulus if modulus else risen) == self.rises


class PlainJob(_Part):
    """A job of a machine without the handshake: what is written, and which tags prove its end."""

    write: tuple[PlainWrite, ...] = Field(min_length=1, description="What is written, in this order, one request each.")
    done: Proof = Field(description="What proves that it was done.")
    failed: Proof | None = Field(default=None, description="What proves that it failed.")
    reset: tuple[PlainWrite, ...] = Field(default=(), description="What is written once the end is proved.")
    timeout_s: float = Field(gt=0, le=600, description="Seconds within which the proof must come; then it is unknown.")
    params: dict[str, PlainParameter] = Field(
        default={}, description="The parameters of the effect and their ranges; an effect must bring exactly these."
    )

    def values(self, given: Mapping[str, Any], where: str) -> dict[str, Number]:
        """Check an effect's parameters; raises Fault 4201 for a missing, unknown or out-of-range one."""
        if given.keys() != self.params.keys():
            expected = "exactly " + (", ".join(sorted(self.params)) or "no parameters")
            raise Fault(4201, where=where, seen=", ".join(sorted(given)) or "nothing", expected=expected)
        for name, parameter in self.params.items():
            value = given[name]
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not parameter.min <= value <= parameter.max:
                expected = f"{parameter.min:g} to {parameter.max:g}"
                raise Fault(4201, where=f"{where} {name}", seen=str(value), expected=expected)
        return dict(given)

    def evidence(self) -> tuple[str, ...]:
        """Name the tags that prove its end."""
        return tuple(proof.tag for proof in (self.done, self.failed) if proof is not None)


def _job_branch(raw: Any) -> str:
    is_plain = "write" in raw if isinstance(raw, dict) else isinstance(raw, PlainJob)
    return "plain" if is_plain else "handshake"


AnyJob = Annotated[
    Annotated[Job, Branch("handshake")] | Annotated[PlainJob, Branch("plain")], Discriminator(_job_branch)
]


class Input(_Part):
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


class FaultMap(_Part):
    """[faults]: the machine's fault bits (2..15) and error numbers -> house fault codes."""

    bits: dict[str, int] = {}
    errors: dict[str, int] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key in self.bits:
            if not key.isdigit() or not frames.FIRST_MACHINE_FAULT_BIT <= int(key) <= 15:
                raise ValueError(f"fault bit {key!r}: a machine's own fault bits are 2..15")
        for code in (*self.bits.values(), *self.errors.values()):
            if code not in FAULTS:
                raise ValueError(f"{code} is no house fault code")
        return self


class PackMlPart(_Part):
    """[packml]: edition and the acting states that the machine does without."""

    edition: Edition = Edition.Y2022
    disabled: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _check(self) -> Self:
        known = {s.name.capitalize() for s in STATE_COMPLETE if s is not State.EXECUTE}
        if self.disabled - known:
            raise ValueError(f"cannot disable {', '.join(sorted(self.disabled - known))}")
        return self

    def disabled_states(self) -> frozenset[State]:
        """Give the disabled acting states."""
        return frozenset(State[name.upper()] for name in self.disabled)


class HandshakePart(_Part):
    """[handshake]: whether it speaks it, what it keeps through a power cut and does when its controller falls silent."""

    kind: Literal["packline", "none"] = Field(
        default="packline",
        description="`packline`: the four blocks. `none`: plain coils and words; what such a machine did is known by its tags only.",
    )
    retentive: bool = True
    on_silence: Reaction = Reaction.HOLD


_WHOLE = frozenset(TagType) - {TagType.F32, TagType.F64, TagType.STRING}


class MachineFile(_Part):
    """One machine, whole."""

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
        return MappingProxyType({name: self._wire(name, tag) for name, tag in self.tags.items()})

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

    # -- what must fit together ----------------------------------------------------------------------------------------

    @model_validator(mode="after")
    def _check_protocol(self) -> Self:
        if self.machine.protocol == "modbus" and self.machine.address_base is None:
            raise ValueError("a modbus machine says address_base = 0, 1 or 'modicon'")
        return self

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if not self.is_plain:
            if self.blocks is None:
                raise ValueError(
                    "a machine with the handshake says its [blocks]; a plain one says [handshake] kind = 'none'"
                )
            if self.plain_jobs:
                raise ValueError("a job that writes tags is for [handshake] kind = 'none'")
            return self
        if self.blocks is not None or self.commands:
            raise ValueError("a plain machine ([handshake] kind = 'none') has no [blocks], and its jobs write tags")
        if not self.tags:
            raise ValueError("a plain machine has [tags]")
        return self

    @model_validator(mode="after")
    def _check_jobs(self) -> Self:
        strange = self.jobs.keys() - KINDS.keys()
        if strange:
            raise ValueError(f"jobs are named by effect kinds ({', '.join(KINDS)}), not {', '.join(sorted(strange))}")
        if len(self.rules()) != len(self.commands):
            raise ValueError("two jobs share a code")
        return self

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        if self.blocks is None:
            return self
        places = [self.blocks.place(block) for block in frames.BLOCK_WORDS]
        if self.machine.protocol == "opcua":
            if self.blocks.namespace is None or not all(isinstance(p, str) for p in places):
                raise ValueError("an opcua machine names its namespace uri and four string node ids")
            return self
        if not all(isinstance(p, int) for p in places):
            raise ValueError("a modbus machine gives four register numbers")
        self._check_overlap()
        return self

    @model_validator(mode="after")
    def _check_tags(self) -> Self:
        for wired in self.wired.values():  # wiring them raises what is wrong with a place
            self._check_size(wired)
        for name, part in self.inputs.items():
            if part.tag is not None:
                self._demand_read(part.tag, f"input {name}")
                if self.tags[part.tag].type not in _WHOLE or self.tags[part.tag].is_scaled:
                    raise ValueError(f"input {name}: tag {part.tag} is neither a bool nor an unscaled whole number")
            elif self.is_plain:
                raise ValueError(f"input {name}: a plain machine has no status words, only tags")
        for name, expected in self.expect.items():
            self._demand_read(expected.tag, f"expect {name}")
        self._check_parts()
        return self

    @model_validator(mode="after")
    def _check_plain_jobs(self) -> Self:
        for kind, job in self.plain_jobs.items():
            for write in chain(job.write, job.reset):
                self._check_write(write, job, f"job {kind}")
            for tag in job.evidence():
                self._demand_read(tag, f"job {kind}")
            for proof in (job.done, job.failed):
                if proof is not None and proof.rises is not None and self.tags[proof.tag].type not in _WHOLE:
                    raise ValueError(f"job {kind}: only a whole number can rise, not tag {proof.tag}")
        return self

    def _blocks(self) -> Blocks:
        if self.blocks is None:
            raise Fault(4201, where=f"{self.model} [blocks]", seen="a plain machine", expected="a machine with blocks")
        return self.blocks

    def _check_overlap(self) -> None:
        spans = sorted((self.register(b), self.register(b) + n, b) for b, n in frames.BLOCK_WORDS.items())
        if spans[0][0] < 0 or spans[-1][1] > _REGISTERS:
            raise ValueError("a block lies outside the holding registers; is address_base right?")
        for (_, end, name), (start, _, other) in zip(spans, spans[1:], strict=False):
            if start < end:
                raise ValueError(f"blocks {name} and {other} overlap")

    def _check_size(self, wired: Wired) -> None:
        if self.machine.protocol == "opcua" or wired.area in BIT_AREAS:
            return
        tag, limits = wired.tag, self.limits
        if tag.is_read and wired.count > limits.max_read:
            raise ValueError(
                f"tag {wired.name} takes {wired.count} registers, the device gives {limits.max_read} at once"
            )
        if tag.is_written and (wired.count > limits.max_write or (limits.write_function == 6 and wired.count > 1)):
            raise ValueError(f"tag {wired.name} takes {wired.count} registers, which cannot be written in one request")
        if wired.area is Area.HOLDING and tag.is_written and self.blocks is not None:
            self._check_beside_blocks(wired)

    def _check_beside_blocks(self, wired: Wired) -> None:
        for block, count in frames.BLOCK_WORDS.items():
            first = self.register(block)
            if wired.start < first + count and first < wired.end:
                raise ValueError(f"tag {wired.name} would be written into block {block}")

    def _check_parts(self) -> None:
        for part, played_by in self.capability.items():
            if part in self.tags or part in self.inputs:
                raise ValueError(f"capability {part}: a tag or an input has that name already")
            if played_by not in self.inputs:
                self._demand_read(played_by, f"capability {part}")
        if set(self.tags) & set(self.inputs):
            raise ValueError(f"both tag and input: {', '.join(sorted(set(self.tags) & set(self.inputs)))}")
        boot = self.capability.get("boot")
        if boot is not None and (boot in self.inputs or self.tags[boot].type not in _WHOLE):
            raise ValueError("capability boot: the number of starts is a tag that is a whole number")

    def _check_write(self, write: PlainWrite, job: PlainJob, where: str) -> None:
        tag = self.tags.get(write.tag)
        if tag is None or not tag.is_written:
            raise ValueError(f"{where}: {write.tag!r} is no tag that may be written")
        if write.source is not None and write.source not in job.params:
            raise ValueError(f"{where}: {write.source!r} is no parameter of it")
        if isinstance(write.value, str) != (tag.type is TagType.STRING) and write.value is not None:
            raise ValueError(f"{where}: {write.value!r} is no value of tag {write.tag}")

    def _demand_read(self, name: str, where: str) -> None:
        tag = self.tags.get(name)
        if tag is None:
            raise ValueError(f"{where}: there is no tag {name!r}")
        if not tag.is_read:
            raise ValueError(f"{where}: tag {name} is never read")

    def _wire(self, name: str, tag: Tag) -> Wired:
        if self.machine.protocol == "opcua":
            return wire_opcua(name, tag, self.namespace)
        assert self.machine.address_base is not None  # noqa: S101 - checked before
        return wire_modbus(name, tag, self.machine.address_base, self.machine.word_order)


def load_machine(path: Path) -> MachineFile:
    """Read a machine file; raises FileFaults that name every mistake."""
    return load_toml(path, MachineFile)


def machines_folder() -> Path:
    """Give the folder of the machine files that ship with the package."""
    return Path(str(resources.files("plc"))) / "machines"


def shipped_machine(name: str) -> MachineFile:
    """Read the shipped file `name` ("turntable"); raises FileFaults if there is none."""
    return load_machine(machines_folder() / f"{name}.toml")


def _word(parameter: Parameter, value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Fault(4201, where=where, seen=repr(value), expected="a number")
    scaled = value * parameter.scale
    if not parameter.min - 0.5 <= scaled <= parameter.max + 0.5:  # also refuses what is not a number
        low, high = parameter.min / parameter.scale, parameter.max / parameter.scale
        raise Fault(4201, where=where, seen=str(value), expected=f"{low:g} to {high:g}")
    return min(max(round(scaled), parameter.min), parameter.max)
