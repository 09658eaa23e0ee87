"""Finds every text that a fault may carry as "seen" and "expected", by reading the program."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("packline", "controller", "stations", "labeling", "plc", "scanning")
HOLE = "{}"
ELSEWHERE = frozenset({4002, 4003, 4201, 4202, 4301, 4303, 5102})
"""Refused at the door, found in a file, or the answer to a click: what was seen is shown on no page."""
AT_START = (
    "controller/commands",
    "controller/integrator",
    "controller/site",
    "controller/ports",
    "controller/replay",
    "packline/store/backup",
    "packline/store/migrate",
    "packline/store/version",
    "packline/store/__init__",
    "packline/store/recorded",
    "packline/store/unreadable",
    "packline/store/world",
    "packline/feeds/signing",
    "packline/core/files",
)
"""Their faults end a command, or are told to a sender; no page shows them."""
PARTS = ("seen", "expected")
RAW = "<raw>"
"""Stands for a text that Python or a library makes up."""


@dataclass(frozen=True)
class Text:
    """A text with `{}` for what changes, and where it stands."""

    where: str
    part: str
    template: str


@cache
def texts() -> tuple[Text, ...]:
    """Give them all."""
    return tuple(text for path in files() for text in File(path).texts())


def files() -> Iterator[Path]:
    """Give the files whose faults may reach a page."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not path.relative_to(ROOT).as_posix().startswith(AT_START):
                yield path


class File:
    """One file, and what its names stand for."""

    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(ROOT).as_posix()
        self.tree = ast.parse(path.read_text("utf-8"))
        self.parent = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.functions = {
            node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def texts(self) -> Iterator[Text]:
        """Give the texts of the file's faults."""
        for call in self._calls("Fault"):
            code = call.args[0] if call.args else None
            if isinstance(code, ast.Constant) and code.value in ELSEWHERE:
                continue
            for word in call.keywords:
                if word.arg in PARTS:
                    for template in dict.fromkeys(self.said(word.value, 0)):
                        yield Text(f"{self.name}:{call.lineno}", str(word.arg), template)

    def said(self, node: ast.AST | None, deep: int) -> Iterator[str]:
        """Give what an expression may say."""
        if node is None or deep > 8:
            return
        match node:
            case ast.Constant(value=str() as text):
                yield text
            case ast.JoinedStr(values=parts):
                yield from self._joined(parts, deep)
            case ast.IfExp(body=one, orelse=other):
                yield from self.said(one, deep + 1)
                yield from self.said(other, deep + 1)
            case ast.BoolOp(values=several):
                for value in several:
                    yield from self.said(value, deep + 1)
            case ast.Subscript(value=ast.JoinedStr() as inner) | ast.Subscript(value=ast.Call() as inner):
                yield from self.said(inner, deep + 1)
            case ast.Name():
                yield from self._bound(node, deep + 1)
            case ast.Call():
                yield from self._called(node, deep + 1)
            case ast.Subscript(value=ast.Name(id=name)):
                yield from self._values(name, deep + 1)

    def _joined(self, parts: list[ast.expr], deep: int) -> Iterator[str]:
        templates = [""]
        for part in parts:
            if isinstance(part, ast.Constant):
                templates = [template + str(part.value) for template in templates]
            elif isinstance(part, ast.FormattedValue):
                raw = part.conversion == ord("r") or self._is_raw(part.value)
                templates = [template + (RAW if raw else HOLE) for template in templates]
        yield from templates

    def _called(self, call: ast.Call, deep: int) -> Iterator[str]:
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if self._is_raw(call):
            yield RAW
        elif name == "get" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            yield from self._values(call.func.value.id, deep)
            yield from self.said(call.args[1] if len(call.args) > 1 else None, deep)
        elif name in self.functions:
            for node in ast.walk(self.functions[name]):
                if isinstance(node, ast.Return):
                    yield from self.said(node.value, deep)

    def _is_raw(self, node: ast.AST) -> bool:
        """Tell whether an expression is Python's own form of a value, or an error's own text."""
        name = getattr(getattr(node, "func", None), "id", "")
        if name == "repr":
            return True
        inner = node.args[0] if isinstance(node, ast.Call) and name in ("str", "getattr") and node.args else node
        if isinstance(inner, ast.Attribute) and inner.attr in ("orig", "reason", "args") and name == "str":
            inner = inner.value
        return isinstance(inner, ast.Name) and any(
            isinstance(node, ast.ExceptHandler) and node.name == inner.id and not _is_ours(node.type)
            for node in self._around(inner)
        )

    def _bound(self, name: ast.Name, deep: int) -> Iterator[str]:
        scope = next(
            (node for node in self._around(name) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)), None
        )
        for node in ast.walk(scope) if scope else ():
            if isinstance(node, ast.Assign):
                yield from self._assigned(node.targets[0], node.value, name.id, deep)
            elif (
                isinstance(node, ast.AugAssign | ast.NamedExpr | ast.AnnAssign)
                and getattr(node.target, "id", "") == name.id
            ):
                yield from self.said(node.value, deep)
            elif isinstance(node, ast.For):
                yield from self._yielded(node, name.id, deep)
        if scope is not None:
            yield from self._given(scope, name.id, deep)
        for node in self.tree.body:
            if isinstance(node, ast.Assign):
                yield from self._assigned(node.targets[0], node.value, name.id, deep)

    def _assigned(self, target: ast.AST, value: ast.AST, name: str, deep: int) -> Iterator[str]:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=True):
                yield from self._assigned(one, other, name, deep)
        elif getattr(target, "id", "") == name:
            yield from self.said(value, deep)

    def _yielded(self, loop: ast.For, name: str, deep: int) -> Iterator[str]:
        """A loop over a generator of this file: what it yields."""
        names = [getattr(part, "id", "") for part in getattr(loop.target, "elts", [loop.target])]
        called = getattr(getattr(loop.iter, "func", None), "id", "")
        if name not in names or called not in self.functions:
            return
        for node in ast.walk(self.functions[called]):
            if isinstance(node, ast.Yield):
                yield from self.said(getattr(node.value, "elts", [node.value])[names.index(name)], deep)

    def _given(self, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, deep: int) -> Iterator[str]:
        """A parameter: what the callers in this file hand in."""
        names = [arg.arg for arg in function.args.args if arg.arg != "self"]
        keywords = [arg.arg for arg in function.args.kwonlyargs]
        if name not in (*names, *keywords):
            return
        for call in self._calls(function.name):
            named = next((word.value for word in call.keywords if word.arg == name), None)
            at = names.index(name) if name in names else len(call.args)
            yield from self.said(named if named is not None else call.args[at] if at < len(call.args) else None, deep)

    def _values(self, name: str, deep: int) -> Iterator[str]:
        for node in self.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            table = getattr(node, "value", None)
            if isinstance(table, ast.Dict) and name in {getattr(target, "id", "") for target in targets}:
                for value in table.values:
                    yield from self.said(value, deep)

    def _calls(self, name: str) -> Iterator[ast.Call]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == name:
                yield node

    def _around(self, node: ast.AST) -> Iterator[ast.AST]:
        while node in self.parent:
            node = self.parent[node]
            yield node


def _is_ours(kind: ast.expr | None) -> bool:
    return isinstance(kind, ast.Name) and kind.id in ("Fault", "Plain")
