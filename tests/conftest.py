"""What every test shares: the Hypothesis profiles (choose one with HYPOTHESIS_PROFILE=ci|dev|deep), and which files are read."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.parts import MARKS, marks_of, may_match, turn_of

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=50,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=54, help="how many processes the crash tests kill (make crash N=...)")
    parser.addoption(
        "--campaign-seeds",
        type=int,
        default=0,
        help="seeds in which a campaign looks for a planted fault (make crash SEEDS=...)",
    )
    parser.addoption(
        "--shifts", type=int, default=0, help="seeds that the controller must pass as it is (make crash SHIFTS=...)"
    )
    parser.addoption(
        "--model-runs",
        type=int,
        default=500,
        help="random runs of the protocol beyond the suite's (make crash RUNS=...)",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files whose tests `-m` deselects all."""
    expression = config.getoption("markexpr")
    if not expression or not collection_path.match("test_*.py"):
        return None
    return None if may_match(collection_path, expression) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin what takes long first. A mark that a file does not name itself would leave its test out of every part."""
    turns = {path: turn_of(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: turns[item.path])
    for item in items:
        carried = MARKS.intersection(mark.name for mark in item.iter_markers())
        of_all, of_some = marks_of(item.path)
        if not of_all <= carried <= of_all | of_some:
            raise pytest.UsageError(
                f"{item.nodeid} carries {sorted(carried)}, and its file says otherwise: tests/parts.py"
            )


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """Give a PostgreSQL server (`tests.servers.Server`); tests that ask for one are skipped where none is named."""
    from tests.servers import NONE_NAMED, Server, named

    if not named():
        pytest.skip(NONE_NAMED)
    made = Server(named())
    yield made
    made.close()
