"""Reads a `[model]` and says every mistake in it at once: of each block, and of the blocks with each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from packline.core.faults import Fault
from packline.core.files import FileFaults, near, read_toml, survey
from simulation.blocks.floor import OUT
from simulation.model.checking import check_parts, check_whole
from simulation.model.model_file import BLOCKS, AnyBlock, Model, Shell
from simulation.model.parts import NAME_PATTERN, Part
from simulation.model.station_parts import StationPart
from simulation.model.words import with_meaning

PATTERN_WORDS = {
    NAME_PATTERN: "a small letter, then small letters, digits, dashes and underscores, 40 characters at most"
}
STATIONS = tuple(kind for kind, part in BLOCKS.items() if issubclass(part, StationPart))
"""Kinds of block that have channels."""
BLOCK_STAND_INS: dict[str, Any] = {
    "next": {OUT: 1.0},
    **dict.fromkeys(("service", "every", "answer", "weight_kg", "travel_s", "gap_s"), 1.0),
    **dict.fromkeys(("zones", "pieces", "most"), 1),
    **dict.fromkeys(("walk", "last", "times"), 1.0),
}
HEAD_STAND_INS: dict[str, Any] = {"horizon_s": 1.0, "blocks": {}}


def load_model(path: Path) -> Model:
    """Read and check a scenario file with a model; raises FileFaults with every mistake."""
    return model_of(read_toml(path), str(path))


def model_of(raw: Mapping[str, Any], where: str) -> Model:
    """Check what a file says; raises FileFaults with every mistake."""
    model, faults = read_model(raw, where)
    if model is None or faults:
        raise FileFaults(faults)
    return model


def read_model(raw: Mapping[str, Any], where: str) -> tuple[Model | None, list[Fault]]:
    """Give every mistake of `raw` (the whole file), and the model when there is none."""
    table = raw.get("model")
    faults = [
        Fault(4202, where=f"{where} [{key}]", seen=key, expected="a known key", remedy=near(key, {"model"}))
        for key in raw
        if key != "model"
    ]
    if not isinstance(table, dict):
        seen = "nothing" if table is None else repr(table)[:80]
        return None, [*faults, Fault(4201, where=f"{where} [model]", seen=seen, expected="a table of keys and values")]
    shell = survey(table, Shell, where, stand_ins=HEAD_STAND_INS, patterns=PATTERN_WORDS)
    faults += [_inside(with_meaning(fault, _place(fault, where)), where, "model") for fault in shell.faults]
    found = table.get("blocks")
    tables = found if isinstance(found, dict) else {}
    parts: dict[str, Part] = {}
    for name, block in tables.items():
        if isinstance(block, dict):
            faults += [_inside(f, where, f"model.blocks.{name}") for f in _read_block(block, where, name, parts)]
    if shell.model is None:
        return None, faults
    told = {fault.where for fault in faults}
    further = check_parts(shell.model, parts, set(tables), where, told)
    faults += [fault for fault in further if fault.where not in told]
    if not faults:  # what is wrong was put right by a guess, so that ways may be missing that are there
        faults += check_whole(parts, where)
    if faults:
        return None, faults
    head = {key: getattr(shell.model, key) for key in Shell.model_fields if key != "blocks"}
    return Model.model_construct(**head, blocks=cast("dict[str, AnyBlock]", parts)), []


def _read_block(block: dict[str, Any], where: str, name: str, parts: dict[str, Part]) -> list[Fault]:
    kind = block.get("kind")
    part = BLOCKS.get(kind) if isinstance(kind, str) else None
    if part is None:
        seen = "nothing" if kind is None else repr(kind)[:80]
        expected = f"one of {', '.join(BLOCKS)}"
        wrong = Fault(4201, where=f"{where} [kind]", seen=seen, expected=expected, remedy=near(str(kind), set(BLOCKS)))
        return [with_meaning(wrong, "kind")]
    read = survey(block, part, where, stand_ins=BLOCK_STAND_INS, patterns=PATTERN_WORDS)
    if read.model is not None:
        parts[name] = read.model
    places = {_place(fault, where) for fault in read.faults}
    return [
        with_meaning(fault, place, str(kind))
        for fault in read.faults
        if not _is_told_within(place := _place(fault, where), places)
    ]


def _is_told_within(place: str, places: set[str]) -> bool:
    """Tell whether something inside a table was found wrong: that the table lacks it now says nothing."""
    return bool(place) and any(one.startswith(f"{place}.") for one in places)


def _place(fault: Fault, where: str) -> str:
    return fault.where.removeprefix(where).strip().strip("[]")


def _inside(fault: Fault, where: str, place: str) -> Fault:
    """Say where a mistake is in the whole file, that was found in a part of it."""
    rest = _place(fault, where)
    dotted = f"{place}.{rest}" if rest else place
    return Fault(fault.code, where=f"{where} [{dotted}]", seen=fault.seen, expected=fault.expected, remedy=fault.remedy)
