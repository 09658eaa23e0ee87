"""Which files a run with `-m` need not read: to import all tests takes longer than many a part's own tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

from _pytest.mark.expression import Expression

MARKS = frozenset({"wire", "browser", "crash", "demo", "mutants", "bench"})
"""The marks that divide the suite; a file names those of its tests in its own text."""
LONG = (
    "tests/crash/test_campaign.py",
    "tests/mutants/test_mutants.py",
    "tests/line/test_running_line.py",
    "tests/crash/test_restore.py",
    "tests/demo/test_demo.py",
    "tests/line/test_two_terminals.py",
    "tests/plc/test_wire_chaos.py",
    "tests/docs/test_tutorial_new_machine.py",
    "tests/controller/sim/test_shift.py",
    "tests/browser/test_fit.py",
    "tests/controller/sim/test_seeds.py",
    "tests/plc/test_protocol_model.py",
)
"""Files that are begun first, the longest before the others: a part that ends with one of them ends with an idle core."""
_NAMED = re.compile(r"\bmark\.(\w+)")
_OF_ALL = re.compile(r"^pytestmark = (.*)", re.MULTILINE)


def turn_of(path: Path) -> int:
    """Give the turn of a file's tests among all; the usual order stays where it is the same."""
    return next((turn for turn, long in enumerate(LONG) if path.match(long)), len(LONG))


def may_match(path: Path, expression: str) -> bool:
    """Tell whether a test of the file at `path` may satisfy the `-m` expression; with other marks than ours any may."""
    wanted = Expression.compile(expression)
    if not wanted.idents() <= MARKS:
        return True
    return any(wanted.evaluate(_Of(carried)) for carried in _carried(path))


class _Of:
    """Marks of a test, in the way that an expression asks for them."""

    def __init__(self, carried: frozenset[str]) -> None:
        self._carried = carried

    def __call__(self, name: str, /, **_: object) -> bool:
        return name in self._carried


def _carried(path: Path) -> Iterator[frozenset[str]]:
    of_all, of_some = marks_of(path)
    for number in range(len(of_some) + 1):
        for more in combinations(sorted(of_some), number):
            yield of_all.union(more)


@cache
def marks_of(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Give the marks that every test of a file carries, and those that some may."""
    text = path.read_text("utf-8")
    whole = _OF_ALL.search(text)
    of_all = MARKS.intersection(_NAMED.findall(whole[1]) if whole else ())
    return of_all, MARKS.intersection(_NAMED.findall(text)) - of_all
