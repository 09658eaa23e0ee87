"""The machines and people of a fulfilment line as servers: thin models of their times and verdicts.

The machines themselves, with registers, faults and half-done jobs, are in `simulation.machines`; the controller runs
against those. These here take their times from the same figures and answer how many pieces a line makes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulation.blocks.conduct import Conduct
from simulation.blocks.draws import Deterministic, Distribution, Draw
from simulation.blocks.floor import Floor
from simulation.blocks.item import Item
from simulation.blocks.server import Server
from simulation.blocks.stops import StopLaw

Judge = Callable[[Item], float]
"""Draws how long a piece takes, and writes its verdict on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A roll or reel of `pieces`; when it is used up, the machine is set up for `change_s` before the next piece."""

    pieces: int
    change_s: Distribution
    needs_crew: bool = False

    def law(self, name: str = "") -> StopLaw:
        """Give it as a stop by cycles, of that name."""
        return StopLaw(
            name=name,
            by="cycles",
            until=Deterministic(self.pieces),
            last_s=self.change_s,
            is_setup=True,
            needs_crew=self.needs_crew,
        )


class Judging(Server):
    """A server whose work has a verdict: see the judges below. What each verdict happened how often is counted."""

    def __init__(self, floor: Floor, name: str, conduct: Conduct, judge: Callable[[Floor, str], Judge]) -> None:
        super().__init__(floor, name, conduct)
        self._judge = judge(floor, name)

    def drawn(self, item: Item) -> float:
        item.verdict = ""
        return self._judge(item)

    def finished(self, item: Item) -> None:
        """Count the verdict: work that is broken off and begun anew, or whose piece is spoiled, has found nothing."""
        if item.verdict:
            self.verdicts[item.verdict] = self.verdicts.get(item.verdict, 0) + 1

    def reset(self) -> None:
        super().reset()
        self.verdicts: dict[str, int] = {}

    def figures(self) -> dict[str, object]:
        return {**super().figures(), "verdicts": dict(sorted(self.verdicts.items()))}


def tries(
    time_s: Distribution, share: float, most: int, verdict: str, *, wait_s: float = 0.0
) -> Callable[[Floor, str], Judge]:
    """Judge by trying: each try takes a time and succeeds with probability `share`; after `most` (>= 1) failed ones the
    piece has the verdict. Between two tries lie `wait_s` seconds. Scan gates, applicators, hosts."""

    def made(floor: Floor, name: str) -> Judge:
        draw, luck = floor.draw(f"{name}.try", time_s), floor.stream(f"{name}.luck")

        def judge(item: Item) -> float:
            spent = 0.0
            for n in range(most):
                spent += draw() + (wait_s if n else 0.0)
                if luck.random() < share:
                    return spent
            item.verdict = verdict
            return spent

        return judge

    return made


def weighed(
    time_s: Distribution, weight_kg: Distribution, low_kg: float, high_kg: float, verdict: str = "reject"
) -> Callable[[Floor, str], Judge]:
    """Judge by weight: outside of the limits (which belong to what is good) the piece has the verdict."""

    def made(floor: Floor, name: str) -> Judge:
        draw, weight = floor.draw(f"{name}.try", time_s), floor.draw(f"{name}.weight", weight_kg)

        def judge(item: Item) -> float:
            if not low_kg <= weight() <= high_kg:
                item.verdict = verdict
            return draw()

        return judge

    return made


def asked(
    answer_s: Distribution, shares: Mapping[str, float], most_s: float, silent: str = "silent"
) -> Callable[[Floor, str], Judge]:
    """Judge by a person's answer: one of `shares` ("" is yes, the rest of 1), or `silent` after `most_s` seconds."""

    def made(floor: Floor, name: str) -> Judge:
        draw, luck = floor.draw(f"{name}.answer", answer_s), floor.stream(f"{name}.luck")

        def judge(item: Item) -> float:
            time_s, u = draw(), luck.random()
            if time_s > most_s:
                item.verdict = silent
                return most_s
            for verdict, share in shares.items():
                u -= share
                if u < 0:
                    item.verdict = verdict
                    break
            return time_s

        return judge

    return made


@dataclass(frozen=True, slots=True)
class Several:
    """The sum of several times, each `count` of them: a turntable's turns and pictures."""

    parts: tuple[tuple[int, Distribution], ...]

    def mean(self) -> float:
        return sum(count * law.mean() for count, law in self.parts)

    def variance(self) -> float:
        return sum(count * law.variance() for count, law in self.parts)

    def drawn_from(self, stream: random.Random) -> Draw:
        draws = [(range(count), law.drawn_from(stream)) for count, law in self.parts]
        return lambda: sum(draw() for times, draw in draws for _ in times)


class Packer(Server):
    """A packaging machine; it says its states also in PackML's words (ISA-TR88.00.02)."""

    def figures(self) -> dict[str, object]:
        return {**super().figures(), "packml": packml(self.states())}


PACKML: Mapping[str, str] = {
    "busy": "Execute",
    "starved": "Suspended",
    "blocked": "Suspended",
    "setup": "Held",
    "unmanned": "Held",
    "down": "Aborted",
    "away": "Stopped",
}
"""Suspended waits for what lies before or behind it, Held for something inside: a reel, a person."""


def packml(states: Mapping[str, float]) -> dict[str, float]:
    """Give shares of time by PackML state."""
    found: dict[str, float] = {}
    for name, share in states.items():
        found[PACKML[name]] = found.get(PACKML[name], 0.0) + share
    return found
