"""What a kind of machine adds to the machine: how it moves for each job, and what its sensors see."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

from plc.links import Value

ERROR_MACHINE = 2
"""Error number of a failed drive, arm or gate in every machine file that ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A motion's end: result words by name; a failure has an `error` number of the machine file."""

    results: Mapping[str, int] = field(default_factory=dict)
    error: int = 0


Move = Generator[simpy.Event, Any, Done]
Doing = Generator[simpy.Event, Any, None]
Behaviour = Callable[[Mapping[str, int]], Move]


class Mechanics:
    """What a kind of machine adds: how it moves for each job, and what its sensors see."""

    def jobs(self) -> Mapping[str, Behaviour]:
        """Give the behaviour of each job of the machine file; it takes the job's parameters by name, unscaled words."""
        return {}

    def sense(self) -> Mapping[str, int]:
        """Give what each input of the machine file sees now."""
        return {}

    def tags(self) -> Mapping[str, Value]:
        """Give tags by name that are no inputs: weights, speeds, texts. A tag that nobody gives shows its value at rest."""
        return {}

    def written(self, name: str, value: Value) -> None:
        """Hear that a controller wrote a tag."""

    is_of_the_floor = False
    """Whether its sensors see the floor and the state of its jobs only, so that they change with these."""

    def by_itself(self, runs: Callable[[], bool]) -> Doing:
        """Move without a job while `runs()`, for ever; most kinds do not."""
        del runs
        yield from ()

    def forget(self) -> None:
        """Lose what is not kept through a power cut."""
