"""The rows of a recording. Times are the plant's seconds since the start of the shift, to the hundredth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION = 1
STATES = ("busy", "waiting", "starved", "blocked", "setup", "held", "down")
"""A machine works; has something and waits for its turn; has nothing; cannot give away what it has; is on its way to
Execute; is held; is out of order, stopped or without power. It is in exactly one of them at any time."""
State = Literal["busy", "waiting", "starved", "blocked", "setup", "held", "down"]
Second = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(_Row):
    """The first line: what was played, and how it ended. `speed` is the plant's seconds in one of the controller's."""

    row: Literal["recording"] = "recording"
    version: Literal[1] = 1
    site: str
    scenario: str
    """A hash of all that was played but for the seed: runs with the same one may stand together."""
    seed: int
    orders: Count
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    command: str
    ended_s: Second
    is_well: bool
    broken: tuple[str, ...] = ()
    journal: str = ""
    truth: str = ""
    deaths: Count = 0
    facts: Mapping[str, int | float] = {}
    """Counts of the plant's truth."""


class Jobs(_Row):
    """A machine's jobs of one kind. `planned_s` is what its file says that one takes; None where it says nothing."""

    well: Count = 0
    failed: Count = 0
    stopped: Count = 0
    took_s: Second = 0.0
    """All that ended well together."""
    planned_s: Second | None = None


class MachineRow(_Row):
    """A machine: since when it was in which state, its jobs, and how many of them had to be done again or undone."""

    row: Literal["machine"] = "machine"
    name: str
    model: str
    station: str
    states: tuple[tuple[Second, State], ...]
    jobs: Mapping[str, Jobs] = {}
    undone: Count = 0


class ParcelRow(_Row):
    """A carton's way: since when it was at which place, and what was done to it."""

    row: Literal["parcel"] = "parcel"
    lpn: str
    order: str = ""
    begun_s: Second
    ended_s: Second | None = None
    ended: Literal["", "left", "returned"] = ""
    visits: tuple[tuple[Second, str], ...] = ()
    marks: tuple[tuple[Second, str], ...] = ()
    labels: Count = 0
    """Labels that were assigned to it; each after the first says that one went wrong."""
    is_verified: bool = False


class OrderRow(_Row):
    """An order from its coming to its end. `ended` is closed, cancelled, returned, or "" while it is open."""

    row: Literal["order"] = "order"
    id: str
    came_s: Second
    released_s: Second | None = None
    ended_s: Second | None = None
    ended: str = ""


class ExceptionRow(_Row):
    """Something that waited for a person; `fault` is the name of its code."""

    row: Literal["exception"] = "exception"
    code: int
    fault: str
    station: str
    subject: str
    opened_s: Second
    closed_s: Second | None = None
    action: str = ""


class FaultRow(_Row):
    """A fault that was made to happen, until it was mended or had struck its number of times; None while it lasted to the end.

    `strikes` are the first moments at which it struck, of those kinds that strike; none in recordings of older releases.
    """

    row: Literal["fault"] = "fault"
    at_s: Second
    device: str
    fault: str
    until_s: Second | None = None
    strikes: tuple[Second, ...] = ()


class ScannerRow(_Row):
    """A scanner: how often something new came before it, and how often that was read at the first try."""

    row: Literal["scanner"] = "scanner"
    name: str
    first: Count = 0
    read: Count = 0
    again: Count = 0
    """Tries after a first one."""


class EndRow(_Row):
    """The last line: how many rows came before it. Without it the file is not whole."""

    row: Literal["end"] = "end"
    rows: Count


AnyRow = Annotated[
    Head | MachineRow | ParcelRow | OrderRow | ExceptionRow | FaultRow | ScannerRow | EndRow, Field(discriminator="row")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One shift."""

    head: Head
    machines: tuple[MachineRow, ...] = ()
    parcels: tuple[ParcelRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    exceptions: tuple[ExceptionRow, ...] = ()
    faults: tuple[FaultRow, ...] = ()
    scanners: tuple[ScannerRow, ...] = ()

    def rows(self) -> list[Any]:
        """List every row but the end."""
        parts = (self.machines, self.parcels, self.orders, self.exceptions, self.faults, self.scanners)
        return [self.head, *(row for part in parts for row in part)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A row of the controller's journal, as far as a recording wants it; `at_s` in the plant's seconds."""

    at_s: float
    kind: str
    subject: str
    order: str
    station: str
    data: Mapping[str, Any] = field(default_factory=dict)
