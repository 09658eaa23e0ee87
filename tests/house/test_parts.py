"""Every part of the suite has tests, so that a forgotten mark never passes for success."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.parts import LONG, MARKS, may_match

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def marks() -> list[str]:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    return [line.partition(":")[0] for line in options["markers"]]


@pytest.mark.parametrize("mark", marks())
def test_every_mark_is_carried_by_a_test(mark):
    assert any(
        re.search(rf"^\s*(?:@|pytestmark = .*)pytest\.mark\.{mark}\b", text_of(path), re.MULTILINE) for path in TESTS
    )


def test_the_parts_that_the_decision_names_are_those_that_make_runs():
    decision = (ROOT / "docs" / "decisions" / "2026-11-21-checks.md").read_text("utf-8")
    named = re.search(r"five parts:\*\*(.*?)\. Each", decision, re.DOTALL)
    line = next(line for line in text_of(ROOT / "Makefile").splitlines() if ".ci/test.sh" in line)
    parts = re.findall(r"(\w+)=\$", line)

    assert named and len(parts) == 5
    assert re.findall(r"`(\w+)`", named[1]) == [*parts, *marks_of_the_halls()]


def test_the_unit_part_leaves_out_every_mark_that_another_part_takes():
    left_out = re.search(r'^elsewhere="(.*)"$', text_of(ROOT / ".ci" / "test.sh"), re.MULTILINE)

    assert left_out and set(left_out[1].split(" or ")) | {"planted"} == set(marks())


def marks_of_the_halls() -> list[str]:
    found = re.search(r'halls\) run_pytest "\$budget_s" "([\w ]+)"', text_of(ROOT / ".ci" / "test.sh"))
    assert found
    return found[1].split(" or ")


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.mark.parametrize(
    "text, expression, is_read",
    [
        ("def test_it(): ...", "not (wire or crash)", True),
        ("def test_it(): ...", "wire", False),
        ("pytestmark = pytest.mark.wire", "wire", True),
        ("pytestmark = pytest.mark.wire", "not wire", False),
        ("@pytest.mark.wire\ndef test_it(): ...", "not wire", True),
        ("pytestmark = pytest.mark.crash\n@pytest.mark.wire\ndef test_it(): ...", "crash and not wire", True),
        ("def test_it(): ...", "asyncio", True),
    ],
)
def test_a_run_of_one_part_reads_no_file_that_has_none_of_its_tests(text, expression, is_read, tmp_path):
    file = tmp_path / "test_it.py"
    file.write_text(text, "utf-8")

    assert may_match(file, expression) is is_read


def test_marks_by_which_files_are_left_out_are_those_of_the_suite():
    assert {*MARKS, "planted"} == set(marks())


def test_files_that_are_begun_first_are_there():
    assert [name for name in LONG if not (ROOT / name).is_file()] == []
