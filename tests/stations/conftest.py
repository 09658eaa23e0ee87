"""Books in memory-backed files, opened once a session and wiped for every test; a rig over them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import open_store
from packline.store.engine import open_engines, sqlite_library
from tests.stations.line import ITEMS, Database, Life, Rig


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """Give one database for all: opening it and learning its statements costs more than most of these tests.

    It lies in memory where there is such a place: every commit is synced, and there are thousands.
    """
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        path = Path(folder) / "template.db"
        store = open_store(f"sqlite:///{path}", clock=ManualClock(), ids=SeededIds("empty"), inline=True)
        store.items.put_now(ITEMS)
        store.close()
        template = sqlite_library().connect(str(path))
        engines = open_engines(f"sqlite:///{Path(folder) / 'books.db'}")
        yield Database(engines, template)
        engines.dispose()
        template.close()


@pytest.fixture
def rig(database: Database) -> Iterator[Rig]:
    made = Rig(database)
    yield made
    made.close()


@pytest.fixture
def life(rig: Rig) -> Life:
    return rig.live()
