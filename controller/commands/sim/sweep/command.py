"""`packline sim sweep`: a file with other values, times seeds; what is done is kept, and a killed sweep goes on."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from controller.commands import numbers
from controller.commands.sim import INTERRUPTED
from controller.commands.sim.qa import seeds
from controller.commands.sim.sweep.figures import is_figure, meant, names_of
from controller.commands.sim.sweep.grid import Point, Work, points, setting, shard, works
from controller.commands.sim.sweep.results import Results, reasons, summary
from controller.commands.sim.sweep.runs import LOCAL, in_processes, on_cluster
from packline.core.clock import WallClock
from packline.core.faults import Fault
from simulation.report.words import number

OUT = Path("sweep")
OF_SHIFT = ("throughput_per_h", "cycle_p50_s", "cycle_p95_s", "wip", "orders_closed", "exceptions")
OF_MODEL = ("throughput", "wip", "flow", "flow_p95")
BETWEEN_S = 2.0
ON = "give the same command again: it goes on"


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "file", type=Path, nargs="?", help="scenario or site file, or a file with a [model] (default: the demo shift)"
    )
    options.add_argument(
        "--set",
        type=setting,
        action="append",
        default=[],
        metavar="PLACE=A,B",
        help="values that are tried at a place of the file, such as shift.speed=10,20; may be repeated: all with all",
    )
    options.add_argument("--seeds", type=seeds, default=range(5), metavar="A:B", help="seeds A to B - 1 (default 0:5)")
    options.add_argument("--jobs", type=numbers.jobs, default=1, metavar="N", help="processes at once (default 1)")
    options.add_argument(
        "--shard", type=shard, default=(1, 1), metavar="i/n", help="play each n-th run only, from the i-th (1 to n) on"
    )
    options.add_argument(
        "--dask", metavar="ADDRESS", help=f"play on a Dask cluster: its scheduler's address, or {LOCAL} (extra dask)"
    )
    options.add_argument("--figure", action="append", metavar="NAME", help="a figure for the table; may be repeated")
    options.add_argument(
        "--out", type=Path, default=OUT, metavar="DIR", help=f"where results are kept (default: {OUT})"
    )
    options.add_argument("--json", action="store_true", help="last line of standard output: the summary as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Play what is not done yet; 0 when every run that is done was well, 1 when one was not: shards see what others have done."""
    grid = points(chosen.file, chosen.set)
    every = works(grid, chosen.seeds, chosen.shard)
    results = Results(chosen.out, chosen.shard)
    todo = [work for work in every if work.key not in results.rows]
    columns = _columns(grid[0], chosen.figure)
    print(
        f"{numbers.counted(len(every), 'run')}, {len(every) - len(todo)} of them done before",
        file=sys.stderr,
        flush=True,
    )
    is_interrupted = _play(results, todo, chosen)
    found = summary(grid, chosen.seeds, results.rows)
    out = sys.stderr if chosen.json else sys.stdout
    print(*_table(found, columns), sep="\n", file=out)
    if is_interrupted:
        done = sum(work.key in results.rows for work in every)
        print(f"interrupted, {done} of {len(every)} done; {ON}", file=sys.stderr, flush=True)
    is_well = not is_interrupted and all(row["well"] == row["seeds"] for row in found)
    if chosen.json:
        left = len(grid) * len(chosen.seeds) - sum(row["seeds"] for row in found)
        played = sum(work.key in results.rows for work in todo)
        said = {"ok": is_well, "out": str(chosen.out), "played": played, "left": left, "points": found}
        print(json.dumps({**said, "interrupted": True} if is_interrupted else said), flush=True)
    return INTERRUPTED if is_interrupted else 0 if is_well else 1


def _play(results: Results, todo: Sequence[Work], chosen: argparse.Namespace) -> bool:
    """Play what is to be done, and keep each result as it comes; gives whether somebody interrupted it."""
    try:
        for row in _told(results.add(_played(todo, chosen)), len(todo)):
            for what in reasons(row)[:1]:
                print(f"{_corner(row['set'])} seed {row['seed']}: {what}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        return True
    return False


def _played(todo: Sequence[Work], chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if chosen.dask is not None:
        return on_cluster(todo, chosen.dask, chosen.jobs)
    return in_processes(todo, chosen.jobs)


def _told(rows: Iterable[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """Say every other second how far it is."""
    clock = WallClock()
    began_s = said_s = clock.monotonic()
    for n, row in enumerate(rows, 1):
        now_s = clock.monotonic()
        if now_s - said_s >= BETWEEN_S or n == count:
            said_s, left_s = now_s, (now_s - began_s) / n * (count - n)
            print(
                f"{n} of {numbers.counted(count, 'run')}, {now_s - began_s:.0f} s, about {left_s:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
        yield row


def _columns(corner: Point, asked: Sequence[str] | None) -> list[str]:
    """Give the figures of the table; raises Fault 4201 for one that no run has, before any is played."""
    known = names_of(corner)
    for name in asked or ():
        if not is_figure(name, known):
            expected = f"one of {', '.join(sorted(known))}"
            raise Fault(4201, where="--figure", seen=name, expected=expected, remedy=meant(name, known))
    return list(asked or (OF_MODEL if corner.is_model else OF_SHIFT))


def _table(found: Sequence[dict[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    heads = ["set", "seeds", "well", *columns]
    rows = [
        [
            _corner(row["set"]),
            str(row["seeds"]),
            str(row["well"]),
            *(_cell(row["figures"].get(name)) for name in columns),
        ]
        for row in found
    ]
    wide = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    for row in (heads, *rows):
        cells = (cell.rjust(width) for cell, width in zip(row[1:], wide[1:], strict=True))
        yield "  ".join([row[0].ljust(wide[0]), *cells]).rstrip()
    for point in found:
        if cause := point["cause"]:
            yield f"{_corner(point['set'])} seed {cause['seed']}: {cause['what']}"


def _cell(pair: dict[str, float | None] | None) -> str:
    if pair is None or pair["estimate"] is None:
        return "?"
    said = number(pair["estimate"])
    return f"{said} ±{number(pair['half'])}" if pair["half"] is not None and math.isfinite(pair["half"]) else said


def _corner(settings: dict[str, Any]) -> str:
    return " ".join(f"{place}={value}" for place, value in settings.items()) or "as it is"
