"""How a server works, in one record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from simulation.blocks.block import Full
from simulation.blocks.crew import Crew
from simulation.blocks.draws import Distribution
from simulation.blocks.stops import StopLaw

Discipline = Literal["fifo", "lifo", "random", "shortest", "ageing", "shared"]
Preempt = Literal["no", "resume", "repeat", "restart"]
SetupWhen = Literal["each", "change", "idle"]
Vacations = Literal["multiple", "single"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How a server works. Times in seconds.

    `service_of` has a service time of its own for a class. `queue` places besides the channels; together they are the
    places of the block, whatever state the channels are in. `preempt` says what becomes of the work that is broken off.
    `blocking`: `after` service the piece stays on its channel until there is room ahead; `before` service a place ahead
    is kept first, and the work does not begin without it. `crew` is needed for the work, or only for stops that need it.
    With discipline `ageing` the claim of each who waits grows by the second, by `gains` of its class (1 of the others).
    `balk[n]` is the probability that who finds n there does not stay; beyond its end the last one counts; `balk_of` has those
    of a class with others. `start_at`: after
    the block was empty nothing is begun before so many wait.
    """

    service: Distribution
    service_of: Mapping[str, Distribution] = field(default_factory=dict)
    channels: float = 1
    queue: float = math.inf
    discipline: Discipline = "fifo"
    gains: Mapping[str, float] = field(default_factory=dict)
    preempt: Preempt = "no"
    full: Full = "block"
    blocking: Literal["after", "before"] = "after"
    setup: Distribution | None = None
    setup_when: SetupWhen = "change"
    vacation: Distribution | None = None
    vacations: Vacations = "multiple"
    patience: Distribution | None = None
    stops: Sequence[StopLaw] = ()
    crew: Crew | None = None
    is_crew_for_work: bool = True
    target_s: float | None = None
    balk: Sequence[float] = ()
    balk_of: Mapping[str, Sequence[float]] = field(default_factory=dict)
    start_at: int = 1
