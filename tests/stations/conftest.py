"""Empty books once a session, and a rig over a copy of them for every test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import open_store
from tests.stations.line import ITEMS, Life, Rig, fresh_books


@pytest.fixture(scope="session")
def empty_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "books.db"
    store = open_store(f"sqlite:///{path}", clock=ManualClock(), ids=SeededIds("empty"), inline=True)
    store.items.put_now(ITEMS)
    store.close()
    return path


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder in memory where there is one: every commit is synced, and these tests make thousands."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


@pytest.fixture
def rig(empty_books: Path, folder: Path) -> Iterator[Rig]:
    made = Rig(fresh_books(empty_books, folder))
    yield made
    made.close()


@pytest.fixture
def life(rig: Rig) -> Life:
    return rig.live()
