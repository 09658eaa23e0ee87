"""A copy of the books is made each day, also where the controller is off at night; what keeps it from that rings until it is made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.backups import FAILED, KEPT, Backups
from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.store import Store, open_store

MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOUR_S = 3600.0


async def inline(work: Any, *args: Any) -> Any:
    return work(*args)


class Desk:
    """Notes which alarms stand."""

    def __init__(self) -> None:
        self.standing: dict[tuple[int, str], Fault] = {}

    async def raise_alarm(self, fault: Fault, *, source: str) -> None:
        self.standing[fault.code, source] = fault

    async def clear_alarm(self, code: int, *, source: str) -> None:
        self.standing.pop((code, source), None)

    async def standing_alarms(self) -> list[Any]:
        return list(self.standing)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MORNING)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'packline.db'}"
    books = open_store(url, clock=clock, ids=SeededIds("copies"), inline=True)
    yield books
    books.close()


def backups(store: Store, desk: Desk, clock: ManualClock, folder: Path) -> Backups:
    return Backups(folder, store, desk, clock, inline)


def copies(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


async def test_a_night_in_which_the_controller_was_off_is_made_up_for_once(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    works = backups(store, Desk(), clock, folder)
    for _ in range(20):
        await works.make_up()
        clock.advance(HOUR_S)
    assert copies(folder) == ["packline-20261123T070000Z.db"]
    clock.advance(10 * HOUR_S)
    await works.make_up()
    assert copies(folder) == ["packline-20261123T070000Z.db", "packline-20261124T130000Z.db"]


async def test_a_week_of_copies_is_kept_and_nothing_that_a_person_put_there_counts_for_one(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    works = backups(store, Desk(), clock, folder)
    folder.mkdir()
    (folder / "notes.txt").touch()
    (folder / "packline-before-the-move.db").touch()
    await works.make_up()
    assert len(copies(folder)) == 3
    for _ in range(2 * KEPT):
        clock.advance(24 * HOUR_S)
        await works.make()
    kept = copies(folder)
    assert "notes.txt" in kept and "packline-before-the-move.db" in kept
    assert sum(name.startswith("packline-2026") for name in kept) == KEPT


async def test_a_copy_that_cannot_be_made_rings_until_one_is_made(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    desk, folder = Desk(), tmp_path / "backups"
    works = backups(store, desk, clock, folder)
    folder.write_text("a file where the folder should be")
    await works.make_up()
    await works.make_up()
    assert list(desk.standing) == [(FAILED, "backups")]
    folder.unlink()
    clock.advance(timedelta(hours=1).total_seconds())
    await works.make_up()
    assert not desk.standing and len(copies(folder)) == 1


async def test_books_in_memory_are_not_copied_and_nobody_is_told(clock: ManualClock, tmp_path: Path) -> None:
    books, desk = open_store("sqlite://", clock=clock, ids=SeededIds("copies")), Desk()
    await backups(books, desk, clock, tmp_path / "backups").make_up()
    assert not desk.standing and not (tmp_path / "backups").exists()
    books.close()
