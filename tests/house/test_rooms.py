"""The rooms on disk, in the wheel and in the import rules are the same rooms."""

import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"plc", "stations", "labeling", "scanning", "simulation", "web", "packline", "controller"}
BESIDE = {"tests", "docs", "sites", "requirements"}
# pydantic is everywhere; cryptography checks signatures and certificates wherever those arrive.
SHARED_LIBRARIES = {"pydantic", "cryptography"}
PURE_ROOMS = ["packline.core", "packline.orders", "packline.market"]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*sorted(ROOMS), include_external_packages=True, cache_dir=None)


def test_rooms_on_disk_are_the_rooms_of_the_wheel_and_of_the_import_rules(project):
    on_disk = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()}
    wheel = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    linter = set(project["tool"]["importlinter"]["root_packages"])

    assert on_disk == wheel == linter == ROOMS


def test_no_room_stands_beside_the_plan(project):
    folders = {
        folder.name
        for folder in ROOT.iterdir()
        if folder.is_dir() and not folder.name.startswith((".", "__")) and any(folder.rglob("*.py"))
    }

    assert folders - ROOMS - BESIDE - {"dist", "build", "var"} == set()


def test_no_room_hides_a_module_of_the_standard_library():
    assert not ROOMS & sys.stdlib_module_names


def test_every_folder_with_code_is_a_package():
    """A forgotten __init__.py would take a folder out of sight of the import rules."""
    loose = {
        str(file.parent.relative_to(ROOT))
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        if not (file.parent / "__init__.py").exists() and "migrations" not in file.parts
    }

    assert loose == set()


def test_every_library_has_a_home(project, imports):
    """A library that no import rule names would be free to spread."""
    ruled = {
        library
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "forbidden"
        for library in contract["forbidden_modules"]
    }

    assert libraries_used_by("", imports) - ruled - SHARED_LIBRARIES == set()


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_pure_rooms_use_the_standard_library_and_pydantic_only(room, imports):
    assert libraries_used_by(room, imports) <= {"pydantic"}


def libraries_used_by(room: str, imports: grimp.ImportGraph) -> set[str]:
    own = {module for module in imports.modules if module.split(".")[0] in ROOMS and module.startswith(room)}
    used = {imported.split(".")[0] for module in own for imported in imports.find_modules_directly_imported_by(module)}
    return used - ROOMS - sys.stdlib_module_names
