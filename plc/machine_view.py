"""What a station sees of a machine: one frozen picture with its quality and age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from packline.core.faults import Fault
from plc.handshake import frames
from plc.handshake.frames import Status
from plc.machine_file import MachineFile
from plc.packml import State, name_of
from plc.tags.values import Quality, TagValue

__all__ = [
    "FAULT_BITS",
    "MachineView",
    "Quality",
    "Said",
    "Sayings",
    "condition",
    "machine_faults",
    "own_faults",
    "read_inputs",
]

FAULT_BITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineView:
    """One machine, now. `age_s` is the time since the machine last proved that it scans; `inputs` are named by its file.

    `owned` tells whether it obeys this controller; `books_older` that it knew an epoch above ours when this run began, as after
    a restored backup. `faults` are house codes, link troubles first; `own_faults` the machine's own numbers of what it reports.
    `silence_only` and `power_up_only` tell why it does not run, if it was nothing worse. `tags` are its tags and the parts that
    they play, each with a quality of its own; the whole is not good if one of those parts is not. `refusal` says why the
    machine was refused at its last connect.
    """

    name: str
    quality: Quality = Quality.ABSENT
    age_s: float = 0.0
    boot: int = 0
    state: str = "Unknown"
    mode: int = 0
    busy: bool = False
    job: int = 0
    inputs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    faults: tuple[int, ...] = ()
    own_faults: tuple[int, ...] = ()
    owned: bool = False
    books_older: bool = False
    silence_only: bool = False
    power_up_only: bool = False
    tags: Mapping[str, TagValue] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    tags_version: int = 0
    refusal: Fault | None = field(default=None, compare=False)

    @property
    def is_good(self) -> bool:
        """Tell whether the picture may be acted on."""
        return self.quality is Quality.GOOD

    @property
    def is_ready(self) -> bool:
        """Tell whether the machine would take a job now."""
        return (
            self.is_good and self.owned and self.state == name_of(State.EXECUTE) and not self.busy and not self.faults
        )

    def reason(self) -> Fault | None:
        """Say why the machine would not take a job now; None if it would."""
        where = self.name
        if self.refusal is not None and self.refusal.code in self.faults:
            return self.refusal
        if 1009 in self.faults:
            return Fault(1009, where=where, seen=self._bad_part() or str(self.quality), expected="good values")
        if self.faults:
            seen = f"{self.quality}, {condition(self.state, self.own_faults)}"
            return Fault(self.faults[0], where=where, seen=seen, expected="a good status")
        if not self.is_good:
            return Fault(1002, where=where, seen=f"{self.quality} for {self.age_s:.1f} s", expected="a fresh status")
        if not self.owned:
            return Fault(1002, where=where, seen="machine not yet claimed", expected="ownership")
        if self.state != name_of(State.EXECUTE) and (self.power_up_only or self.silence_only):
            return Fault(
                1002, where=where, seen=f"{self.state} after a start or a silence", expected="ready in a moment"
            )
        if self.state != name_of(State.EXECUTE):
            return Fault(2001, where=where, seen=self.state, expected=name_of(State.EXECUTE))
        if self.busy:
            return Fault(2003, where=where, seen=f"job {self.job} still running", expected="an idle machine")
        return None

    def _bad_part(self) -> str:
        bad = ((name, value) for name, value in self.tags.items() if not value.is_good)
        return next((f"{name} {value.quality}: {value.reason}" for name, value in bad), "")


class Said:
    """What one STATUS says by itself, worked out when it is first asked for; `faults` are house codes."""

    def __init__(self, file: MachineFile, status: Status) -> None:
        self._file, self._status = file, status
        self.state = name_of(status.state)
        self.faults = machine_faults(file, status)
        self.own_faults = own_faults(status)

    def inputs(self, parts: Mapping[str, int]) -> Mapping[str, int]:
        """Give the inputs by name, and the `parts` that tags play beside them."""
        return read_inputs(self._file, self._status, parts) if parts else self._words

    @cached_property
    def _words(self) -> Mapping[str, int]:
        return read_inputs(self._file, self._status)


class Sayings:
    """Keeps what the last STATUS said: nearly every one differs from the one before by its count alone."""

    def __init__(self, file: MachineFile) -> None:
        self._file = file
        self._last: tuple[tuple[object, ...], Said] | None = None

    def of(self, status: Status) -> Said:
        """Give what a STATUS says."""
        what = (status.state, status.fault, status.safety, status.spare)
        if self._last is None or self._last[0] != what:
            self._last = what, Said(self._file, status)
        return self._last[1]


def machine_faults(file: MachineFile, status: Status) -> tuple[int, ...]:
    """Give the house codes of what the machine itself reports: the safety circuit, then its fault bits."""
    codes = [2007] if status.safety else []
    codes += [code for bit, code in sorted(file.faults.bits.items()) if status.fault >> int(bit) & 1]
    named = sum(1 << int(bit) for bit in file.faults.bits)
    if status.fault & ~named & ~(frames.FAULT_SILENCE | frames.FAULT_POWER_UP):
        codes.append(2002)
    return tuple(dict.fromkeys(codes))


def own_faults(status: Status) -> tuple[int, ...]:
    """Give the machine's own numbers of what it reports: its fault bits, as its manual and its machine file count them."""
    return tuple(bit for bit in range(frames.FIRST_MACHINE_FAULT_BIT, FAULT_BITS) if status.fault >> bit & 1)


def condition(state: str, numbers: tuple[int, ...]) -> str:
    """Say a state and the machine's own fault numbers: `Held, its own fault 2`."""
    return f"{state}, its own fault {' and '.join(map(str, numbers))}" if numbers else state


def read_inputs(
    file: MachineFile, status: Status, parts: Mapping[str, int] = MappingProxyType({})
) -> Mapping[str, int]:
    """Name the machine's inputs, 0 or 1 for bits, 0..65535 for words, and put the `parts` that tags play beside them."""
    words = {name: part.read(status.spare) for name, part in file.inputs.items() if part.tag is None}
    words |= {part: words[played_by] for part, played_by in file.capability.items() if played_by in words}
    return MappingProxyType({**words, **parts})
