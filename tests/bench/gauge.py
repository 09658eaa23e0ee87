"""Times our work beside a peer's, in turns, and says the outcome in one line of JSON."""

import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

ROUNDS = 15
Round = Callable[[], Awaitable[None]]
SCALE = {"s": 1.0, "ms": 1e3, "us": 1e6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one thing costs us and a named peer; `unit` is "s", "ms" or "us", with or without "/what"."""

    figure: str
    ours: float
    peer: float
    peer_name: str
    unit: str

    def line(self) -> str:
        """Give the line for standard output; `ratio` is ours to peer, so below 1 is cheaper than the peer."""
        told = {
            "figure": self.figure,
            "ours": rounded(self.ours),
            "peer": rounded(self.peer),
            "peer_name": self.peer_name,
            "ratio": rounded(self.ours / self.peer),
            "unit": self.unit,
        }
        return json.dumps(told, ensure_ascii=False)


def rounded(value: float, digits: int = 3) -> float:
    """Give `value` with that many digits that mean something."""
    return round(value, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0.0


def figure(name: str, *, ours: list[float], peer: list[float], peer_name: str, unit: str) -> Figure:
    """Make a figure of seconds that were measured for one thing each; medians, so that one disturbance does not count."""
    scale = SCALE[unit.partition("/")[0]]
    return Figure(figure=name, ours=median(ours) * scale, peer=median(peer) * scale, peer_name=peer_name, unit=unit)


async def in_turns(ours: Round, peer: Round, *, things: int, rounds: int = ROUNDS) -> tuple[list[float], list[float]]:
    """Run both by turns after one unmeasured run of each; gives seconds per thing, of each round.

    By turns, and each time the other one first: what else the computer does then hits both alike.
    """
    taken: dict[Round, list[float]] = {ours: [], peer: []}
    order = [ours, peer]
    for work in order:
        await work()
    for _ in range(rounds):
        for work in order:
            taken[work].append(await _seconds(work) / things)
        order.reverse()
    return taken[ours], taken[peer]


def blocking(work: Callable[[], object]) -> Round:
    """Let a plain function take its turn."""

    async def run() -> None:
        work()

    return run


async def _seconds(work: Round) -> float:
    begun = perf_counter()
    await work()
    return perf_counter() - begun
