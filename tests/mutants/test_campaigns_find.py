"""Faults planted in the controller that a campaign in virtual time must find by itself, and shrink to next to nothing.

What it found is stored in tests/controller/sim/stored; `make test` plays those files, on the tree as it is and with the fault.
The search itself is long: `make crash` does it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from controller.commands.sim.scenario import load_scenario
from tests.mutants.planting import ROOT, copy_tree, plant, table

pytestmark = [pytest.mark.crash, pytest.mark.timeout(0)]

ORDERS, MOST_FAULTS = 1, 2
STORED = Path(__file__).parents[1] / "controller" / "sim" / "stored"
PLANTED = sorted(path.stem for path in STORED.glob("*.toml"))


def campaign(tree: Path, seeds: int, *words: str) -> tuple[int, dict[str, Any]]:
    """Play `seeds` shifts of the tree; gives the exit code and what was said."""
    played = ["sim", "qa", "--seeds", f"0:{seeds}", "--orders", str(ORDERS), "--jobs", "2", "--json", *words]
    done = subprocess.run(
        [sys.executable, "-m", "controller", *played], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def asked(request: pytest.FixtureRequest, option: str) -> int:
    """Give the number that was asked for; skips the test where none was."""
    number = int(request.config.getoption(option))
    return number or pytest.skip("only `make crash` looks so long")


def test_every_stored_shift_has_its_planted_fault() -> None:
    assert PLANTED
    assert set(PLANTED) <= set(table())


@pytest.mark.parametrize("name", PLANTED)
def test_a_campaign_finds_a_planted_fault_and_shrinks_it(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seeds = asked(request, "--campaign-seeds")
    tree = copy_tree(tmp_path / "tree")
    plant(table()[name], tree)
    code, said = campaign(tree, seeds, "--first", "--shrink", "--out", str(tmp_path / "found"))
    assert code == 1
    scenario = load_scenario(Path(said["kept"][0]))
    print(f"\n{name}: seed {said['failed'][0]}, {len(scenario.faults)} faults, {scenario.broken[0]}")
    assert len(scenario.faults) <= MOST_FAULTS


def test_the_controller_as_it_is_passes_a_campaign(request: pytest.FixtureRequest) -> None:
    shifts = asked(request, "--shifts")
    code, said = campaign(ROOT, shifts)
    print(f"\n{shifts} shifts, {said['faults']} faults, {said['deaths']} deaths: {said['broken'] or 'nothing broken'}")
    assert code == 0, said["failed"]
