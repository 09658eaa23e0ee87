"""Finds what a source fills without end and nothing ever leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simulation.blocks.floor import OUT
from simulation.model.checking import ways_of
from simulation.model.flow_parts import AssemblyPart, PackPart, SinkPart, SourcePart
from simulation.model.line_parts import CourierPart
from simulation.model.model_file import Model
from simulation.model.parts import Part
from simulation.model.station_parts import StationPart

Graph = Mapping[str, Collection[str]]
"""Where each block leads; ways that nobody takes are left out."""


def traps(model: Model) -> Iterator[str]:
    """Warn of each circle that is fed without end and has no way out. Closed networks, which no source feeds so, are well."""
    parts: Mapping[str, Part] = model.blocks
    graph = {name: {t for ways in ways_of(part).values() for t, p in ways.items() if p} for name, part in parts.items()}
    told: set[str] = set()
    for source in (name for name, part in parts.items() if _is_endless(part)):
        for name in parts:
            ahead = _ahead(name, graph)
            is_trap = name in ahead and name in _ahead(source, graph) and not _is_left(ahead, parts)
            if is_trap and name not in told:
                told |= ahead
                yield f"[model.blocks.{name}.next]: nothing leaves this circle, though {source} gives to it without end"


def _is_endless(part: Part) -> bool:
    """Tell whether a source gives whatever is ahead. One that is saturated, or loses what finds no room, may fill a closed network."""
    if not isinstance(part, SourcePart):
        return False
    return part.every is not None and part.most is None and not part.at and part.blocked == "wait"


def _ahead(name: str, graph: Graph) -> set[str]:
    found: set[str] = set()
    left = list(graph.get(name, ()))
    while left:
        target = left.pop()
        if target not in found:
            found.add(target)
            left += graph.get(target, ())
    return found


def _is_left(ahead: Collection[str], parts: Mapping[str, Part]) -> bool:
    return OUT in ahead or any(_takes_out(parts[name]) for name in ahead)


def _takes_out(part: Part) -> bool:
    """Tell whether some go from the floor here, or fewer go on than came."""
    if isinstance(part, (SinkPart, CourierPart, AssemblyPart, PackPart)) or getattr(part, "full", "block") == "lose":
        return True
    if not isinstance(part, StationPart):
        return False
    is_given_up = any(getattr(part, key, None) for key in ("patience", "balk", "balk_by_class"))
    is_spoiled = any(failure.after == "scrap" for failure in part.failures)
    return (is_given_up and not part.impatient) or (is_spoiled and not part.scrap)
