"""What a person may choose about a fault stands in one table; nobody keeps a list of their own."""

import ast
from pathlib import Path

import pytest

from packline.orders.policy import Action

ROOT = Path(__file__).parents[2]
ROOMS = ("packline", "controller", "stations", "labeling", "plc", "scanning")
NAMES = {action.value for action in Action}


def _name(node):
    if isinstance(node, ast.Attribute) and node.attr == "value":
        node = node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Action":
        return node.attr.lower()
    return node.value if isinstance(node, ast.Constant) else None


@pytest.mark.parametrize("room", ROOMS)
def test_actions_of_an_exception_come_from_the_policy(room):
    own = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "open_exception"
        for word in call.keywords
        if word.arg == "actions" and (_is_own(word.value) or _is_own(_bound(path, word.value)))
    ]

    assert own == []


def _bound(path, value):
    """Follow a name to the list that it was bound to in the same file."""
    if not isinstance(value, ast.Name):
        return None
    bound = [
        node.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == value.id for t in node.targets)
    ]
    return next((found for found in bound if _is_own(found)), None)


def _is_own(value):
    return isinstance(value, (ast.List, ast.Tuple)) and any(_name(part) in NAMES for part in value.elts)
