"""Where campaigns work, and whether their folders are kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.campaign import spare


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a folder of its own; what went well leaves its logs, what failed leaves everything."""
    yield tmp_path
    report = getattr(request.node, "outcome_of_call", None)
    if report is not None and report.passed:
        spare(tmp_path)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.outcome_of_call = outcome.get_result()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is run for a planted fault only, unless it is asked for by name."""
    for_faults = [
        item
        for item in items
        if item.get_closest_marker("planted") and item.name.partition("[")[0] not in " ".join(config.args)
    ]
    if for_faults:
        config.hook.pytest_deselected(items=for_faults)
        items[:] = [item for item in items if item not in for_faults]
