"""What came of the seeds of a campaign: each one, all of them, and what kind of breakage it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulation.virtual.faults import PlannedFault

EXPECT = "expect"
"""Stands where a kind of breakage stands: an expectation of the file was missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One seed: what was planned, what was broken, and what the journal ended in."""

    seed: int
    faults: tuple[PlannedFault, ...]
    broken: tuple[str, ...]
    journal: str
    struck: int = 0
    deaths: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    timeline: str = ""
    """What happened in the plant, where something was broken."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of the seeds so far."""

    seeds: int = 0
    struck: int = 0
    deaths: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failed: list[Trial] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def add(self, trial: Trial) -> None:
        """Count a seed; of those that are well nothing else stays."""
        self.seeds += 1
        self.struck += trial.struck
        self.deaths += trial.deaths
        self.kinds.update(trial.kinds)
        self.failed += [trial] if trial.broken else []

    def as_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        return {
            "seeds": self.seeds,
            "failed": [trial.seed for trial in self.failed],
            "broken": dict(Counter(kind_of(trial.broken) for trial in self.failed)),
            "faults": self.struck,
            "deaths": self.deaths,
            "kinds": dict(sorted(self.kinds.items())),
            "kept": [str(path) for path in self.kept],
        }


def first_of_each_kind(failed: Sequence[Trial]) -> Iterator[Trial]:
    """Give the first seed of each kind of breakage."""
    seen: set[str] = set()
    for trial in failed:
        kind = kind_of(trial.broken)
        if kind not in seen:
            seen.add(kind)
            yield trial


def kind_of(broken: tuple[str, ...]) -> str:
    """Give what was broken first, without its particulars."""
    return broken[0].partition(":")[0] if broken else ""


def cause_of(broken: tuple[str, ...]) -> str:
    """Give what a smaller shift must show too: the kind; of expectations also which one."""
    return " ".join(broken[0].split()[:2]) if kind_of(broken) == EXPECT else kind_of(broken)
