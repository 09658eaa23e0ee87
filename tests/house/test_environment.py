"""What the rooms take from outside is written down: environment variables, and never a thing of the tests or the truth channel."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from controller.reference.command_line import ENVIRONMENT

ROOT = Path(__file__).parents[2]
ROOMS = ("plc", "stations", "labeling", "scanning", "simulation", "web", "packline", "controller")
OF_THE_SUPERVISOR = {"PACKLINE_SUPERVISED"}
"""Set by `up` and `demo` for their own children; nobody else sets it."""
NAMED_ELSEWHERE = {"controller/site.py", "labeling/drivers/escpos.py"}
"""Read variables whose names are no literals: those that a site file names, and those of a library during its import."""
OPEN_THE_TRUTH = {"controller/commands/twin/__init__.py", "controller/commands/twin/plant.py"}
CHECK_ITS_ADDRESS = {"controller/site_file.py"}
BESIDE_THE_PLANT = "controller/commands/sim/"
"""These have the plant in their own hands, or serve it; the controller that they run has no way to its truth."""


def sources(*rooms: str) -> list[tuple[str, ast.Module]]:
    return [source for room in rooms for source in parsed(room)]


@cache
def parsed(room: str) -> list[tuple[str, ast.Module]]:
    files = sorted((ROOT / room).rglob("*.py"))
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))) for path in files]


def test_every_variable_that_is_read_is_in_the_reference():
    read = {name for _, tree in sources(*ROOMS) for name in variables(tree) if name is not None}

    assert "PACKLINE_DATA" in read
    assert read <= {name for name, _ in ENVIRONMENT} | OF_THE_SUPERVISOR


def test_every_variable_of_the_reference_is_read():
    read = {name for _, tree in sources(*ROOMS) for name in variables(tree)}

    assert {name for name, _ in ENVIRONMENT} <= read


def test_no_other_place_reads_variables_by_names_that_are_no_literals():
    assert {where for where, tree in sources(*ROOMS) if None in variables(tree)} == NAMED_ELSEWHERE


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_the_tests(room):
    assert [where for where, tree in sources(room) if "tests" in imported(tree)] == []


def test_only_the_verbs_of_the_plant_use_the_address_of_the_truth_channel():
    """The site file is checked for a double address, too; whatever runs the line has no way to the plant's truth."""
    rooms = [room for room in ROOMS if room != "simulation"]
    users = {where for where, tree in sources(*rooms) if uses_attribute(tree, "truth")}

    assert {where for where in users if not where.startswith(BESIDE_THE_PLANT)} == OPEN_THE_TRUTH | CHECK_ITS_ADDRESS


def test_only_the_verbs_of_the_plant_name_a_path_of_the_truth_channel():
    paths = re.compile(r"/(truth|faults?|mend|hands)\b")
    rooms = [room for room in ROOMS if room != "simulation"]
    named = {where for where, tree in sources(*rooms) if any(paths.match(text) for text in texts(tree))}

    assert {where for where in named if not where.startswith(BESIDE_THE_PLANT)} <= OPEN_THE_TRUTH


def variables(tree: ast.Module) -> set[str | None]:
    """Give the environment variables that are read; None for one whose name is no literal."""
    found: set[str | None] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="get" | "pop", value=of), args=[name, *_]) if is_environment(of):
                found.add(literal(name))
            case ast.Subscript(value=of, slice=name, ctx=ast.Load()) if is_environment(of):
                found.add(literal(name))
            case ast.Attribute(attr="getenv" | "environb"):
                found.add(None)
    return found


def is_environment(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ" and getattr(node.value, "id", "") == "os"


def literal(node: ast.expr) -> str | None:
    return str(node.value) if isinstance(node, ast.Constant) else None


def imported(tree: ast.Module) -> set[str]:
    """Give the top-level packages that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).split(".")[0])
    return found


def uses_attribute(tree: ast.Module, name: str) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(tree))


def texts(tree: ast.Module) -> list[str]:
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
