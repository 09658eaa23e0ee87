"""`packline sim model`: a line or a queue from a scenario file with a `[model]`, run so often that intervals are known."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from controller.commands import numbers
from controller.commands.sim.telling import demand_model
from controller.sites import find_site
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.files import FileFaults, near
from simulation.model.burden import burdens
from simulation.model.checking_exits import traps
from simulation.model.model_file import Model
from simulation.model.reading import load_model
from simulation.model.report import chosen, compared, comparison, is_hopeless, said, tables, wanted
from simulation.model.running import Outcome, Run, run_model

FILE = Path("sites/model-line.toml")
BETWEEN_S = 2.0


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "file", type=Path, nargs="?", default=FILE, help=f"scenario file with a [model] (default: {FILE})"
    )
    options.add_argument("--seed", type=int, help="what the random numbers come from (default: the file's)")
    options.add_argument(
        "--replications", type=numbers.runs, metavar="N", help="independent runs (default: the file's)"
    )
    options.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="a second file, run with the same random numbers: differences, pair by pair",
    )
    options.add_argument(
        "--figure",
        action="append",
        default=[],
        metavar="PATTERN",
        help="also show the figures of this name, `*` for anything, as often as you like: 'desk.at.*', desk.delayed_share",
    )
    options.add_argument("--check", action="store_true", help="only say what is wrong in the file")
    options.add_argument("--json", action="store_true", help="last line of standard output: the figures as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the model of the file; 0 when it ran."""
    if options.check:
        return _check(options)
    return run_file(
        options.file,
        seed=options.seed,
        replications=options.replications,
        against=options.against,
        as_json=options.json,
        figures=options.figure,
    )


def _check(options: argparse.Namespace) -> int:
    files = [file for file in (options.file, options.against) if file is not None]
    models = _loaded([find_site(file) for file in files])
    print(f"{options.file}: no mistakes", file=sys.stderr if options.json else sys.stdout)
    warnings = [
        f"{file}: {text}"
        for file, model in zip(files, models, strict=True)
        for text in (*traps(model), *burdens(model, options.replications))
    ]
    for text in warnings:
        print(f"warning: {text}", file=sys.stderr)
    if options.json:
        print(json.dumps({"ok": True, "file": str(options.file), "warnings": warnings}))
    return 0


def run_file(
    path: Path,
    *,
    seed: int | None = None,
    replications: int | None = None,
    against: Path | None = None,
    as_json: bool = False,
    figures: Sequence[str] = (),
) -> int:
    """Run a file, and a second one against it; tables for people, or one JSON object as the last line.

    Raises FileFaults for files that are wrong.
    """
    out = sys.stderr if as_json else sys.stdout
    files = [path] if against is None else [path, against]
    models = _loaded([find_site(file) for file in files])
    for file, model in zip(files, models, strict=True):
        _check_pairs(model, file, replications)
    _check_alike(models, files)
    if against is not None:
        # one pair needs the other: as many runs of both, from the same seed
        seed = models[0].seed if seed is None else seed
        replications = models[0].replications if replications is None else replications
    outcomes: list[Outcome] = []
    for model in models:
        is_last = len(outcomes) == len(models) - 1
        look = partial(_look, outcomes, figures) if is_last else None  # a figure may be one of the second model only
        outcomes.append(_ran(model, seed, replications, look))
    for outcome in outcomes:
        print(*tables(outcome), sep="\n", end="\n\n", file=out)
        if figures:
            print(*wanted(outcome, figures), sep="\n", end="\n\n", file=out)
    if against is not None:
        print(*comparison(outcomes[0], outcomes[1], figures), sep="\n", file=out)
    if as_json:
        print(json.dumps(_object(files, outcomes)), flush=True)
    _check_figures(outcomes, figures)
    return 0


def _look(before: Sequence[Outcome], figures: Sequence[str], first: Run) -> None:
    """Refuse patterns that no figure can have after one run, not after all."""
    names = {*first.figures, *(name for outcome in before for name in outcome.names())}
    _demand_none([pattern for pattern in figures if is_hopeless(pattern, names)], names)


def _check_figures(outcomes: list[Outcome], figures: Sequence[str]) -> None:
    """Say which patterns no figure has, such as one of a class that did not come; what was run is shown before."""
    names = {name for outcome in outcomes for name in outcome.names()}
    wrong = [pattern for pattern in figures if not any(chosen(outcome, [pattern]) for outcome in outcomes)]
    _demand_none(wrong, names)


def _demand_none(wrong: Sequence[str], names: set[str]) -> None:
    if wrong:
        expected = "a figure, as docs/reference/model-file.md names them, such as flow_p95 or BLOCK.wait"
        raise FileFaults(
            [Fault(4201, where="--figure", seen=one, expected=expected, remedy=near(one, names)) for one in wrong]
        )


def _loaded(paths: list[Path]) -> list[Model]:
    """Read every file before any is run, and say the mistakes of all."""
    found, faults = [], []
    for path in paths:
        try:
            demand_model(path)
            found.append(load_model(path))
        except Fault as wrong:
            faults.append(wrong)
        except FileFaults as wrong:
            faults += wrong.faults
    if faults:
        raise FileFaults(faults)
    return found


def _check_pairs(model: Model, file: Path, replications: int | None) -> None:
    if model.antithetic and (replications or model.replications) % 2:
        raise Fault(
            4201,
            where=f"{file} --replications",
            seen=str(replications),
            expected="an even number: antithetic runs are pairs",
        )


def _check_alike(models: Sequence[Model], files: Sequence[Path]) -> None:
    """Raise Fault 4201 where one is mirrored and the other is not: then no run has the random numbers of its pair."""
    if len({model.antithetic for model in models}) > 1:
        first, second = (str(model.antithetic).lower() for model in models)
        expected = f"as in {files[0]}: {first}"
        raise Fault(4201, where=f"{files[1]} [model.antithetic]", seen=second, expected=expected)


def _ran(model: Model, seed: int | None, replications: int | None, look: Callable[[Run], None] | None) -> Outcome:
    teller = _teller()
    try:
        return run_model(model, seed=seed, replications=replications, tell=teller, look=look)
    finally:
        teller("")


def _object(files: list[Path], outcomes: list[Outcome]) -> dict[str, Any]:
    found = {"file": str(files[0]), **said(outcomes[0])}
    if len(outcomes) > 1:
        found["against"] = {"file": str(files[1]), **said(outcomes[1])}
        found["differences"] = compared(*outcomes)
    return found


def _teller() -> Callable[[str], None]:
    """Show how far it is: on a terminal one line that changes, elsewhere a line every other second."""
    is_terminal = sys.stderr.isatty()
    clock = WallClock()
    said_s = [clock.monotonic()]

    def tell(text: str) -> None:
        if is_terminal:
            print(f"\r{text:<60}", end="" if text else "\r", file=sys.stderr, flush=True)
        elif text and clock.monotonic() - said_s[0] >= BETWEEN_S:
            said_s[0] = clock.monotonic()
            print(text, file=sys.stderr, flush=True)

    return tell
