"""`packline sim validate`: textbook cases run on the twin's blocks: estimate, interval, theory, and who says so."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

from controller.commands import numbers
from packline.core.faults import Fault
from simulation.model.report import number
from simulation.validation.case import Between
from simulation.validation.cases import cases
from simulation.validation.suite import Checked, Finding, check_all, exact, most_outside

LONG = 10.0
WIDE = 44


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("--seed", type=numbers.seed, default=1, help="what the random numbers come from (default 1)")
    options.add_argument("--long", action="store_true", help=f"runs {LONG:g} times as long: narrow intervals")
    options.add_argument("--only", default="", metavar="WORD", help="only cases with this word in their name")
    options.add_argument("--json", action="store_true", help="last line of standard output: the findings as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Run the cases; 0 when every value is believable, and not too many lie outside of their intervals."""
    out = sys.stderr if chosen.json else sys.stdout
    among = [case for case in cases() if chosen.only.lower() in case.name.lower()]
    if not among:
        expected = f"a part of the name of a case: {'; '.join(case.name for case in cases())}"
        raise Fault(
            4201, where="--only", seen=chosen.only, expected=expected, remedy="Type a part of one of these names."
        )
    done = check_all(scale=LONG if chosen.long else 1.0, seed=chosen.seed, tell=_tell, among=among)
    _tell("")
    print(*_lines(done), sep="\n", file=out)
    verdict = judged(done)
    print(
        f"\n{verdict['cases']} cases, {verdict['values']} values: {verdict['wrong']} wrong; of {verdict['random']} with "
        f"chance in them {verdict['outside']} outside of their 95 % interval "
        f"({verdict['expected_outside']:.1f} expected, at most {verdict['most_outside']})",
        file=out,
    )
    if chosen.json:
        print(
            json.dumps({"seed": chosen.seed, **verdict, "findings": [_as_json(c, f) for c in done for f in c.findings]})
        )
    return 0 if verdict["ok"] else 1


def judged(done: list[Checked]) -> dict[str, Any]:
    """Count what is wrong, and what lies outside of its interval."""
    findings = [finding for checked in done for finding in checked.findings]
    random = [finding for finding in findings if not exact(finding)]
    outside = sum(not finding.is_inside for finding in random)
    wrong = sum(not checked.is_right for checked in done)
    most = most_outside(len(random))
    return {
        "ok": wrong == 0 and outside <= most,
        "cases": len(done),
        "values": len(findings),
        "wrong": wrong,
        "random": len(random),
        "outside": outside,
        "expected_outside": 0.05 * len(random),
        "most_outside": most,
    }


def _lines(done: list[Checked]) -> Iterator[str]:
    yield f"{'case':{WIDE}}  {'figure':22}  {'estimate':>9}  {'half':>8}  {'theory':>13}  {'':7}  source"
    for checked in done:
        for n, finding in enumerate(checked.findings):
            name = finding.case if n == 0 else ""
            name = name if len(name) <= WIDE else f"{name[: WIDE - 3]}..."
            word = "" if finding.is_inside else "outside" if finding.is_believable else "WRONG"
            estimate, half = number(finding.interval.estimate), number(finding.interval.half)
            source = finding.source if n == 0 else ""
            yield (
                f"{name:{WIDE}}  {finding.figure:22}  {estimate:>9}  {half:>8}  {_theory(finding):>13}  {word:7}  {source}"
            ).rstrip()


def _theory(finding: Finding) -> str:
    truth = finding.truth
    return f"{number(truth.low)}..{number(truth.high)}" if isinstance(truth, Between) else number(truth)


def _as_json(checked: Checked, finding: Finding) -> dict[str, Any]:
    truth = finding.truth
    return {
        "case": finding.case,
        "source": finding.source,
        "figure": finding.figure,
        "estimate": finding.interval.estimate,
        "half": finding.interval.half,
        "theory": [truth.low, truth.high] if isinstance(truth, Between) else truth,
        "inside": finding.is_inside,
        "believable": finding.is_believable,
        "little_residual": None if math.isnan(checked.little) else checked.little,
    }


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<78}", end="" if text else "\r", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)
