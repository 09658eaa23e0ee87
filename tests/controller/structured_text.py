"""Runs IEC 61131-3 Structured Text of the plain kind that we generate: one statement a line, words and flags told by their names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

BOUNDS = {"UINT": (0, 0xFFFF), "WORD": (0, 0xFFFF), "UDINT": (0, 0xFFFFFFFF), "INT": (-0x8000, 0x7FFF), "BOOL": (0, 1)}
KEYWORDS = {"IF": "if", "ELSIF": "elif", "WHILE": "while"}
_UNIT = re.compile(r"^(FUNCTION|FUNCTION_BLOCK) (\w+)(?: : (\w+))?$(.*?)^END_\1$", re.S | re.M)
_SECTION = re.compile(r"^(VAR\w*)( RETAIN)?\n(.*?)^END_VAR$", re.S | re.M)
_DECLARED = re.compile(r"(\w+) : (?:ARRAY\[0\.\.(\d+)\] OF )?(\w+);")


@dataclass
class Variable:
    kind: str
    type: str
    last: int | None

    def fresh(self) -> Any:
        empty = False if self.type == "BOOL" else 0
        return empty if self.last is None else [0] * (self.last + 1)


@dataclass
class Unit:
    """One function or function block: call it with its variables by name."""

    name: str
    returns: str | None
    variables: dict[str, Variable]
    run: Callable[[Any], None]
    state: SimpleNamespace = field(default_factory=SimpleNamespace)

    def reset(self, *, keep_retained: bool) -> None:
        for name, variable in self.variables.items():
            if not (keep_retained and variable.kind == "VAR RETAIN"):
                setattr(self.state, name, variable.fresh())

    def call(self, *given: Any) -> Any:
        inner = SimpleNamespace(**{name: variable.fresh() for name, variable in self.variables.items()})
        wanted = [n for n, v in self.variables.items() if v.kind in ("VAR_IN_OUT", "VAR_INPUT")]
        assert len(wanted) == len(given), self.name
        for name, value in zip(wanted, given, strict=True):
            setattr(inner, name, value)
        self.run(inner)
        return getattr(inner, self.name)


@lru_cache(maxsize=32)
def compiled(text: str) -> dict[str, Unit]:
    """Give every function and function block by name."""
    assert text.isascii()
    bare = re.sub(r"\(\*.*?\*\)", "", text, flags=re.S)
    bare = "\n".join(line.rstrip() for line in bare.splitlines() if line.strip())
    world: dict[str, Any] = {"SHR": lambda word, by: word >> by, "TRUE": True, "FALSE": False, "wrapped": wrapped}
    for one in BOUNDS:
        for other in BOUNDS:
            world[f"{one}_TO_{other}"] = lambda value, other=other: wrapped(other, value)
    units = {}
    for kind, name, returns, body in _UNIT.findall(bare):
        variables = {}
        for section, retain, lines in _SECTION.findall(body):
            for variable, last, of in _DECLARED.findall(lines):
                variables[variable] = Variable(section + retain, of, int(last) if last else None)
        if returns:
            variables[name] = Variable("RESULT", returns, None)
        code = _python(_SECTION.sub("", body), variables)
        scope: dict[str, Any] = {}
        exec(code, world, scope)  # our own text, made a moment ago
        units[name] = Unit(name, returns or None, variables, _bound(scope["run"], world))
        if kind == "FUNCTION":
            world[name] = units[name].call
        units[name].reset(keep_retained=False)
    return units


def _bound(run: Any, world: dict[str, Any]) -> Callable[[Any], None]:
    assert run.__globals__ is world
    return run


def wrapped(kind: str, value: Any) -> Any:
    """Hold a value as its type does: unsigned words roll over, nothing else may."""
    if kind == "BOOL":
        assert value in (0, 1)
        return bool(value)
    if kind == "UDINT":
        return value & 0xFFFFFFFF
    if kind == "INT" and value > 0x7FFF:
        return value - 0x10000
    low, high = BOUNDS[kind]
    assert low <= value <= high, f"{value} in a {kind}"
    return value


def _python(body: str, variables: dict[str, Variable]) -> str:
    lines, depth = ["def run(v):"], 1
    for statement in filter(None, (line.strip() for line in body.splitlines())):
        word = statement.split()[0].rstrip(";")
        if word.startswith("END_"):
            depth -= 1
            continue
        if word in ("ELSE", "ELSIF"):
            depth -= 1
        lines.append("    " * depth + _statement(statement, variables))
        if word in ("IF", "ELSIF", "ELSE", "FOR", "WHILE"):
            depth += 1
    assert depth == 1, "an IF, FOR or WHILE without its end"
    return "\n".join(lines)


def _statement(text: str, variables: dict[str, Variable]) -> str:
    if found := re.fullmatch(r"(IF|ELSIF|WHILE) (.*) (?:THEN|DO)", text):
        return f"{KEYWORDS[found[1]]} {_value(found[2], variables)}:"
    if text == "ELSE":
        return "else:"
    if found := re.fullmatch(r"FOR (\w+) := (.*) TO (.*) DO", text):
        return f"for v.{found[1]} in range({_value(found[2], variables)}, {_value(found[3], variables)} + 1):"
    found = re.fullmatch(r"(\w+)(\[.*\])? := (.*);", text)
    assert found, text
    target = _value(found[1] + (found[2] or ""), variables)
    return f"{target} = wrapped('{variables[found[1]].type}', {_value(found[3], variables)})"


def _value(text: str, variables: dict[str, Variable]) -> str:
    """Words (hexadecimal, or named w...) are taken bit by bit, everything else is true or false."""
    text = re.sub(r" AND (?=16#|w[A-Z])", " & ", text)
    text = re.sub(r" OR (?=16#|w[A-Z])", " | ", text)
    text = text.replace(" XOR ", " ^ ").replace(" AND ", " and ").replace(" OR ", " or ").replace(" MOD ", " % ")
    text = re.sub(r"\bNOT ", "not ", text).replace(" / ", " // ").replace("16#", "0x").replace("<>", "!=")
    text = re.sub(r"(?<![<>!:])=(?!=)", "==", text)
    return re.sub(r"\b[A-Za-z_]\w*\b(?!\()", lambda m: f"v.{m[0]}" if m[0] in variables else m[0], text)
