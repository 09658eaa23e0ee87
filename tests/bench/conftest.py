"""What the figures share: where they are told, and empty books on the disk."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from packline.core.clock import WallClock
from packline.core.ids import SystemIds
from packline.store import Store, open_store
from tests.bench.bare import Bare
from tests.bench.gauge import Figure


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[Figure], None]]:
    """Print a figure on a line of its own; what libraries print meanwhile is dropped."""

    def say(figure: Figure) -> None:
        with capsys.disabled():
            print(f"\n{figure.line()}", flush=True)

    yield say
    capsys.readouterr()


@pytest.fixture(scope="session")
def empty_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database with the schema, once; the figures copy it."""
    path = tmp_path_factory.mktemp("bench") / "books.db"
    open_store(f"sqlite:///{path}", clock=WallClock(), ids=SystemIds()).close()
    return path


@pytest.fixture
def store(empty_books: Path, tmp_path: Path) -> Iterator[Store]:
    """Give our books as in a running plant: writer thread, full synchronisation, on the disk."""
    path = shutil.copy(empty_books, tmp_path / "ours.db")
    opened = open_store(f"sqlite:///{path}", clock=WallClock(), ids=SystemIds())
    yield opened
    opened.close()


@pytest.fixture
def bare(empty_books: Path, tmp_path: Path) -> Iterator[Bare]:
    """Give the peer's: the same schema in another file on the same disk, through the same SQLite library."""
    opened = Bare(Path(shutil.copy(empty_books, tmp_path / "bare.db")))
    yield opened
    opened.close()
