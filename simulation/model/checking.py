"""Compares the blocks of a model with each other: names, ways, circles, what would never end."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from packline.core.faults import Fault
from packline.core.files import near
from simulation.blocks.floor import OUT
from simulation.model.checking_blocks import check_itself
from simulation.model.flow_parts import (
    AssemblyPart,
    BufferPart,
    DivertPart,
    ForkPart,
    JoinPart,
    LimitPart,
    MergePart,
    PackPart,
    ReleasePart,
    SinkPart,
    SourcePart,
    UnpackPart,
)
from simulation.model.laws import Law
from simulation.model.line_parts import CourierPart, OperatorPart
from simulation.model.model_file import AnyBlock, Shell
from simulation.model.parts import Part
from simulation.model.station_parts import StationPart
from simulation.model.words import with_meaning


def check_parts(
    shell: Shell, parts: Mapping[str, Part], names: set[str], where: str, told: Collection[str] = ()
) -> Iterator[Fault]:
    """`names` has also the blocks that are wrong in themselves: they are declared; `told` is where something is known to be wrong."""
    if not names:
        yield Fault(4201, where=f"{where} [model.blocks]", seen="nothing", expected="at least a source and a server")
    is_written = f"{where} [model.horizon_s]" not in told  # else something stands for it, which says nothing
    if is_written and isinstance(shell.warmup_s, float) and shell.warmup_s >= shell.horizon_s:
        seen, expected = f"{shell.warmup_s:g}", f"less than the horizon, {shell.horizon_s:g} s"
        yield Fault(4201, where=f"{where} [model.warmup_s]", seen=seen, expected=expected)
    if shell.antithetic and shell.replications % 2:
        place = f"{where} [model.replications]"
        yield Fault(
            4201, where=place, seen=str(shell.replications), expected="an even number: antithetic runs are pairs"
        )
    targets = {OUT} | {name for name in names if not isinstance(parts.get(name), (SourcePart, OperatorPart))}
    for name, part in parts.items():
        at = f"{where} [model.blocks.{name}"
        if name == OUT:
            yield Fault(4201, where=f"{at}]", seen=name, expected='another name: "out" is the way out')
        yield from _check_ways(part, at, targets)
        # where a key is wrong, a default stands for what was meant: what is compared with that says nothing
        is_read = not any(_is_key(place, at) for place in told)
        yield from (
            fault for fault in _check_names(part, at, shell, parts, names) if is_read or fault.seen != "nothing"
        )
        if is_read:
            yield from check_itself(part, at)


def _is_key(place: str, at: str) -> bool:
    """Tell whether a place is a key of the block itself, and not within one."""
    return place.startswith(f"{at}.") and "." not in place.removeprefix(f"{at}.")


def ways_of(part: Part) -> dict[str, dict[str, float]]:
    """Give every key of a block that leads somewhere, and its targets with their shares."""
    found: dict[str, dict[str, float]] = {}
    for key in ("next", "overflow", "impatient", "scrap", "failed", "reject", "no_read", "refused", "silent"):
        target = getattr(part, key, None)
        if isinstance(target, dict):
            found[key] = target
        elif target:
            found[key] = {target: 1.0}
    if isinstance(part, DivertPart):
        found |= {f"by_class.{kind}": {target: 1.0} for kind, target in part.by_class.items()}
    if isinstance(part, (DivertPart, ForkPart)) and part.to:
        found["to"] = dict.fromkeys(part.to, 1.0)
    return found


def _check_ways(part: Part, at: str, targets: set[str]) -> Iterator[Fault]:
    for key, ways in ways_of(part).items():
        for target in ways:
            if target not in targets:
                expected = f"one of {', '.join(sorted(targets))}"
                wrong = Fault(4201, where=f"{at}.{key}]", seen=target, expected=expected, remedy=near(target, targets))
                yield with_meaning(wrong, key)
        total = math.fsum(ways.values())
        if key == "next" and abs(total - 1) > 1e-9:
            yield Fault(4201, where=f"{at}.next]", seen=f"probabilities of {total:g} in all", expected="1 in all")


def _check_names(part: Part, at: str, shell: Shell, parts: Mapping[str, Part], names: set[str]) -> Iterator[Fault]:
    crew = getattr(part, "operator", None)
    crews = {name for name in names if isinstance(parts.get(name), OperatorPart) or name not in parts}
    if crew and crew not in crews:
        expected = f"one of {', '.join(sorted(crews)) or 'none declared'}: a block of kind operator"
        yield Fault(4201, where=f"{at}.operator]", seen=crew, expected=expected, remedy=near(crew, crews))
    if isinstance(part, StationPart) and not crew and _needs_crew(part):
        yield Fault(
            4201, where=f"{at}.operator]", seen="nothing", expected="a block of kind operator: a stop needs one"
        )
    if isinstance(part, ReleasePart):
        limits = {name for name in names if isinstance(parts.get(name), LimitPart) or name not in parts}
        if part.limit not in limits:
            expected = f"one of {', '.join(sorted(limits)) or 'none declared'}: a block of kind limit"
            yield Fault(4201, where=f"{at}.limit]", seen=part.limit, expected=expected, remedy=near(part.limit, limits))
    for key in ("mix", "service_by_class", "balk_by_class", "by_class", "initial", "needs", "makes", "order"):
        named = getattr(part, key, None) or ()
        if isinstance(part, MergePart):
            break  # its order has blocks in it
        for kind in (named,) if isinstance(named, str) else named:
            if kind not in shell.classes and not (key == "initial" and kind == ""):
                expected = f"one of {', '.join(sorted(shell.classes)) or 'none declared'}"
                remedy = near(kind, set(shell.classes)) or "Declare it: [model.classes.NAME]."
                yield Fault(4201, where=f"{at}.{key}.{kind}]", seen=kind, expected=expected, remedy=remedy)
    if isinstance(part, MergePart):
        if part.rule != "first_come" and not part.order:
            yield Fault(4201, where=f"{at}.order]", seen="nothing", expected=f"the blocks that give, for {part.rule}")
        for name in part.order:
            if name not in names:
                yield Fault(4201, where=f"{at}.order]", seen=name, expected=f"one of {', '.join(sorted(names))}")


def _needs_crew(part: StationPart) -> bool:
    stocks = (getattr(part, key, None) for key in ("roll", "ribbon", "film"))
    return any(stop.operator for stop in (*part.failures, *(stock for stock in stocks if stock)))


def check_whole(parts: Mapping[str, Part], where: str) -> Iterator[Fault]:
    has_begin = any(isinstance(part, SourcePart) or getattr(part, "initial", None) for part in parts.values())
    if not has_begin:
        yield Fault(
            4201,
            where=f"{where} [model.blocks]",
            seen="nothing that gives items",
            expected="a source, or initial items",
        )
    reached = _reached(parts)
    for name in parts:
        if name not in reached:
            yield Fault(
                4201,
                where=f"{where} [model.blocks.{name}]",
                seen="a block that no way leads to",
                expected="a way to it",
            )
    graph = {name: sorted({t for ways in ways_of(part).values() for t in ways}) for name, part in parts.items()}
    if circle := _circle({name: ways for name, ways in graph.items() if _takes_no_time(parts[name])}):
        seen = " -> ".join([*circle, circle[0]])
        expected = "a block that takes time in each circle"
        yield Fault(4201, where=f"{where} [model.blocks.{circle[0]}.next]", seen=seen, expected=expected)
        return
    if circle := _circle(_without_time(parts, graph)):
        first = next(name for name in circle if not _takes_no_time(parts[name]))
        key = "overflow" if getattr(parts[first], "overflow", None) in circle else "impatient"
        seen = " -> ".join([*circle, circle[0]])
        expected = "a block in this circle that keeps or loses whom it has no room for"
        yield Fault(4201, where=f"{where} [model.blocks.{first}.{key}]", seen=seen, expected=expected)
        return
    for name, part in parts.items():
        if isinstance(part, SourcePart) and part.every is None and not part.at and part.most is None:
            for target in sorted(_open_ends(name, parts)):
                seen = f"as fast as they are taken, and {target} takes them without end"
                yield Fault(
                    4201, where=f"{where} [model.blocks.{name}.every]", seen=seen, expected="a time between arrivals"
                )


def _without_time(parts: Mapping[str, Part], graph: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Give where an item goes on at the instant at which it comes: from a block that is full to its overflow, and from one
    where nobody stays whom so many are before to the way of the impatient."""
    return {name: graph[name] if _takes_no_time(part) else _turned_away(part) for name, part in parts.items()}


def _turned_away(part: Part) -> list[str]:
    overflow = None if _loses(part) or _never_refuses(part) else getattr(part, "overflow", None)
    balks = [getattr(part, "balk", ()), *getattr(part, "balk_by_class", {}).values()]
    impatient = getattr(part, "impatient", "") if any(1 in shares for shares in balks) else ""
    return [way for way in (overflow, impatient) if way]


def _reached(parts: Mapping[str, Part]) -> set[str]:
    """Give the blocks that an item can come to, and those that are no way."""
    is_begin = (SourcePart, OperatorPart)
    found = {name for name, part in parts.items() if isinstance(part, is_begin) or getattr(part, "initial", None)}
    ahead = list(found)
    while ahead:
        ways = ways_of(parts[ahead.pop()]).values()
        for target in {t for way in ways for t in way if t in parts} - found:
            found.add(target)
            ahead.append(target)
    return found


def _takes_no_time(part: Part) -> bool:
    if isinstance(part, BufferPart):
        return True
    if isinstance(part, StationPart):
        return all(law.distribution().mean() == 0 for law in _works(part))
    return isinstance(part, INSTANT)


INSTANT = (DivertPart, MergePart, ForkPart, JoinPart, AssemblyPart, PackPart, UnpackPart, LimitPart, ReleasePart)
"""Blocks in which no time goes by while there is room ahead."""


def _works(part: StationPart) -> list[Law]:
    """Give the times that a piece spends at a station in any case."""
    found = (
        getattr(part, key, None)
        for key in ("service", "turn", "picture", "print", "apply", "seal", "weigh", "scan", "answer")
    )
    return [law for law in found if law is not None]


def _circle(graph: Mapping[str, list[str]]) -> list[str]:
    """Give a circle of these ways; empty when there is none."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done or name not in graph:
            return []
        done.add(name)
        return next((found for way in graph[name] if (found := walk(way, [*path, name]))), [])

    return next((found for name in graph if (found := walk(name, []))), [])


def _open_ends(name: str, parts: Mapping[str, Part]) -> set[str]:
    """Give where items pile up, or vanish, without time passing. Behind a limit they do not pile up."""
    found: set[str] = set()
    seen: set[tuple[str, bool]] = set()
    ahead = [(name, False)]
    while ahead:
        before, is_limited = ahead.pop()
        is_limited = isinstance(parts[before], LimitPart) or (is_limited and not isinstance(parts[before], ReleasePart))
        for target in {t for ways in ways_of(parts[before]).values() for t in ways}:
            if (target, is_limited) in seen:
                continue
            seen.add((target, is_limited))
            inner = parts.get(target)
            if (
                inner is None
                or isinstance(inner, SinkPart)
                or _loses(inner)
                or not is_limited
                and _never_refuses(inner)
            ):
                found.add(target)
            elif _takes_no_time(inner):
                ahead.append((target, is_limited))
    return found


def _loses(part: AnyBlock | Part) -> bool:
    return getattr(part, "full", "block") == "lose"


def _never_refuses(part: AnyBlock | Part) -> bool:
    if isinstance(part, StationPart):
        return math.isinf(part.channels + part.queue)
    if isinstance(part, (BufferPart, CourierPart, PackPart, JoinPart)):
        return math.isinf(part.capacity)
    if isinstance(part, AssemblyPart):
        return math.isinf(part.places)
    return False
