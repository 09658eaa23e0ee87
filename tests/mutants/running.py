"""Runs tests in a copied tree, in a process of its own, and reads what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_S = 90.0
FAILED = 1
"""pytest's exit code when tests ran and some failed; anything above means that they did not run."""
NO_PROOF = frozenset({"ImportError", "ModuleNotFoundError", "NameError", "SyntaxError", "UnboundLocalError"})
"""Errors of a badly written mutant: a test that ends by one has not seen the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one run of tests said. `ends` is node id -> passed | failed | skipped | setup failed | teardown failed."""

    code: int
    ends: Mapping[str, str]
    errors: Mapping[str, str]
    strays: Collection[str]
    """Files of ours that were imported from anywhere but the copy."""
    files: Collection[str]
    said: str

    def of(self, wanted: str) -> dict[str, str]:
        """Give how the test `wanted` ended; a node id without [parameters] gives each of them."""
        return {node: end for node, end in self.ends.items() if node == wanted or node.startswith(f"{wanted}[")}


class Runner:
    """Starts pytest in copied trees; `stop` ends what still runs."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()

    def run(self, tree: Path, tests: Sequence[str]) -> Seen:
        """Run `tests` (node ids) in `tree` with the packages of `tree`."""
        said = tree / "witness.json"
        words = [sys.executable, "-m", "pytest", "-q", "--tb=short", "--timeout=45", "-p", "no:cacheprovider"]
        code, text = self._ended([*words, "-p", "tests.mutants.witness", f"--witness={said}", *tests], tree)
        assert said.exists(), f"pytest did not run (exit {code}):\n{text}"
        return _read(said, tree, code, text)

    def stop(self) -> None:
        """Kill what runs."""
        for process in list(self._running):
            process.kill()

    def _ended(self, words: Sequence[str], tree: Path) -> tuple[int, str]:
        # the same examples every time: a mutant that survives by chance is worse than one that survives
        env = {**os.environ, "PYTHONPATH": str(tree), "HYPOTHESIS_PROFILE": "ci"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        process = subprocess.Popen(
            words,
            cwd=tree,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._running.add(process)
        try:
            text, _ = process.communicate(timeout=MOST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            text, _ = process.communicate()
        finally:
            self._running.discard(process)
        return process.returncode, text


def _read(said: Path, tree: Path, code: int, text: str) -> Seen:
    seen = json.loads(said.read_text("utf-8"))
    is_inside = {file: Path(file).is_relative_to(tree) for file in seen["files"]}
    return Seen(
        code=code,
        ends=seen["ends"],
        errors=seen["errors"],
        strays=[file for file, inside in is_inside.items() if not inside],
        files=frozenset(os.path.relpath(file, tree) for file, inside in is_inside.items() if inside),
        said=text,
    )


def why_not_red(seen: Seen, tests: Sequence[str], planted: Sequence[str]) -> str:
    """Say why a run does not prove that `tests` see the fault in the files `planted`; "" when it does."""
    if seen.strays:
        return f"these came from outside the copy: {sorted(seen.strays)}"
    if unread := [name for name in planted if name.endswith(".py") and name not in seen.files]:
        return f"the tests never imported {unread}"
    if seen.code != FAILED:
        return f"pytest ended with {seen.code}:\n{seen.said}"
    for test in tests:
        ends = seen.of(test)
        red = [node for node, end in ends.items() if end == "failed" and seen.errors.get(node) not in NO_PROOF]
        if not red:
            return f"{test} did not go red ({ends or 'it did not run'}):\n{seen.said}"
    return ""


def why_not_green(seen: Seen, tests: Sequence[str]) -> str:
    """Say which of `tests` are not green in the tree as it is; "" when all are."""
    for test in tests:
        ends = seen.of(test)
        if not ends or set(ends.values()) != {"passed"}:
            return f"{test} is not green without the fault ({ends or 'there is no such test'}):\n{seen.said}"
    return ""
