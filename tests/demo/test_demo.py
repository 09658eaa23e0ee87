"""The main job by one command, judged by the plant's truth and the receiver."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from packline.core.figures import NEVER_IN_A_RUN

pytestmark = [pytest.mark.demo, pytest.mark.timeout(0)]

ORDERS = 4
NAMED = (
    "orders",
    "orders_over",
    "parcels_shipped",
    "labels_printed",
    "labels_applied",
    *NEVER_IN_A_RUN,
    "events_delivered",
    "exceptions",
    "seconds",
)


def test_demo_ends_by_itself_and_all_is_well() -> None:
    words = [sys.executable, "-m", "controller", "demo", "--orders", str(ORDERS), "--exit", "--json"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(words, capture_output=True, text=True, env=env, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr[-2000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert set(NAMED) <= set(summary)
    assert summary["orders"] == summary["orders_over"] == ORDERS
    assert {name: summary[name] for name in NEVER_IN_A_RUN} == dict.fromkeys(NEVER_IN_A_RUN, 0)
    assert summary["labels_applied"] >= summary["parcels_shipped"] > 0
    assert summary["events_delivered"] > 0


@pytest.mark.parametrize("words", [["--orders", "0"], ["--orders", "-3"], ["--speed", "0"], ["--orders", "many"]])
def test_demo_refuses_nonsense_before_anything_starts(words: list[str]) -> None:
    command = [sys.executable, "-m", "controller", "demo", "--exit", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert words[0] in done.stderr
