"""A package's door hands out what it says: no module of the package takes the place of a name that came through it.

Importing a module binds its name in its package, over whatever the package had imported under that name before.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("controller", "labeling", "packline", "plc", "scanning", "simulation", "stations", "web")


def given(door: Path) -> set[str]:
    """Name what a package imports by name, but for its modules themselves and what a module of that very name gave."""
    lines = [one for one in ast.walk(ast.parse(door.read_text("utf-8"))) if isinstance(one, ast.ImportFrom)]
    found = {(one.asname or one.name, line.module or "") for line in lines for one in line.names}
    package = ".".join(door.parent.relative_to(ROOT).parts) if door.is_relative_to(ROOT) else ""
    return {name for name, module in found if module not in (package, f"{package}.{name}")}


def modules(package: Path) -> set[str]:
    found = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/__init__.py")}
    return found - {"__init__"}


def clashes(door: Path) -> set[str]:
    return given(door) & modules(door.parent)


def test_no_module_takes_the_place_of_a_name_that_its_package_hands_out():
    doors = [door for room in ROOMS for door in (ROOT / room).rglob("__init__.py")]

    assert len(doors) > len(ROOMS)
    assert {str(door.relative_to(ROOT)): found for door in doors if (found := clashes(door))} == {}


def test_such_a_module_is_found(tmp_path):
    (tmp_path / "__init__.py").write_text("from here.journal import head\n")
    (tmp_path / "head.py").write_text("")

    assert clashes(tmp_path / "__init__.py") == {"head"}
