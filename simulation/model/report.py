"""Says what the runs of a model gave: as tables for people, and as one object for programs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from simulation.model.running import Outcome, batches
from simulation.statistics.intervals import Interval, over_replications

STATES = ("busy", "starved", "blocked", "down", "setup", "unmanned", "away")
SYSTEM = (
    "throughput", "wip", "flow", "flow_deviation", "flow_p50", "flow_p90", "flow_p95", "flow_p99", "arrivals",
    "departures", "lost", "scrapped", "made", "used", "little_residual",
)  # fmt: skip
LEFT = ("departures", "lost", "scrapped")
CLOSED = ("wip", "arrivals", "made", "used")
NOTHING_LEFT = "nothing left the model: how fast items go round is the throughput of its blocks"
CLASS = ("number", "wait", "sojourn", "lost_share")
BLOCK = ("throughput", "number", "queue", "wait", "sojourn", "lost_share", "oee.index")
SOME_RUNS = frozenset({"classes", "at", "verdicts", "made", "used", "little_residual"})
"""Figures with one of these parts may be missing in one run and there in the next: a class that is rare, a longer queue."""
_WILD = re.compile(r"[*?[]")


def said(outcome: Outcome) -> dict[str, Any]:
    """Give everything, ready for JSON: a figure that is not known is null."""
    model = outcome.model
    return {
        "title": model.title,
        "seed": outcome.seed,
        "replications": len(outcome.runs),
        "antithetic": model.antithetic,
        "horizon_s": model.horizon_s,
        "warmup_s": outcome.warmup_s,
        "level": model.level,
        "figures": {name: _pair(outcome.interval(name)) for name in outcome.names()},
        "batch_means_of_the_first_run": _batches(outcome),
        "bottleneck": bottleneck(outcome),
        "warnings": list(outcome.warnings),
    }


def compared(first: Outcome, second: Outcome) -> dict[str, Any]:
    """Give second minus first for each figure that both have: with common random numbers, and as if they had none."""
    names = [name for name in first.names() if name in set(second.names())]
    found = {}
    for name in names:
        common = second.difference(first, name)
        apart = math.hypot(second.interval(name).half, first.interval(name).half)
        found[name] = {**_pair(common), "half_if_independent": _known(apart)}
    return found


def bottleneck(outcome: Outcome) -> dict[str, Any]:
    """Give the evidence over all runs: mean shares, and which block each method names most often."""
    runs = [run.bottleneck for run in outcome.runs]
    waiting = {name: _mean([run["waiting_shares"][name] for run in runs]) for name in runs[0]["waiting_shares"]}
    active = {
        name: {kind: _mean([run["active_shares"][name][kind] for run in runs]) for kind in ("sole", "shifting")}
        for name in runs[0]["active_shares"]
    }
    return {
        "longest_active": _most([run["longest_active"] for run in runs]),
        "least_waiting": _most([run["least_waiting"] for run in runs]),
        "active_shares": active,
        "waiting_shares": waiting,
    }


def tables(outcome: Outcome) -> Iterator[str]:
    """Give the lines that people read."""
    model = outcome.model
    runs = f"{len(outcome.runs)} runs of {model.horizon_s:g} s, warm-up {outcome.warmup_s:g} s, seed {outcome.seed}"
    yield f"{model.title or 'model'}: {runs}"
    yield f"estimates with half widths of {model.level:.0%} intervals; rates a second, times in seconds"
    yield ""
    known = set(outcome.names())
    is_closed = all(outcome.interval(name).estimate == 0 for name in LEFT)
    yield from _table(
        ("figure", "estimate", "half width"),
        [
            _row(n, found)
            for n in (CLOSED if is_closed else SYSTEM)
            if n in known and not math.isnan((found := outcome.interval(n)).estimate)
        ],
    )
    if is_closed:
        yield NOTHING_LEFT
    rows = [
        (name, *(_short(outcome, f"{name}.{figure}", known) for figure in BLOCK))
        for name in model.blocks
        if f"{name}.throughput" in known
    ]
    yield ""
    yield from _table(("block", *BLOCK), rows)
    yield from _by_class(outcome, known)
    shares = [
        (name, *(_percent(outcome, f"{name}.states.{state}", known) for state in STATES))
        for name in model.blocks
        if f"{name}.states.busy" in known
    ]
    if shares:
        yield ""
        yield from _table(("share of time", *STATES), shares)
    yield from _said_of_bottleneck(outcome)
    if len(outcome.runs) == 1 and (batched := _batches(outcome)):
        yield ""
        yield (
            f"flow by batch means of the one run: {batched['estimate']:.4g} ±{batched['half']:.4g} "
            f"(von Neumann ratio {batched['von_neumann']:.2f}; near 2 is well)"
        )
    yield from (f"warning: {text}" for text in outcome.warnings)


def _by_class(outcome: Outcome, known: set[str]) -> Iterator[str]:
    """Give the table of classes in blocks, where there are at least two."""
    classes = outcome.model.classes
    pairs = [(name, kind) for name in outcome.model.blocks for kind in classes]
    rows = [
        (f"{name} {kind}", *(_short(outcome, f"{name}.classes.{kind}.{figure}", known) for figure in CLASS))
        for name, kind in pairs
        if f"{name}.classes.{kind}.number" in known
    ]
    if rows and len(classes) > 1:
        yield ""
        yield from _table(("block and class", *CLASS), rows)


def chosen(outcome: Outcome, patterns: Sequence[str]) -> list[str]:
    """Give the names of figures that one of the patterns fits (`*` is anything): `desk.delayed_share`, `desk.at.*`."""
    return [name for name in outcome.names() if any(fnmatchcase(name, pattern) for pattern in patterns)]


def is_hopeless(pattern: str, names: Collection[str]) -> bool:
    """Tell of a pattern that fits no figure of one run, whether it cannot fit one of another run of that model either."""
    if any(fnmatchcase(name, pattern) for name in names):
        return False
    literal, *wild = _WILD.split(pattern, maxsplit=1)
    parts = literal.split(".")
    if not wild:
        return SOME_RUNS.isdisjoint(parts)
    head = parts[0] if len(parts) == 1 else f"{parts[0]}."
    return not any(f"{name}.".startswith(head) for name in (*names, *SOME_RUNS))


def wanted(outcome: Outcome, patterns: Sequence[str]) -> Iterator[str]:
    """Give the lines of those figures."""
    rows = [_row(name, outcome.interval(name)) for name in chosen(outcome, patterns)]
    if rows:
        yield from _table(("figure", "estimate", "half width"), rows)


def comparison(first: Outcome, second: Outcome, patterns: Sequence[str] = ()) -> Iterator[str]:
    """Give the lines of a comparison: of the whole model, and of the figures that are wanted."""
    known = set(first.names()) & set(second.names())
    rows = []
    for name in dict.fromkeys((*SYSTEM, *chosen(first, patterns))):
        if name in known and name != "little_residual":
            difference = second.difference(first, name)
            apart = math.hypot(second.interval(name).half, first.interval(name).half)
            rows.append((*_row(name, difference), number(apart), "" if difference.holds(0.0) else "differs"))
    yield from _table(("second - first", "estimate", "half width", "if independent", ""), rows)


def _said_of_bottleneck(outcome: Outcome) -> Iterator[str]:
    found = bottleneck(outcome)
    least, longest = found["least_waiting"], found["longest_active"]
    if least is not None:
        yield ""
        yield f"bottleneck by the least time starved or blocked: {least} ({found['waiting_shares'][least]:.1%} of its time)"
    if longest is not None:
        share = found["active_shares"][longest]
        yield (
            f"bottleneck by the longest active period: {longest} "
            f"({share['sole']:.1%} of the time alone, {share['shifting']:.1%} shifting)"
        )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    wide = [max(len(str(row[n])) for row in (heads, *rows)) for n in range(len(heads))]
    for row in (heads, *rows):
        first, *rest = (str(cell) for cell in row)
        cells = (cell.rjust(width) for cell, width in zip(rest, wide[1:], strict=True))
        yield "  ".join([first.ljust(wide[0]), *cells]).rstrip()


def _row(name: str, found: Interval) -> tuple[str, str, str]:
    return name, number(found.estimate), number(found.half)


def _short(outcome: Outcome, name: str, known: set[str]) -> str:
    if name not in known:
        return ""
    found = outcome.interval(name)
    if math.isnan(found.estimate):
        return ""
    return f"{number(found.estimate)} ±{number(found.half)}"


def _percent(outcome: Outcome, name: str, known: set[str]) -> str:
    return f"{outcome.interval(name).estimate:.1%}" if name in known else ""


def number(value: float) -> str:
    """Give a number in four digits or so; "" of one that is not known."""
    if math.isnan(value) or math.isinf(value):
        return "?"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def _pair(found: Interval) -> dict[str, float | int | None]:
    return {"estimate": _known(found.estimate), "half": _known(found.half)}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _batches(outcome: Outcome) -> dict[str, float | None] | None:
    if not outcome.runs or len(outcome.runs[0].flow) < 300:
        return None
    return {name: _known(value) for name, value in batches(outcome.runs[0], outcome.model.level).items()}


def _mean(values: Sequence[float]) -> float | None:
    return _known(over_replications(values).estimate)


def _most(names: Sequence[str | None]) -> str | None:
    return Counter(names).most_common(1)[0][0] if names else None
