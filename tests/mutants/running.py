"""Runs tests in copied trees, each in a process of its own, and reads what became of them."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.witness import PROFILE

WARM = Path(__file__).with_name("warm.py")
MOST_S = 400.0
"""A mutant that only stands still is not red."""
FAILED = 1
"""pytest's exit code when tests ran and some failed; anything above means that they did not run."""
NO_PROOF = frozenset(
    {
        "ImportError",
        "ModuleNotFoundError",
        "NameError",
        "SyntaxError",
        "UnboundLocalError",
        "NotInTime",
        "BrokenPipeError",
    }
)
"""Ends of a badly written mutant, or of a hall that stood still: such a test has not seen the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one run of tests said. `ends` is node id -> passed | failed | skipped | setup failed | teardown failed."""

    code: int
    ends: Mapping[str, str]
    errors: Mapping[str, str]
    strays: Collection[str]
    """Files of ours that were imported from anywhere but the copy."""
    files: frozenset[str]
    said: str

    def of(self, wanted: str) -> dict[str, str]:
        """Give how the test `wanted` ended; a node id without [parameters] gives each of them."""
        return {node: end for node, end in self.ends.items() if node == wanted or node.startswith(f"{wanted}[")}


class Runner:
    """Runs pytest in copied trees, as many at once as it has warm ones; `stop` ends everything."""

    def __init__(self, at_once: int) -> None:
        self._idle: queue.Queue[WarmPytest] = queue.Queue()
        self._all = [WarmPytest() for _ in range(at_once)]
        for warm in self._all:
            self._idle.put(warm)

    def run(self, tree: Path, tests: Sequence[str]) -> Seen:
        """Run `tests` (node ids) in `tree` with the packages of `tree`."""
        said, log = tree / "witness.json", tree / "pytest.log"
        words = ["-q", "--tb=short", "--timeout=45", f"--basetemp={tree / 'tmp'}", "-p", "no:cacheprovider"]
        words += ["-p", "tests.mutants.witness", f"--witness={said}", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        warm = self._idle.get()
        try:
            code = warm.run({"tree": str(tree), "words": [*words, *tests], "log": str(log)})
        finally:
            self._idle.put(warm)
        text = log.read_text("utf-8", "replace") if log.exists() else ""
        assert said.exists(), f"pytest did not come to its end (exit {code}):\n{text}"
        return _read(said, tree, code, text)

    def stop(self) -> None:
        """Kill what runs."""
        for warm in self._all:
            warm.stop()


class WarmPytest:
    """One process of `warm.py`; does one run after the other."""

    def __init__(self) -> None:
        env = {**os.environ, "HYPOTHESIS_PROFILE": PROFILE, "OPENBLAS_NUM_THREADS": "1"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WARM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )

    def run(self, order: Mapping[str, object]) -> int:
        """Give pytest's exit code; -9 when it stood still for too long."""
        pipes = self._process.stdin, self._process.stdout
        assert pipes[0] is not None
        assert pipes[1] is not None
        guard = threading.Timer(MOST_S, self._process.kill)
        guard.start()
        try:
            pipes[0].write(json.dumps(order) + "\n")
            pipes[0].flush()
            answer = pipes[1].readline()
        except BrokenPipeError:
            answer = ""
        finally:
            guard.cancel()
        return int(json.loads(answer)["code"]) if answer else -signal.SIGKILL

    def stop(self) -> None:
        """Kill it with what it runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


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
    if not seen.files & set(planted):
        return f"the tests imported none of {planted}"
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
