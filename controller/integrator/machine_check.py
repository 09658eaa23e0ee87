"""Checks one machine file: what is wrong, what is hardly meant, and what reading it costs."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packline.core.faults import Fault
from packline.core.files import FileFaults
from plc.kinds import machine_class
from plc.lint import Finding, Report, lint, plan_lines
from plc.machine_file import MachineFile, survey_machine
from plc.tags.plan import Plan

LEVELS = ("error", "warning", "hint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Everything that is known of a machine file; `file` is None when it cannot be used at all."""

    path: Path
    faults: tuple[Fault, ...] = ()
    report: Report | None = None
    file: MachineFile | None = None

    @property
    def is_ok(self) -> bool:
        """Tell whether the controller would run it: warnings and hints are for people."""
        has_errors = self.report is not None and any(f.level == "error" for f in self.report.findings)
        return not self.faults and not has_errors

    def as_dict(self) -> dict[str, Any]:
        """Give it for programs."""
        report = self.report
        return {
            "ok": self.is_ok,
            "faults": [fault.as_dict() for fault in self.faults],
            "findings": [asdict(finding) for finding in report.findings] if report else [],
            "plan": {str(poll): _plan(plan) for poll, plan in report.plans.items()} if report else {},
        }

    def text(self) -> str:
        """Give it for people."""
        findings = self.report.findings if self.report else ()
        is_clean = not self.faults and all(finding.level == "hint" for finding in findings)
        said = [f"{self.path}: in order"] * is_clean
        said += [fault.text() for fault in self.faults] + [_line(self.path, finding) for finding in findings]
        plan = list(plan_lines(self.file)) if self.file else []
        return "\n".join([*said, *plan])


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What lint found in the machine file of one device of a site: told in full by a check of that file."""

    file: str
    findings: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give it for programs."""
        return {"file": self.file, "findings": [asdict(finding) for finding in self.findings]}

    def text(self, device: str) -> str:
        """Sum it up for people."""
        counts = Counter[str](finding.level for finding in self.findings)
        levels = [level for level in LEVELS if counts[level]]
        said = ", ".join(f"{counts[level]} {level}{'s' * (counts[level] > 1)}" for level in levels)
        return f"{levels[0]}: {device}: {said} in its machine file. See: packline check {self.file}"


def error_faults(file: MachineFile, name: str) -> list[Fault]:
    """Give what lint finds that cannot work, as faults of the machine file `name`."""
    expected = "parts that fit each other"
    return [
        Fault(4201, where=f"{name} [{found.where}]", seen=found.what, expected=expected, remedy=found.remedy)
        for found in lint(file).findings
        if found.level == "error"
    ]


def check_machine(path: Path) -> Checked:
    """Check the machine file at `path`: its mistakes, and what is odd in the rest of it."""
    try:
        read = survey_machine(path)
    except FileFaults as found:
        return Checked(path=path, faults=tuple(found.faults))
    faults, file = list(read.faults), read.model
    if file is None:
        return Checked(path=path, faults=tuple(faults))
    try:
        machine_class(file)
    except Fault as fault:  # a kind that is not installed
        faults.append(fault)
    return Checked(path=path, faults=tuple(faults), report=lint(file), file=file)


def _plan(plan: Plan) -> dict[str, Any]:
    requests = [
        {
            "area": str(request.area),
            "start": request.start,
            "count": request.count,
            "fill": round(request.fill, 3),
            "tags": [tag.name for tag in request.tags],
        }
        for request in plan.requests
    ]
    return {"registers": plan.registers, "fill": round(plan.fill, 3), "requests": requests}


def _line(path: Path, finding: Finding) -> str:
    return f"{finding.level}: {path} [{finding.where}] {finding.what}. {finding.remedy}".rstrip()
