"""The jobs of a machine file: how an effect becomes a command, or writes of a machine without the handshake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Discriminator, Field, model_validator
from pydantic import Tag as Branch

from packline.core.faults import Fault
from packline.core.file_part import FilePart
from plc.handshake import frames
from plc.tags.model import Number, Scalar

J = TypeVar("J")
Word = Annotated[int, Field(ge=0, le=0xFFFF)]


class Parameter(FilePart):
    """One parameter of a job: the word of CMD, its range and scale. The word is round(value * scale)."""

    to: Literal["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]
    min: Word = 0
    max: Word = 0xFFFF
    scale: float = Field(default=1.0, gt=0)

    @property
    def index(self) -> int:
        """Give 0..7."""
        return int(self.to[1])


class Job(FilePart):
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


class PlainWrite(FilePart):
    """One write of a plain job: a tag, and its value or the parameter that gives it."""

    tag: str = Field(description="Name of the tag to write.")
    value: Scalar | None = Field(default=None, description="The value to write.")
    source: str | None = Field(default=None, alias="from", description="Or: the parameter whose value is written.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.value is None) == (self.source is None):
            raise ValueError("say either value or from")
        return self


class PlainParameter(FilePart):
    """The range of one parameter of a plain job."""

    min: Number = Field(description="Least value.")
    max: Number = Field(description="Greatest value.")


class Proof(FilePart):
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


class PlainJob(FilePart):
    """A job of a machine without the handshake: what is written, and which tags prove its end."""

    write: tuple[PlainWrite, ...] = Field(min_length=1, description="What is written, in this order, one request each.")
    done: Proof = Field(description="What proves that it was done.")
    failed: Proof | None = Field(default=None, description="What proves that it failed.")
    reset: tuple[PlainWrite, ...] = Field(default=(), description="What is written once the end is proved.")
    timeout_s: float = Field(gt=0, le=600, description="Seconds within which the proof must come; then it is unknown.")
    params: dict[str, PlainParameter] = Field(
        default={}, description="The parameters of the effect and their ranges; an effect must bring exactly these."
    )
    results: dict[str, str] = Field(
        default={},
        description='Tags whose values are told with the proof that it was done: `results.weight_kg = "weight"`. They are read '
        "between two looks at the proof.",
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


def _word(parameter: Parameter, value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Fault(4201, where=where, seen=repr(value), expected="a number")
    scaled = value * parameter.scale
    if not parameter.min - 0.5 <= scaled <= parameter.max + 0.5:  # also refuses what is not a number
        low, high = parameter.min / parameter.scale, parameter.max / parameter.scale
        raise Fault(4201, where=where, seen=str(value), expected=f"{low:g} to {high:g}")
    return min(max(round(scaled), parameter.min), parameter.max)


def job_for(kind: str, jobs: Mapping[str, J], where: str) -> J:
    """Give the job that does an effect of `kind`; raises Fault 4201 when the machine does none."""
    if kind not in jobs:
        raise Fault(4201, where=where, seen=f"effect {kind}", expected=", ".join(sorted(jobs)))
    return jobs[kind]
