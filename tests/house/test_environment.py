"""What the rooms take from outside is written down: environment variables, and never a thing of the tests or the truth channel."""

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file takes from outside: variables (None: its name is no literal), packages; which attributes and texts it has."""

    where: str
    variables: set[str | None] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)


def sources(*rooms: str) -> list[Facts]:
    return [facts for room in rooms for facts in read(room)]


@cache
def read(room: str) -> list[Facts]:
    files = sorted((ROOT / room).rglob("*.py"))
    return [facts_of(str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))) for path in files]


def test_every_variable_that_is_read_is_in_the_reference_and_every_one_there_is_read():
    files = sources(*ROOMS)
    taken = {name for facts in files for name in facts.variables if name is not None}

    assert "PACKLINE_DATA" in taken
    assert taken <= {name for name, _ in ENVIRONMENT} | OF_THE_SUPERVISOR
    assert {name for name, _ in ENVIRONMENT} <= taken
    assert {facts.where for facts in files if None in facts.variables} == NAMED_ELSEWHERE


def test_no_room_imports_the_tests():
    assert [facts.where for facts in sources(*ROOMS) if "tests" in facts.packages] == []


def test_only_the_verbs_of_the_plant_use_the_address_of_the_truth_channel_and_name_a_path_of_it():
    """The site file is checked for a double address, too; whatever runs the line has no way to the plant's truth."""
    paths = re.compile(r"/(truth|faults?|mend|hands)\b")
    others = [facts for facts in sources(*ROOMS) if not facts.where.startswith(("simulation/", BESIDE_THE_PLANT))]

    assert {facts.where for facts in others if "truth" in facts.attributes} == OPEN_THE_TRUTH | CHECK_ITS_ADDRESS
    assert {facts.where for facts in others if any(paths.match(text) for text in facts.texts)} <= OPEN_THE_TRUTH


def facts_of(where: str, tree: ast.Module) -> Facts:
    """Read a file's facts in one walk."""
    facts = Facts(where)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="get" | "pop", value=of), args=[name, *_]) if is_environment(of):
                facts.variables.add(literal(name))
            case ast.Subscript(value=of, slice=name, ctx=ast.Load()) if is_environment(of):
                facts.variables.add(literal(name))
            case ast.Attribute(attr="getenv" | "environb"):
                facts.variables.add(None)
            case ast.Attribute(attr=name):
                facts.attributes.add(name)
            case ast.Constant(value=str() as text):
                facts.texts.append(text)
            case ast.Import(names=names):
                facts.packages.update(alias.name.split(".")[0] for alias in names)
            case ast.ImportFrom(module=str() as module, level=0):
                facts.packages.add(module.split(".")[0])
    return facts


def is_environment(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ" and getattr(node.value, "id", "") == "os"


def literal(node: ast.expr) -> str | None:
    return str(node.value) if isinstance(node, ast.Constant) else None
