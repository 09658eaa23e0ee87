"""Tests that can fail: each rule's fault, planted once in a copied tree, turns the tests that guard it red."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.planting import HERE, Mutant, copy_tree, plant, table
from tests.mutants.running import Runner, Seen, why_not_green, why_not_red

pytestmark = [pytest.mark.mutants, pytest.mark.timeout(0)]

AT_ONCE = 2
MUTANTS = table()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nursery:
    """All runs, begun together, two at a time: the tests as they are, and those of each mutant."""

    control: Future[Seen]
    runs: dict[str, Future[str]]


@pytest.fixture(scope="module")
def nursery(request: pytest.FixtureRequest) -> Iterator[Nursery]:
    """Begin the runs of every mutant that was asked for, those that start whole halls first."""
    asked = [MUTANTS[name] for item in request.session.items if (name := name_of(item))]
    slow_first = sorted(asked, key=lambda mutant: mutant.quick == mutant.red)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        origin = copy_tree(Path(folder) / "origin")
        quick = sorted({test for mutant in asked for test in mutant.quick})
        pool, runner = ThreadPoolExecutor(AT_ONCE), Runner(AT_ONCE)
        try:
            runs = {mutant.name: pool.submit(try_out, mutant, origin, runner) for mutant in slow_first}
            yield Nursery(control=pool.submit(runner.run, copied(origin, "control"), quick), runs=runs)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.stop()
            pool.shutdown()


def try_out(mutant: Mutant, origin: Path, runner: Runner) -> str:
    """Plant a mutant in a copy of its own and run its tests; says why they prove nothing, "" when they saw it."""
    tree = copied(origin, mutant.name)
    try:
        planted = plant(mutant, tree)
        return why_not_red(runner.run(tree, mutant.red), mutant.red, planted)
    finally:
        shutil.rmtree(tree)


def copied(origin: Path, name: str) -> Path:
    """Copy the tree by links: a copy of its own is made of what a patch changes only."""
    return Path(shutil.copytree(origin, origin.parent / name, copy_function=os.link))


def name_of(item: Any) -> str:
    """Give the mutant that a test of this module is about; "" for any other test."""
    return item.callspec.params["name"] if "nursery" in getattr(item, "fixturenames", ()) else ""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_fault_turns_its_tests_red(name: str, nursery: Nursery) -> None:
    assert not (why := nursery.runs[name].result()), (
        f"{name} survived, so nothing guards this: {MUTANTS[name].breaks}\n{why}"
    )
    assert not (why := why_not_green(nursery.control.result(), MUTANTS[name].quick)), why


def test_every_patch_is_in_the_table_and_says_its_rule() -> None:
    assert {patch.stem for patch in HERE.glob("*.patch")} == set(MUTANTS)
    assert all(mutant.breaks.endswith(".") and mutant.red for mutant in MUTANTS.values())
