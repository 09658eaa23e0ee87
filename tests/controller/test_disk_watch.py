"""A disk that is nearly full rings once, days before the books cannot be written, and is taken back when there is room again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.disk_watch import BYTES, LITTLE_ROOM, SHARE, SOURCE, DiskWatch, Room, room_of
from tests.stations.line import Life

GB = 1_000_000_000


async def inline(work: Any, *args: Any) -> Any:
    return work(*args)


@pytest.mark.parametrize(
    "total, free, is_little",
    [(16 * GB, 2 * GB, False), (16 * GB, 1 * GB, True), (4000 * GB, 21 * GB, False), (4000 * GB, 19 * GB, True)],
)
def test_a_tenth_of_a_small_disk_and_20_gb_of_a_large_one_are_little(total: int, free: int, is_little: bool) -> None:
    assert Room(total=total, free=free).is_little is is_little


@given(st.integers(1, 10**15), st.floats(0, 1))
def test_an_empty_disk_is_never_too_full_and_a_full_one_always(total: int, share: float) -> None:
    assert not Room(total=total, free=total).is_little
    assert Room(total=total, free=0).is_little
    free = int(total * share)
    if Room(total=total, free=free).is_little:
        assert free < total * SHARE and free < BYTES


async def test_little_room_rings_once_and_more_room_takes_it_back(life: Life, tmp_path: Path) -> None:
    free = [1 * GB, 1 * GB, 9 * GB]
    watch = DiskWatch(tmp_path, life.store.desk, inline, lambda _folder: Room(total=20 * GB, free=free.pop(0)))
    for _ in range(2):
        await watch.look()
        (row,) = await life.store.desk.standing_alarms()
        assert (row["code"], row["source"], row["count"]) == (LITTLE_ROOM, SOURCE, 1)
        assert row["fault"]["seen"] == "1.0 GB free of 20"
    await watch.look()
    assert await life.store.desk.standing_alarms() == []


def test_the_room_of_this_disk_is_known(tmp_path: Path) -> None:
    room = room_of(tmp_path)
    assert 0 < room.free <= room.total
