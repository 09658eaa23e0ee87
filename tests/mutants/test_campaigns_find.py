"""Faults planted in the controller that a campaign in virtual time must find by itself, and shrink to next to nothing.

What it found is stored in tests/controller/sim/stored; `make test` plays those files, on the tree as it is and with the fault.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from controller.commands.sim.scenario import load_scenario
from tests.mutants.planting import copy_tree, plant, table

pytestmark = [pytest.mark.crash, pytest.mark.timeout(0)]

SEEDS, ORDERS, MOST_FAULTS = 200, 1, 2
STORED = Path(__file__).parents[1] / "controller" / "sim" / "stored"
PLANTED = sorted(path.stem for path in STORED.glob("*.toml"))


def test_enough_faults_are_planted_for_campaigns() -> None:
    assert len(PLANTED) >= 8
    assert set(PLANTED) <= set(table())


@pytest.mark.parametrize("name", PLANTED)
def test_a_campaign_finds_a_planted_fault_and_shrinks_it(name: str, tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    plant(table()[name], tree)
    words = ["sim", "qa", "--seeds", f"0:{SEEDS}", "--orders", str(ORDERS), "--first", "--shrink", "--json"]
    command = [sys.executable, "-m", "controller", *words, "--out", str(tmp_path / "found")]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    scenario = load_scenario(Path(said["kept"][0]))
    print(f"\n{name}: seed {said['failed'][0]}, {len(scenario.faults)} faults, {scenario.broken[0]}")
    assert len(scenario.faults) <= MOST_FAULTS
