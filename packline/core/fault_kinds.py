"""What a row of the fault table says: number, name, what it means for the line, what to do, and how loud it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How loud a fault is on the screen."""

    INFO = "info"
    WARNING = "warning"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row of the fault table: number, name, what it means for the line, what to do."""

    code: int
    name: str
    meaning: str
    remedy: str
    severity: Severity = Severity.HIGH
