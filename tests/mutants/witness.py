"""A pytest plugin that writes down what became of each test, and which files were really imported."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

PROFILE = "mutants"
"""The same examples every time, and no search for a smaller one: the first red is enough."""
OURS = frozenset({"plc", "stations", "labeling", "scanning", "simulation", "web", "packline", "controller", "tests"})

settings.register_profile(
    PROFILE, max_examples=200, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
_ends: dict[str, str] = {}
_errors: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--witness", type=Path, required=True, help="where to write what was seen")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    report = (yield).get_result()
    if call.excinfo is not None:
        _errors[item.nodeid] = call.excinfo.typename
    if report.when == "call" or report.outcome == "failed":
        _ends[item.nodeid] = report.outcome if report.when == "call" else f"{report.when} {report.outcome}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in OURS]
    files = sorted({str(module.__file__) for module in modules if getattr(module, "__file__", None)})
    seen = {"ends": _ends, "errors": _errors, "files": files}
    session.config.getoption("--witness").write_text(json.dumps(seen), "utf-8")
