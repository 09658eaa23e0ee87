"""Leads the ways of a tall plan apart: which lane each has in the margin, and where at its stations it leaves and enters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count

Pair = tuple[str, str]
LANE, MOST_MARGIN = 17, 170
"""Units from one lane to the next, and of all lanes together."""
PORT, FIRST = 18, 16
"""Units from one end of a way to the next at a station, and from its corner to the first."""


def lanes_of(pairs: Sequence[Pair], rows: Mapping[str, int]) -> dict[Pair, int]:
    """Give each way its lane, from 1, the next to the stations, on: short ways inside; those that share no row share a lane."""
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    found = {}
    for pair in sorted(pairs, key=lambda pair: abs(rows[pair[0]] - rows[pair[1]])):
        first, last = sorted(rows[name] for name in pair)
        lane = next(lane for lane in count(1) if all(last < top or first > bottom for top, bottom in taken[lane]))
        taken[lane].append((first, last))
        found[pair] = lane
    return found


def margin_of(lanes: Mapping[Pair, int], least: int) -> int:
    """Give the room that the lanes want beside the stations."""
    most = max(lanes.values(), default=0)
    return max(least, min(LANE * (most + 1), MOST_MARGIN)) if most else least


def lane_at(lane: int, lanes: Mapping[Pair, int], margin: int) -> int:
    """Give where a lane lies, from the left of the drawing."""
    return margin - margin * lane // (max(lanes.values()) + 1)


def ports_of(lanes: Mapping[Pair, int], rows: Mapping[str, int], height: int) -> dict[Pair, tuple[int, int]]:
    """Give how far above a station's foot each way leaves it, and how far below its head it enters: no two at one place.

    They are put so that ways of one station do not cross there: what goes down leaves below what goes up, the inner lane last;
    what comes from above enters first, the inner lane before the outer.
    """
    leaving, entering = defaultdict(list), defaultdict(list)
    for pair, lane in lanes.items():
        goes_up = rows[pair[1]] < rows[pair[0]]
        leaving[pair[0]].append((goes_up, -lane if goes_up else lane, pair))
        entering[pair[1]].append((goes_up, -lane if goes_up else lane, pair))
    leave = {pair: at for ways in leaving.values() for pair, at in _apart(ways, height)}
    enter = {pair: at for ways in entering.values() for pair, at in _apart(ways, height)}
    return {pair: (leave[pair], enter[pair]) for pair in lanes}


def _apart(ways: Sequence[tuple[bool, int, Pair]], height: int) -> list[tuple[Pair, int]]:
    step = min(PORT, (height // 2 - FIRST) // len(ways))
    return [(pair, FIRST + n * step) for n, (_, _, pair) in enumerate(sorted(ways))]
