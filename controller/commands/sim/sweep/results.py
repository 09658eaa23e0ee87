"""The results of a sweep: lines of JSON that are only ever added to, so that a killed sweep goes on where it was."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from controller.commands.folders import make_folder
from controller.commands.sim.sweep.grid import Point
from packline.core.faults import Fault
from simulation.model.running import absent
from simulation.statistics.intervals import Interval, over_replications

Row = dict[str, Any]
Key = tuple[str, int]
NAME = "results"
NO_REASON = (
    "not well, and its line does not say why: it was kept before lines said so, and is played again in another folder"
)


def file_of(folder: Path, part: tuple[int, int]) -> Path:
    """Give the file that a shard writes: each its own, as several may run at once."""
    return folder / (f"{NAME}.jsonl" if part[1] == 1 else f"{NAME}-{part[0]}-of-{part[1]}.jsonl")


class Results:
    """What is known of a folder's runs. `add` writes one more line; a line that a kill cut short is cut off."""

    def __init__(self, folder: Path, part: tuple[int, int]) -> None:
        make_folder(folder)
        self._file = file_of(folder, part)
        _mend(self._file)
        self.rows: dict[Key, Row] = {}
        for path in sorted(folder.glob(f"{NAME}*.jsonl")):
            self.rows |= {(row["scenario"], row["seed"]): row for row in _rows(path)}

    def add(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Write each row as it comes, and hand it on."""
        with self._file.open("a", encoding="utf-8") as file:
            for row in rows:
                known = {**row, "figures": {name: _known(value) for name, value in row["figures"].items()}}
                file.write(json.dumps(known, sort_keys=True, ensure_ascii=False) + "\n")
                file.flush()
                self.rows[known["scenario"], known["seed"]] = known
                yield known


def summary(points: Sequence[Point], seeds: range, rows: Mapping[Key, Row]) -> list[Row]:
    """Give for each corner of the grid its figures over the seeds that are done, with their intervals."""
    return [
        _summary(point, [rows[point.scenario, seed] for seed in seeds if (point.scenario, seed) in rows])
        for point in points
    ]


def _summary(point: Point, rows: Sequence[Row]) -> Row:
    names = dict.fromkeys(name for row in rows for name in row["figures"])
    return {
        "set": dict(point.settings),
        "scenario": point.scenario,
        "seeds": len(rows),
        "well": sum(row["well"] for row in rows),
        "cause": next(map(_cause, (row for row in rows if not row["well"])), None),
        "figures": {name: _pair(over_replications([_number(row, name) for row in rows])) for name in names},
    }


def reasons(row: Row) -> list[str]:
    """Give why a run is not well: what was broken, then what was expected and missed."""
    return [*row.get("broken", ()), *row.get("missed", ())]


def _cause(row: Row) -> Row:
    return {"seed": row["seed"], "what": next(iter(reasons(row)), NO_REASON)}


def _mend(file: Path) -> None:
    """Cut off what comes after the last whole line."""
    if not file.exists():
        return
    data = file.read_bytes()
    if data and not data.endswith(b"\n"):
        with file.open("r+b") as torn:
            torn.truncate(data.rfind(b"\n") + 1)


def _rows(path: Path) -> Iterator[Row]:
    lines = path.read_text("utf-8").split("\n")
    for number, line in enumerate(lines[:-1], 1):  # what another shard has not ended yet stands after the last
        try:
            row = json.loads(line)
            is_row = (
                isinstance(row["scenario"], str) and isinstance(row["seed"], int) and isinstance(row["figures"], dict)
            )
        except (ValueError, KeyError, TypeError):
            is_row = False
        if not is_row:
            remedy = "Take the line out, or give another folder with --out."
            raise Fault(4201, where=f"{path} line {number}", seen=line[:80], expected="a result", remedy=remedy)
        yield row


def _number(row: Row, name: str) -> float:
    """Give a figure of a run; one that fell over has none at all, and says nothing of what did not happen."""
    figures = row["figures"]
    if name not in figures:
        return absent(name) if figures else math.nan
    return math.nan if figures[name] is None else float(figures[name])


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _pair(found: Interval) -> dict[str, float | None]:
    return {"estimate": _known(found.estimate), "half": _known(found.half)}
