"""Tells what sort of file for the twin a TOML file is, and what is wrong in it; reads the twin only for such a file."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.site import Site
from packline.core.faults import Fault
from packline.core.files import FileFaults, near, read_toml

KINDS = frozenset({"site", "machine", "model"})
"""The table that each of the other kinds of file has."""
PARTS = frozenset({"shift", "demand", "faults", "campaign", "expect", "horizon_s", "broken"})

OF_MODEL = "`packline sim model` says what a model does, and `packline sim sweep` tries other values in it."


def is_scenario(path: Path) -> bool:
    """Tell whether a TOML file is a scenario of a shift, and no site file, machine file or model.

    Raises FileFaults for what is no TOML, and for a file in which nothing says what it is.
    """
    raw = read_toml(path)
    _demand_kind(raw, path)
    return not KINDS & set(raw) and bool(PARTS & set(raw))


def is_model(path: Path) -> bool:
    """Tell whether a TOML file is a model of building blocks."""
    return "model" in read_toml(path)


def demand_shift(path: Path) -> None:
    """Raise Fault 4201 for a model: it has no shift that could be played."""
    if is_model(path):
        raise Fault(4201, where=str(path), seen="a [model]", expected="a shift", remedy=OF_MODEL)


def demand_model(path: Path) -> None:
    """Raise Fault 4201 for a file of another kind: it has no building blocks. Raises FileFaults for what is no TOML."""
    raw = read_toml(path)
    if "model" in raw or any(near(key, {"model"}) for key in raw):
        return
    seen, remedy = OTHERS[next((kind for kind in ("site", "machine") if kind in raw), "shift")]
    if is_scenario(path) or KINDS & set(raw):
        raise Fault(4201, where=str(path), seen=seen, expected="a [model]", remedy=remedy)


def twin_faults(path: Path) -> list[Fault] | None:
    """Give every mistake of a scenario file or a model; None for any other file. Raises FileFaults for what is no TOML."""
    if not (is_model(path) or is_scenario(path)):
        return None
    module, name = _READERS[is_model(path)]
    try:
        getattr(importlib.import_module(module), name)(path)
    except FileFaults as found:
        return found.faults
    return []


def _demand_kind(raw: Mapping[str, Any], path: Path) -> None:
    known = {*KINDS, *PARTS, *Site.model_fields}
    if known & set(raw):
        return
    seen = " and ".join(_heading(key, value) for key, value in list(raw.items())[:MOST_SHOWN]) or "an empty file"
    remedies = [near(key, known) for key in raw]
    remedy = next((remedy for remedy in remedies if remedy), START)
    raise FileFaults(
        [Fault(4201, where=str(path), seen=seen, expected="a site, scenario, machine or model file", remedy=remedy)]
    )


def _heading(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"[{key}]"
    return f"[[{key}]]" if isinstance(value, list) and value and isinstance(value[0], Mapping) else f"{key} = ..."


OTHERS = {
    "site": ("a site file", "`packline sim run` plays a shift of it."),
    "machine": ("a machine file", "`packline check` says what is wrong in it."),
    "shift": ("a scenario of a shift", "`packline sim run` plays it."),
}
"""Each of the other kinds of file, and what is done with one."""
MOST_SHOWN = 3
START = "A site file has [site], a scenario [shift], a machine file [machine], a model [model]."
_READERS = {
    True: ("simulation.model.reading", "load_model"),
    False: ("controller.commands.sim.scenario", "load_scenario"),
}
"""The twin is no small import."""


def behaviour_faults(said: Mapping[str, Any], name: str) -> list[Fault]:
    """Say what is wrong with the [simulation] of the machine or file `name`: a twin of it would not start."""
    try:
        importlib.import_module("simulation.behaviours").behaviour_of(said, name)
    except Fault as fault:
        return [fault]
    return []
