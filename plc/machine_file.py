"""A machine is one file: the model of `plc/machines/*.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from packline.core.effects import KINDS
from packline.core.faults import FAULTS, Fault
from packline.core.files import Mistake, Wrong, load_toml
from plc.handshake import frames
from plc.handshake.device_rules import Reaction
from plc.packml import STATE_COMPLETE, Edition, State

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


class Input(_Part):
    """[inputs.<name>]: a bit of a spare status word, or the whole word as a number."""

    word: int = Field(ge=32, le=37)
    bit: int | None = Field(default=None, ge=0, le=15)

    def read(self, spare: frames.Words) -> int:
        """Give 0 or 1 for a bit, else the word."""
        value = spare[self.word - frames.FIRST_SPARE_WORD]
        return value if self.bit is None else value >> self.bit & 1


class FaultMap(_Part):
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


class PackMlPart(_Part):
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


class HandshakePart(_Part):
    """[handshake]: what the machine keeps through a power cut and does when its controller falls silent."""

    retentive: bool = True
    on_silence: Reaction = Reaction.HOLD


class MachineFile(_Part):
    """One machine, whole."""

    machine: MachineHead
    blocks: Blocks
    jobs: dict[str, Job]
    inputs: dict[str, Input] = {}
    faults: FaultMap = FaultMap()
    packml: PackMlPart = PackMlPart()
    handshake: HandshakePart = HandshakePart()
    simulation: dict[str, Any] = {}

    @property
    def model(self) -> str:
        """Give the model's name."""
        return self.machine.model

    def register(self, block: str) -> int:
        """Give the zero-based holding register where `block` begins, as it goes over the wire."""
        place = self.blocks.place(block)
        if not isinstance(place, int) or self.machine.address_base is None:
            raise Fault(4201, where=f"{self.model} [blocks]", seen=str(place), expected="a register number")
        bases = _FIRST_REGISTER[self.machine.address_base]
        return place - next((b for b in bases if place >= b), bases[-1])

    def node(self, block: str) -> tuple[str, str]:
        """Give namespace uri and string node id of `block`."""
        place = self.blocks.place(block)
        if not isinstance(place, str) or self.blocks.namespace is None:
            raise Fault(4201, where=f"{self.model} [blocks]", seen=str(place), expected="a string node id")
        return self.blocks.namespace, place

    def rules(self) -> dict[int, Job]:
        """Give the jobs by code."""
        return {job.code: job for job in self.jobs.values()}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if mistakes := [*self._wrong_jobs(), *self._wrong_places()]:
            raise Wrong(*mistakes)
        return self

    def _wrong_jobs(self) -> Iterator[Mistake]:
        for name in self.jobs.keys() - KINDS.keys():
            yield Mistake(at=f"jobs.{name}", seen=name, expected=f"the kind of an effect: {', '.join(KINDS)}")
        first: dict[int, str] = {}
        for name, job in self.jobs.items():
            if job.code in first:
                seen, expected = str(job.code), f"a code of its own; {first[job.code]} and {name} share a code"
                yield Mistake(at=f"jobs.{name}.code", seen=seen, expected=expected)
            first.setdefault(job.code, name)

    def _wrong_places(self) -> Iterator[Mistake]:
        kind = str if self.machine.protocol == "opcua" else int
        noun = "string node ids" if kind is str else "register numbers"
        wrong = {name: place for name, place in self._named_places() if not isinstance(place, kind)}
        for name, place in wrong.items():
            expected = f"four {noun}: the protocol is {self.machine.protocol}"
            yield Mistake(at=f"blocks.{name}", seen=repr(place), expected=expected)
        if kind is str and self.blocks.namespace is None:
            yield Mistake(at="blocks.namespace", seen="nothing", expected="the namespace uri of the node ids")
        if kind is int and self.machine.address_base is None:
            yield Mistake(at="machine.address_base", seen="nothing", expected="0, 1 or 'modicon'")
        elif kind is int and not wrong:
            yield from self._wrong_spans()

    def _named_places(self) -> Iterator[tuple[str, int | str]]:
        return ((block.lower(), self.blocks.place(block)) for block in frames.BLOCK_WORDS)

    def _wrong_spans(self) -> Iterator[Mistake]:
        spans = sorted((self.register(b), self.register(b) + n, b.lower()) for b, n in frames.BLOCK_WORDS.items())
        for start, end, name in spans:
            if start < 0 or end > _REGISTERS:
                seen, expected = f"{name} outside the holding registers", "a place inside; is address_base right?"
                yield Mistake(at=f"blocks.{name}", seen=seen, expected=expected)
        for (_, end, name), (start, _, other) in zip(spans, spans[1:], strict=False):
            if start < end:
                expected = f"registers of its own: {name} and {other} overlap"
                yield Mistake(at=f"blocks.{other}", seen=f"register {start} of {name}", expected=expected)


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
