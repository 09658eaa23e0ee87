"""Plants one fault at a time in a copy of the tree and wants to see red; a safety rule that no test holds is no rule.

A patch begins with what it breaks and with `red:` lines, the tests that must fail on it. They must pass on a copy without it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.mutants, pytest.mark.timeout(0)]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COPIED = (
    "controller",
    "labeling",
    "packline",
    "plc",
    "pyproject.toml",
    "scanning",
    "simulation",
    "sites",
    "stations",
    "tests",
    "web",
)
PATCHES = sorted(HERE.glob("*.patch"))
AT_ONCE = 2
MOST_S = 150
"""A mutant whose tests take longer is a failure: it is not red, it only stands still."""
BY_THE_CRASH_HARNESS = {
    "effect_before_intent",
    "outbox_outside_the_transaction",
    "confirm_without_evidence",
    "blind_retry",
    "stale_picture",
}
RED = 1
"""pytest's exit code for tests that failed; others say that none ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the named tests in one copy."""

    applied: str
    code: int
    said: str

    def failed(self, test: str) -> bool:
        """Tell whether `test` (all of its cases) was run and failed at least once."""
        return any(line.startswith(f"FAILED {test}") for line in self.said.splitlines())


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """Give what becomes of every mutant that was asked for, the slow ones first, and of a copy without any."""
    folder = tmp_path_factory.mktemp("mutants")
    asked = {item.callspec.params["patch"] for item in request.session.items if hasattr(item, "callspec")}
    quick = sorted({test for patch in PATCHES if patch.stem not in BY_THE_CRASH_HARNESS for test in reds(patch)})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ordered = sorted(asked, key=lambda patch: patch.stem not in BY_THE_CRASH_HARNESS)
        running = {patch.stem: pool.submit(run, folder / patch.stem, reds(patch), patch) for patch in ordered}
        running["clean"] = pool.submit(run, folder / "clean", quick, None)
        yield running
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_mutant_is_seen(patch: Path, outcomes: dict[str, Future[Outcome]]):
    outcome = outcomes[patch.stem].result()

    assert not outcome.applied, f"{patch.name} does not apply any more: {outcome.applied}"
    assert outcome.code == RED, f"exit code {outcome.code}, nothing red:\n{outcome.said[-3000:]}"
    assert [test for test in reds(patch) if not outcome.failed(test)] == [], outcome.said[-3000:]


def test_without_a_mutant_the_same_tests_are_green(outcomes: dict[str, Future[Outcome]]):
    """The crash harness's own test is green in this very part of the suite: it carries the same mark."""
    outcome = outcomes["clean"].result()

    assert outcome.code == 0, outcome.said[-3000:]


def test_every_mutant_says_what_it_breaks_and_who_sees_it():
    texts = {patch: patch.read_text("utf-8") for patch in PATCHES}

    assert [patch.name for patch, text in texts.items() if not text.splitlines()[0].endswith(".")] == []
    assert [patch.name for patch in PATCHES if not reds(patch)] == []
    assert {patch.stem for patch in PATCHES} >= BY_THE_CRASH_HARNESS
    assert all("tests/crash/" in reds(HERE / f"{name}.patch")[0] for name in BY_THE_CRASH_HARNESS)


def reds(patch: Path) -> list[str]:
    """Give the tests that a patch names."""
    return re.findall(r"^red: (\S+)$", patch.read_text("utf-8"), flags=re.MULTILINE)


def run(folder: Path, tests: list[str], patch: Path | None) -> Outcome:
    """Copy the tree to `folder`, plant `patch` there and run `tests`."""
    copy_tree(folder)
    if patch is not None and (refusal := plant(folder, patch)):
        return Outcome(applied=refusal, code=0, said="")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-rf", "--tb=short", "-p", "no:cacheprovider", *tests]
    if patch is None:
        command.remove("-x")
    env = {**os.environ, "PYTHONPATH": str(folder), "HYPOTHESIS_PROFILE": "ci", "CI": "1"}
    env.pop("PYTEST_CURRENT_TEST", None)
    command.append(f"--basetemp={folder}.tmp")
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=MOST_S)
    except subprocess.TimeoutExpired as slow:
        said = slow.stdout.decode("utf-8", "replace") if isinstance(slow.stdout, bytes) else str(slow.stdout)
        return Outcome(applied="", code=-1, said=f"no verdict within {MOST_S} s\n{said}")
    shutil.rmtree(folder)
    return Outcome(applied="", code=done.returncode, said=done.stdout + done.stderr)


def copy_tree(folder: Path) -> None:
    """Copy what is imported and tested; byte code comes along and holds for all that is not patched."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("mutants"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)


def plant(folder: Path, patch: Path) -> str:
    """Apply `patch` in `folder`; gives why that failed, "" if it did not."""
    done = subprocess.run(
        ["git", "apply", "-p1", "--unidiff-zero", str(patch)],
        cwd=folder,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        text=True,
    )
    return done.stderr if done.returncode else ""
