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
_NAMED = re.compile(r"\bmark\.(\w+)")
_OF_ALL = re.compile(r"^pytestmark = (.*)", re.MULTILINE)


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
