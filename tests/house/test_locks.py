"""The locks name every library exactly, and no place to fetch it from."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["build", "run", "test", "postgres", "dask"]
EXTRAS = ["postgres", "dask"]
ADDRESS = re.compile(
    r"://|\bfile:|(^|\s)(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b|(?<!\w)/\w"
)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_holds_an_address(name):
    # A comment may name one of our own .in files, which no address pattern matches.
    assert [line for line in read(f"{name}.txt") if ADDRESS.search(line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_library_of_a_lock_is_exact_and_hashed(name):
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in read(f"{name}.txt") if not line.strip().startswith("#")))

    assert entries
    assert [entry for entry in entries if not re.match(r"[\w.-]+==\S+.*\n\s+--hash=sha256:[0-9a-f]{64}", entry)] == []


def test_the_lock_of_the_foreign_javascript_holds_checksums_and_no_address():
    text = (ROOT / "tests" / "peers" / "package-lock.json").read_text(encoding="utf-8")
    libraries = [part for name, part in json.loads(text)["packages"].items() if name]

    assert libraries
    assert all(re.match(r"sha512-[\w+/]+=*$", part["integrity"]) and part["version"] for part in libraries)
    assert '"resolved"' not in text
    assert "://" not in text


def test_the_wheel_asks_for_what_the_lock_was_made_from():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = sorted(line for line in read("run.in") if line and not line.startswith("#"))

    assert sorted(project["project"]["dependencies"]) == asked


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_asks_for_what_its_lock_was_made_from(extra):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [line for line in read(f"{extra}.in") if line and not line.startswith("#")]

    assert project["project"]["optional-dependencies"][extra] == asked


def test_all_locks_agree():
    pins = [set(pins_of(name)) for name in LOCKS]
    names = {name for lock in pins for name, _ in lock}

    assert len(names) == len(set().union(*pins))


def test_only_the_headless_opencv_is_installed():
    names = {name for lock in LOCKS for name, _ in pins_of(lock)}

    assert {name for name in names if name.startswith("opencv")} == {"opencv-python-headless"}


def pins_of(name: str) -> list[tuple[str, str]]:
    return re.findall(r"^([\w.-]+)==([^\s;]+)", "\n".join(read(f"{name}.txt")), flags=re.MULTILINE)


def read(name: str) -> list[str]:
    return (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
