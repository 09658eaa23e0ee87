"""The decision about libraries names what is really asked for."""

import re
from pathlib import Path

import pytest

from controller.commands.doctor import SYSTEM_PACKAGES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "decisions" / "2026-11-21-libraries.md").read_text("utf-8")


@pytest.mark.parametrize("lock", ["run", "build", "test", "postgres", "dask"])
def test_every_library_that_is_asked_for_is_on_the_page_of_libraries(lock):
    lines = (ROOT / "requirements" / f"{lock}.in").read_text("utf-8").splitlines()
    asked = {found[0] for line in lines if (found := re.match(r"[A-Za-z][\w.-]*", line))}

    assert asked
    assert {name for name in asked if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", PAGE)} == set()


def test_every_system_package_of_the_tests_is_on_the_page_of_libraries():
    paragraph = PAGE.split("From Debian")[1].split("\n\n")[0]

    assert {package.name for package in SYSTEM_PACKAGES if package.name not in paragraph} == set()
