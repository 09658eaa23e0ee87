"""What a station shows to the person before it: one next action, tasks, the last scans."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from packline.core.faults import Fault

SEEN = timedelta(seconds=2.0)
"""So long it may take until somebody has seen what a screen shows now; it turns within a second."""
MOST_SCANS = 10
MOST_PICTURES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A sentence for people as a key and its parameters; the dashboard puts it into their language."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give JSON."""
        return {"key": self.key, "params": dict(self.params)}


def say(key: str, **params: Any) -> Instruction:
    """Make an instruction."""
    return Instruction(key=key, params=params)


def refuse(fault: Fault) -> Instruction:
    """Answer a scan with what is wrong and what to do."""
    return Instruction(key="refused", params=fault.as_dict())


@dataclass(slots=True, kw_only=True)
class Screen:
    """The mutable face of one station; only its station writes it."""

    next: Instruction = field(default_factory=lambda: say("idle"))
    tasks: list[Instruction] = field(default_factory=list)
    parcel: str = ""
    order: str = ""
    unit: str = ""
    state: str = "idle"
    fault: Fault | None = None
    hold_by: str = ""
    on_hold: Callable[[], None] = lambda: None
    """Called when a person holds the station: whoever waits for a person there lets go."""
    scans: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_SCANS))
    pictures: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_PICTURES))
    scan_count: int = 0

    def scanned(self, at: datetime, text: str, result: Instruction) -> None:
        """Note one scan and its answer, newest first."""
        self.scan_count += 1
        entry = {"n": self.scan_count, "at": at.isoformat(), "text": text[:80], "result": result.as_dict()}
        self.scans.appendleft(entry)

    def about(self, *, parcel: str = "", order: str = "", unit: str = "") -> None:
        """Say what lies at the station; nothing given means nothing there."""
        self.parcel, self.order, self.unit = parcel, order, unit

    def as_dict(self) -> dict[str, Any]:
        """Give the station's part of the live snapshot."""
        return {
            "state": self.state,
            "parcel": self.parcel,
            "order": self.order,
            "unit": self.unit,
            "next": self.next.as_dict(),
            "tasks": [t.as_dict() for t in self.tasks],
            "scans": list(self.scans),
            "pictures": list(self.pictures),
            "fault": self.fault.as_dict() if self.fault else None,
            "hold_by": self.hold_by,
        }
