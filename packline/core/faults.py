"""Everything that can be wrong, by number; reactions to it live in `packline.orders.policy`.

Families: 1xxx link, 2xxx machine, 3xxx process, 4xxx order or data, 5xxx software.
"""

from __future__ import annotations

from packline.core.device_faults import DEVICE_FAULTS
from packline.core.fault_kinds import FaultKind, Severity
from packline.core.work_faults import WORK_FAULTS

FAULTS: dict[int, FaultKind] = {row.code: row for row in (*DEVICE_FAULTS, *WORK_FAULTS)}
URGENCY = {Severity.CRITICAL: 0, Severity.HIGH: 1, Severity.WARNING: 2, Severity.INFO: 3}


class Fault(Exception):  # noqa: N818 - the trade's word
    """A fault with code, place, what was seen, what was expected and what to do."""

    def __init__(self, code: int, *, where: str, seen: str = "", expected: str = "", remedy: str = "") -> None:
        self.kind = FAULTS[code]
        self.code = code
        self.where = where
        self.seen = seen
        self.expected = expected
        self.remedy = remedy or self.kind.remedy
        super().__init__(self.text())

    def __reduce__(self) -> tuple[object, ...]:
        """Be made again from its parts, as a process that another one sent it to does; an exception's own way knows no parts with names."""
        return _again, (self.code, self.where, self.seen, self.expected, self.remedy)

    def text(self) -> str:
        """Give the one-line form: `2104 label not on parcel: where, saw X, expected Y. Remedy`."""
        parts = [self.where]
        if self.seen:
            parts.append(f"saw {self.seen}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        said = ", ".join(parts)
        return f"{self.code} {self.kind.name}: {said}{'' if said.endswith('?') else '.'} {self.remedy}"

    def as_dict(self) -> dict[str, str | int]:
        """Give the five parts, for JSON."""
        return {
            "code": self.code,
            "name": self.kind.name,
            "where": self.where,
            "seen": self.seen,
            "expected": self.expected,
            "remedy": self.remedy,
        }


def _again(code: int, where: str, seen: str, expected: str, remedy: str) -> Fault:
    return Fault(code, where=where, seen=seen, expected=expected, remedy=remedy)


def severity_of(code: int) -> Severity:
    """Give the severity of a fault code; unknown ones are a warning."""
    return FAULTS[code].severity if code in FAULTS else Severity.WARNING


def urgency(code: int) -> int:
    """Give 0 (critical) .. 3 (information) for sorting."""
    return URGENCY[severity_of(code)]


__all__ = ["FAULTS", "URGENCY", "Fault", "FaultKind", "Severity", "severity_of", "urgency"]
