"""What a parcel of a shift costs in virtual time through the real controller and its books, beside the limits of such a thing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import pytest

from tests.bench.gauge import Figure

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
ORDERS = int(os.environ.get("PACKLINE_BENCH_ORDERS", "200"))
"""As many as are played; a day is that day's parcels times what one of these cost, and is called so."""
DAY_PARCELS = 50_000
PEERS = {
    "bare": "a bare SimPy state machine of the same line",
    "timeouts": "SimPy timeouts, as many as that line has events",
    "heap": "a loop over heapq written by hand, with as many events",
}


WHERE = {"memory": "in memory, processor time", "disk": "on disk, wall time"}


@cache
def taken(way: str, count: int) -> dict[str, float]:
    """Give seconds, parcels and megabytes of one way in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.shift_run", way, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


def ms_a_parcel(said: dict[str, float], books: str) -> float:
    """Give processor time, or the time on the wall where a disk is waited for: one thread does all."""
    return 1000 * said["seconds" if books == "disk" else "busy_s"] / said["parcels"]


@pytest.mark.parametrize("books", ["memory", "disk"])
def test_a_parcel_of_a_shift_in_virtual_time(tell: Tell, books: str) -> None:
    ours = taken(books, ORDERS)
    assert ours["parcels"] > 0.9 * ORDERS
    for way, name in PEERS.items():
        peer = taken(way, DAY_PARCELS)
        told = f"shift: a parcel in virtual time, books {WHERE[books]}, {ORDERS} orders"
        tell(
            Figure(
                figure=told,
                ours=ms_a_parcel(ours, books),
                peer=ms_a_parcel(peer, books),
                peer_name=name,
                unit="ms/parcel",
            )
        )


@pytest.mark.parametrize("books", ["memory", "disk"])
def test_a_day_of_a_shift_as_it_would_be(tell: Tell, books: str) -> None:
    ours, peer = taken(books, ORDERS), taken("bare", DAY_PARCELS)
    day = f"shift: a day of {DAY_PARCELS} parcels, books {WHERE[books]}, extrapolated from {ORDERS} orders"
    ours_s, peer_s = (ms_a_parcel(said, books) * DAY_PARCELS / 1000 for said in (ours, peer))
    tell(Figure(figure=day, ours=ours_s, peer=peer_s, peer_name=f"{PEERS['bare']}, run in full", unit="s"))


def test_the_memory_of_a_shift(tell: Tell) -> None:
    few, many, bare = taken("memory", ORDERS // 4), taken("disk", ORDERS), taken("bare", DAY_PARCELS)
    tell(
        Figure(
            figure=f"shift: most memory of the process, books on disk, {ORDERS} orders",
            ours=many["most_mb"],
            peer=bare["most_mb"],
            peer_name=f"{PEERS['bare']}, {DAY_PARCELS} parcels",
            unit="MB",
        )
    )
    again = taken("disk", ORDERS // 4)
    grown = (many["most_mb"] - again["most_mb"]) / (many["parcels"] - again["parcels"])
    in_memory = (taken("memory", ORDERS)["most_mb"] - few["most_mb"]) / (ORDERS - ORDERS // 4)
    tell(
        Figure(
            figure=f"shift: memory that a parcel leaves behind, {ORDERS // 4} to {ORDERS} orders, books on disk",
            ours=1024 * max(grown, 0.0),
            peer=1024 * max(in_memory, 1e-6),
            peer_name="the same with the books in memory",
            unit="kB/parcel",
        )
    )
