"""The wheel holds all that a line needs and runs from another folder."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ["plc", "stations", "labeling", "scanning", "simulation", "web", "packline", "controller"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(target.glob("packline-*.whl"))


def test_the_wheel_holds_every_file_of_every_room(wheel):
    """Git says which files are ours; what it does not know (caches, a run's database) stays out."""
    kept = subprocess.run(["git", "ls-files", "--", *ROOMS], cwd=ROOT, check=True, capture_output=True, text=True)
    expected = {name for name in kept.stdout.splitlines() if (ROOT / name).exists()}

    assert expected - names_in(wheel) == set()


def test_the_wheel_holds_the_site_files(wheel):
    """The items that a site names lie beside it."""
    kept = subprocess.run(["git", "ls-files", "--", "sites"], cwd=ROOT, check=True, capture_output=True, text=True)
    expected = {f"controller/{name}" for name in kept.stdout.splitlines()}

    assert "controller/sites/demo-items.csv" in expected
    assert expected - names_in(wheel) == set()


def test_the_wheel_holds_no_tests_and_nothing_else(wheel):
    tops = {name.split("/")[0] for name in names_in(wheel)}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)
    assert {name for name in names_in(wheel) if name.endswith((".pyc", ".sqlite", ".db"))} == set()


def test_the_wheel_runs_from_another_folder(wheel, tmp_path):
    """Unpacked far from the checkout, the rooms that are imported are the wheel's own."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    say_where = "import importlib, sys; print(*(importlib.import_module(room).__file__ for room in sys.argv[1:]))"
    command = [sys.executable, "-c", say_where, *ROOMS]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "unpacked")}
    said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)

    assert [str(tmp_path / "unpacked" / room / "__init__.py") for room in ROOMS] == said.stdout.split()


def test_the_books_of_the_installed_demo_site_lie_outside_the_package(wheel, tmp_path):
    """Who types `packline up sites/demo.toml` far from a checkout writes nothing where pip installs."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    say_where = (
        "from pathlib import Path; from controller.site_file import load_site; from controller.sites import find_site; "
        "from controller.starting import data_of; path = find_site(Path('sites/demo.toml')); "
        "print(path, data_of(load_site(path), path))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PACKLINE_DATA"}
    environment |= {"PYTHONPATH": str(tmp_path / "unpacked"), "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-c", say_where]
    said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)

    assert said.stdout.split() == [
        str(tmp_path / "unpacked" / "controller" / "sites" / "demo.toml"),
        str(tmp_path / "state" / "packline" / "demo"),
    ]


def test_the_installed_command_finds_the_demo_site_in_order(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "unpacked")}
    command = [sys.executable, "-m", "controller", "check", "sites/demo.toml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "sites/demo.toml: in order\n")


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())
