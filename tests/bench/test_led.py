"""What the clients of machines cost on the virtual loop, beside state machines over the same rules that SimPy steps."""

import json
import subprocess
import sys
from collections.abc import Callable
from statistics import median

import pytest

from tests.bench.gauge import Figure

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
PARCELS = 300
ROUNDS = 3


def led(way: str) -> dict[str, float | str]:
    """Give what one way says of itself, in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.led_line", way, str(PARCELS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_line_is_led_by_asyncio_and_by_state_machines_in_simpy(tell: Tell) -> None:
    ways = ("asyncio", "simpy")
    taken: dict[str, list[float]] = {way: [] for way in ways}
    hashes = set()
    for turn in range(ROUNDS):
        for way in ways if turn % 2 else reversed(ways):
            said = led(way)
            taken[way].append(1000 * float(said["busy_s"]) / PARCELS)
            hashes.add(said["hash"])
    assert len(hashes) == 1  # every motion at the same microsecond
    tell(
        Figure(
            figure=f"a parcel's 11 jobs at 4 machines in virtual time, without books, processor time, {PARCELS} parcels",
            ours=median(taken["asyncio"]),
            peer=median(taken["simpy"]),
            peer_name="state machines in SimPy over the same rules, machines and polls: the same motions",
            unit="ms/parcel",
        )
    )
