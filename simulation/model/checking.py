"""Compares the blocks of a model with each other: names, ways, circles, what would never end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from packline.core.faults import Fault
from packline.core.files import near
from simulation.blocks.floor import OUT
from simulation.model.laws import Law
from simulation.model.model_file import (
    AnyBlock,
    BufferPart,
    CourierPart,
    DivertPart,
    MachinePart,
    MergePart,
    OperatorPart,
    Part,
    ServerPart,
    Shell,
    SinkPart,
    SourcePart,
    StationPart,
)


def check_parts(shell: Shell, parts: Mapping[str, Part], names: set[str], where: str) -> Iterator[Fault]:
    """`names` has also the blocks that are wrong in themselves: they are declared."""
    if not names:
        yield Fault(4201, where=f"{where} [model.blocks]", seen="nothing", expected="at least a source and a server")
    if isinstance(shell.warmup_s, float) and shell.warmup_s >= shell.horizon_s:
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
        yield from _check_names(part, at, shell, parts, names)
        yield from _check_itself(part, at)


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
        found |= {"to": dict.fromkeys(part.to, 1.0)} if part.to else {}
    return found


def _check_ways(part: Part, at: str, targets: set[str]) -> Iterator[Fault]:
    for key, ways in ways_of(part).items():
        for target in ways:
            if target not in targets:
                expected = f"one of {', '.join(sorted(targets))}"
                yield Fault(4201, where=f"{at}.{key}]", seen=target, expected=expected, remedy=near(target, targets))
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
    for key in ("mix", "service_by_class", "by_class", "initial"):
        for kind in getattr(part, key, None) or ():
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


def _check_itself(part: Part, at: str) -> Iterator[Fault]:
    if isinstance(part, SourcePart):
        yield from _check_source(part, at)
    if isinstance(part, DivertPart):
        yield from _check_divert(part, at)
    if isinstance(part, StationPart):
        yield from _check_station(part, at)
    if isinstance(part, OperatorPart):
        for n, shift in enumerate(part.shifts):
            if not shift.from_s < shift.to_s <= part.cycle_s:
                expected = f"after from_s, {shift.from_s:g}, and at most the cycle, {part.cycle_s:g}"
                yield Fault(4201, where=f"{at}.shifts.{n}.to_s]", seen=f"{shift.to_s:g}", expected=expected)
    if isinstance(part, CourierPart) and part.every.distribution().mean() == 0:
        yield Fault(4201, where=f"{at}.every]", seen="0 s", expected="a time above 0 on average")
    if isinstance(part, BufferPart) and sum(part.initial.values()) > part.capacity:
        yield Fault(4201, where=f"{at}.initial]", seen=str(sum(part.initial.values())), expected="at most the capacity")


def _check_source(part: SourcePart, at: str) -> Iterator[Fault]:
    if part.every is not None and part.at:
        yield Fault(4201, where=f"{at}.at]", seen="times beside every", expected="one of both")
    if part.every is not None and part.every.distribution().mean() == 0:
        yield Fault(
            4201,
            where=f"{at}.every]",
            seen="0 s",
            expected="a time above 0 on average; none at all for a saturated line",
        )
    if part.profile:
        starts = [rate.from_s for rate in part.profile]
        if starts[0] != 0 or sorted(set(starts)) != starts or starts[-1] >= part.cycle_s:
            expected = f"from_s rising from 0 to below the cycle, {part.cycle_s:g}"
            yield Fault(4201, where=f"{at}.profile]", seen=", ".join(f"{s:g}" for s in starts), expected=expected)
        if part.every is None:
            yield Fault(4201, where=f"{at}.profile]", seen="a profile without every", expected="every: the mean time")
        if not any(rate.times for rate in part.profile):
            yield Fault(4201, where=f"{at}.profile]", seen="nothing but 0 times", expected="a rate above 0 somewhere")


def _check_divert(part: DivertPart, at: str) -> Iterator[Fault]:
    needed = {"chance": "next", "class": "by_class"}.get(part.rule, "to")
    if not getattr(part, needed):
        yield Fault(4201, where=f"{at}.{needed}]", seen="nothing", expected=f"ways, for {part.rule}")
    if part.rule == "class" and not part.next:
        yield Fault(4201, where=f"{at}.next]", seen="nothing", expected="where items of other classes go")
    used = {"chance": {"next"}, "class": {"next", "by_class"}}.get(part.rule, {"to"})
    for key in ("next", "by_class", "to"):
        if getattr(part, key) and key not in used:
            yield Fault(
                4201, where=f"{at}.{key}]", seen=key, expected=f"{' and '.join(sorted(used))} only, for {part.rule}"
            )


def _check_station(part: StationPart, at: str) -> Iterator[Fault]:
    if math.isinf(part.channels):
        for key in ("failures", "vacation", "operator", "roll", "ribbon", "film"):
            if getattr(part, key, None):
                yield Fault(4201, where=f"{at}.{key}]", seen=key, expected="nothing: channels have no end")
    if part.discipline == "shared":
        yield from _check_shared(part, at)
    if part.preempt != "no" and part.discipline == "random":
        yield Fault(4201, where=f"{at}.preempt]", seen=part.preempt, expected="no, for discipline random")
    if part.vacation is not None and part.vacation.distribution().mean() == 0:
        yield Fault(4201, where=f"{at}.vacation]", seen="0 s", expected="a time above 0 on average")
    for n, failure in enumerate(part.failures):
        if failure.every.distribution().mean() == 0:
            yield Fault(4201, where=f"{at}.failures.{n}.every]", seen="0", expected="more than 0 on average")
    if sum(part.initial.values()) > part.channels + part.queue:
        seen, expected = str(sum(part.initial.values())), f"at most its places, {part.channels + part.queue:g}"
        yield Fault(4201, where=f"{at}.initial]", seen=seen, expected=expected)
    if getattr(part, "low_kg", 0.0) > getattr(part, "high_kg", 0.0):
        yield Fault(4201, where=f"{at}.high_kg]", seen="less than low_kg", expected="at least low_kg")


def _check_shared(part: StationPart, at: str) -> Iterator[Fault]:
    """What works on everyone at once has no one to break off, no queue to lose patience in, and no machine that fails."""
    if not isinstance(part, (ServerPart, MachinePart)):
        yield Fault(
            4201, where=f"{at}.discipline]", seen="shared", expected="fifo, lifo, random or shortest, for this kind"
        )
    for key in ("preempt", "blocking", "setup", "vacation", "patience", "failures", "operator", "target_s"):
        default = StationPart.model_fields[key].default
        if getattr(part, key) != default:
            yield Fault(4201, where=f"{at}.{key}]", seen=key, expected="nothing: discipline shared has none")


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
    for name, part in parts.items():
        if isinstance(part, SourcePart) and part.every is None and not part.at and part.most is None:
            for target in sorted(_open_ends(name, parts)):
                seen = f"as fast as they are taken, and {target} takes them without end"
                yield Fault(
                    4201, where=f"{where} [model.blocks.{name}.every]", seen=seen, expected="a time between arrivals"
                )


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
    return isinstance(part, (DivertPart, MergePart))


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
    """Give where items pile up, or vanish, without time passing."""
    found: set[str] = set()
    seen: set[str] = set()
    ahead = [name]
    while ahead:
        part = parts[ahead.pop()]
        for target in {t for ways in ways_of(part).values() for t in ways} - seen:
            seen.add(target)
            inner = parts.get(target)
            if inner is None or isinstance(inner, SinkPart) or _never_refuses(inner):
                found.add(target)
            elif _takes_no_time(inner):
                ahead.append(target)
    return found


def _never_refuses(part: AnyBlock | Part) -> bool:
    if getattr(part, "full", "block") == "lose":
        return True
    if isinstance(part, StationPart):
        return math.isinf(part.channels + part.queue)
    if isinstance(part, (BufferPart, CourierPart)):
        return math.isinf(part.capacity)
    return False
