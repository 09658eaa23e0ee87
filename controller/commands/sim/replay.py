"""`packline sim replay`: a recorded journal against this release, and where the two part."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from controller.commands import numbers
from controller.commands.sim.note import shift_in
from controller.commands.sim.shift.playing import play
from controller.replay.again import difference
from controller.replay.lockstep import Divergence, Report, compare
from controller.replay.moment import Terms
from controller.replay.opening import note_of, recording
from controller.site import Site
from controller.site_file import load_site
from controller.sites import find_site
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.store.codec import plain
from packline.store.recorded import Recorded

MOST_SHOWN = 200
ENDING = ".jsonl"
COMPARED = """\
What is compared, row by row, until the first that is another (exit code 1):
  chain       numbers without gaps, and every row's hash: a changed, dropped or inserted row is told
  lifecycle   orders, units, parcels and labels, played from the first row by this release's tables
  messages    the raw messages of hosts and couriers, taken once more by this release's intake; the events it writes
  decisions   release, routing and lanes, label numbers and label content, what was due when machine work began,
              proofs, approvals, deadlines, ends of orders
  evidence    what the effects ledger lets follow what; nothing that may happen once is begun twice
  questions   what people may choose about a fault, and what they chose, by this release's exception policy
  tracking    what hosts and buyers were told, from the outbox
and at the end the rows of orders, units and parcels with those that the journal gives.
With the note run.json of `packline sim run --data` beside the books the whole run is played again, row against row.
What machines, scanners, cameras and people did is taken as recorded: whether a machine told the truth is not asked, nor
whether a picture shows what was read in it. Times are compared only in a whole run, and as deadlines. The numbers of a
site (limits, deadlines, stations, lanes) need the site file; what is missing in an export is not compared, and said."""


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.epilog = COMPARED
    options.add_argument("journal", type=Path, help="data folder of a run, its packline.db, or an export (.jsonl)")
    options.add_argument(
        "--against-site", type=Path, metavar="FILE", help="hold it against the rules of this site file"
    )
    options.add_argument(
        "--lockstep", action="store_true", help="do not play the whole run again, where that is possible"
    )
    options.add_argument(
        "--export", type=Path, metavar="FILE", help="only write the recording as JSON lines, to be sent"
    )
    options.add_argument("--json", action="store_true", help="last line of standard output: the report as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Replay; 0 only if nothing diverged."""
    logging.disable(logging.CRITICAL)  # a whole run meets the faults of the recorded one again
    out = sys.stderr if chosen.json else sys.stdout
    with recording(chosen.journal) as recorded:
        if chosen.export:
            return _export(recorded, chosen, out)
        _demand_rows(recorded, chosen.journal)
        note = note_of(chosen.journal)
        site, about = _site(chosen, note)
        report = compare(recorded, Terms(site=site), Progress(out, recorded.count("journal")).tell)
        if site is None:
            report.notes.append("no site file was named: limits, deadlines, stations and lanes were not compared")
        if report.divergence is None and note is not None and not chosen.lockstep and chosen.against_site is None:
            _again(recorded, note, report, out)
    said = as_json(report, about)
    _show(report, about, out)
    if chosen.json:
        print(json.dumps(said, ensure_ascii=False), flush=True)
    return 1 if report.divergence else 0


def _export(recorded: Recorded, chosen: argparse.Namespace, out: TextIO) -> int:
    """Write the recording; it gets its name when it is whole. Raises Fault 4201 for a name that no export has."""
    target: Path = chosen.export
    if target.suffix != ENDING or target.is_dir():
        seen = "a folder" if target.is_dir() else target.name
        remedy = f"Name a file such as run{ENDING}."
        raise Fault(
            4201, where=f"--export {target}", seen=seen, expected=f"a name that ends in {ENDING}", remedy=remedy
        )
    part = target.with_name(f"{target.name}.part")
    rows = recorded.export(part)
    part.replace(target)
    print(f"{numbers.counted(rows, 'row')} written to {target}", file=out)
    if chosen.json:
        print(json.dumps({"ok": True, "rows": rows, "export": str(target)}), flush=True)
    return 0


def _demand_rows(recorded: Recorded, journal: Path) -> None:
    """Raise Fault 4201 where there is nothing to compare: that would look like nothing that differs."""
    if not recorded.count("journal"):
        remedy = "Record a run that comes further."
        raise Fault(4201, where=str(journal), seen="a journal without rows", expected="at least one", remedy=remedy)


def _site(chosen: argparse.Namespace, note: Mapping[str, Any] | None) -> tuple[Site | None, str]:
    """Give the site to hold it against, and say which."""
    if chosen.against_site is not None:
        return load_site(find_site(chosen.against_site)), str(chosen.against_site)
    if note is None:
        return None, ""
    with tempfile.TemporaryDirectory(prefix="packline-replay-") as folder:
        return shift_in(note, Path(folder)).site, f"the site of the run ({Path(note['site_file']).name})"


def _again(recorded: Recorded, note: Mapping[str, Any], report: Report, out: TextIO) -> None:
    """Run the whole again, and compare row by row."""
    print(f"playing the whole run again: seed {note['seed']}, {note['orders']} orders", file=out, flush=True)
    with tempfile.TemporaryDirectory(prefix="packline-replay-") as name:
        folder = Path(name)
        play(shift_in(note, folder))
        with recording(folder) as again:
            same, report.divergence = difference(recorded, again)
    report.compared["rows of the whole run"] = same


class Progress:
    """Shows how far it is."""

    def __init__(self, out: TextIO, rows: int) -> None:
        self._out, self._rows, self._began = out, rows, WallClock().monotonic()

    def tell(self, row: int) -> None:
        """Take the number of a row."""
        if not self._out.isatty():
            return
        end = "\n" if row == self._rows else "\r"
        seconds = WallClock().monotonic() - self._began
        print(f"{row}/{self._rows} rows  {seconds:.0f} s".ljust(60), end=end, file=self._out, flush=True)


# -- what is said --------------------------------------------------------------------------------------------------------


def as_json(report: Report, site: str) -> dict[str, Any]:
    """Give the report, JSON-ready."""
    found = (
        plain({name: _ready(value) for name, value in asdict(report.divergence).items()}) if report.divergence else None
    )
    return {
        "ok": found is None,
        "rows": report.rows,
        "compared": dict(report.compared),
        "site": site,
        "notes": report.notes,
        "divergence": found,
    }


def _ready(value: Any) -> Any:
    return (
        [dict(row) for row in value]
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, Mapping)
        else value
    )


def _show(report: Report, site: str, out: TextIO) -> None:
    for text in report.notes:
        print(f"note: {text}", file=out)
    compared = ", ".join(f"{name} {n}" for name, n in report.compared.items() if n)
    print(f"{report.rows} rows, against {site or 'no site'}; compared: {compared}", file=out)
    if report.divergence is None:
        print("this release would have done the same", file=out)
        return
    for line in picture(report.divergence):
        print(line, file=out)


def picture(found: Divergence) -> list[str]:
    """Give the place of a divergence in lines: the rows around it, what was recorded, what this release would have done."""
    rows = (
        [("  ", row) for row in found.before]
        + ([("> ", found.row)] if found.row else [])
        + [("  ", r) for r in found.after]
    )
    where = f"row {found.seq}" if found.seq else found.subject
    return [
        f"DIVERGES at {where}: {found.rule}",
        *(f"{mark}{_line(row)}" for mark, row in rows),
        f"  recorded: {found.seen}",
        f"  expected: {found.expected}",
    ]


def _line(row: Mapping[str, Any]) -> str:
    data = json.dumps(plain(row["data"]), ensure_ascii=False)[:MOST_SHOWN]
    return f"{row['seq']:>8}  {row['at']:%H:%M:%S.%f}  {row['kind']:18} {row['subject']}  {row['station']} {row['actor']}  {data}"
