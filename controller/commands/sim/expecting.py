"""Compares what came of a run with what its scenario file expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from controller.commands.sim.scenario_file import ExpectPart

_SIGNS = {"_ge": "at least", "_le": "at most"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """One expectation that was not met: its place in the file, what was seen, what was expected."""

    where: str
    seen: str
    expected: str

    def as_dict(self) -> dict[str, str]:
        """Give it JSON-ready."""
        return asdict(self)

    def text(self) -> str:
        """Say it in one line."""
        return f"missed [{self.where}]: {self.seen}, expected {self.expected}"


def missed(expect: ExpectPart, said: Mapping[str, Any]) -> list[Miss]:
    """Give each expectation that a run with these figures misses; `said` is what `--json` prints. What is `unexpected` says so itself."""
    return [*_broken(expect, said["broken"]), *_bounds(expect.bounds(), said)]


def _bounds(bounds: Mapping[str, float], said: Mapping[str, Any]) -> Iterator[Miss]:
    for key, bound in bounds.items():
        figure, sign = (key[:-3], key[-3:]) if key[-3:] in _SIGNS else (key, "")
        seen = float(said[figure])
        is_met = seen >= bound if sign == "_ge" else seen <= bound if sign == "_le" else seen == bound
        if not is_met:
            expected = " ".join(filter(None, (_SIGNS.get(sign, ""), f"{bound:g}")))
            yield Miss(where=f"expect.{key}", seen=f"{figure} {seen:g}", expected=expected)


def unexpected(expect: ExpectPart, broken: Sequence[str]) -> tuple[str, ...]:
    """Give what was broken and is not expected to be."""
    return tuple(what for what in broken if what.partition(":")[0] not in expect.broken)


def _broken(expect: ExpectPart, broken: Sequence[str]) -> Iterator[Miss]:
    found = {what.partition(":")[0] for what in broken}
    for name in sorted(set(expect.broken) - found):
        yield Miss(where="expect.broken", seen=f"{name} held", expected=f"{name} broken")
