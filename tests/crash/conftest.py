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
