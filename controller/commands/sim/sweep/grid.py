"""The grid of a sweep: which values are set where in a file, and the runs that this makes, each with a key of its own."""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from controller.commands.sim.note import release
from controller.commands.sim.recorded import hash_of
from controller.commands.sim.scenario import load_scenario, shift_of
from controller.commands.sim.scenario_file import DEMO, Scenario
from controller.commands.sim.shift.parts import Shift
from controller.commands.sim.telling import is_scenario
from controller.site import Site
from controller.sites import find_site
from packline.core.faults import Fault
from packline.core.files import FileFaults, parse, read_toml
from simulation.model.model_file import Model
from simulation.model.reading import model_of

MOST_RUNS = 1_000_000
OF_SITE = ("policy", "twin")
"""Tables of the site file that may be set as `site.<table>.<key>`: the others say which machines stand where."""
SEED = ("shift.seed", "model.seed")
SEEDS_REMEDY = "Say which seeds with --seeds A:B."
WORDS = "Write --set PLACE=VALUE,VALUE with a place of the file such as shift.orders, site.policy.wip_limit or model.blocks.a.channels."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Values that are tried at one place, dotted."""

    place: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One corner of the grid: the file as it then is. `scenario` is a hash of all that is played but for the seed, and of the
    release that plays it: what another one gave is not a row of this table."""

    settings: Mapping[str, Any]
    raw: Mapping[str, Any]
    beside: str
    scenario: str

    @property
    def is_model(self) -> bool:
        """Tell whether it is a line of building blocks, without a controller."""
        return "model" in self.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One run."""

    point: Point
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        """Give what names its result."""
        return self.point.scenario, self.seed


def setting(text: str) -> Setting:
    """Read PLACE=VALUE,VALUE; a value is one of TOML, or else a text."""
    place, sign, values = text.partition("=")
    if not (sign and place.strip() and values.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not PLACE=VALUE,VALUE")
    known = _values(values)
    if len({json.dumps(value, default=str) for value in known}) < len(known):
        raise argparse.ArgumentTypeError(f"{text!r} has a value twice")
    return Setting(place=place.strip(), values=known)


def shard(text: str) -> tuple[int, int]:
    """Read i/n with i from 1 to n."""
    part, sign, of = text.partition("/")
    if not (sign and part.isdigit() and of.isdigit() and 1 <= int(part) <= int(of)):
        raise argparse.ArgumentTypeError(f"{text!r} is not i/n with i from 1 to n")
    return int(part), int(of)


def points(file: Path | None, settings: Sequence[Setting]) -> list[Point]:
    """Give every corner of the grid; raises FileFaults with what is wrong in any of them."""
    places = [one.place for one in settings]
    if len(set(places)) < len(places):
        twice = next(place for place in places if places.count(place) > 1)
        raise Fault(4201, where=f"--set {twice}", seen="the place twice", expected="each place once", remedy=WORDS)
    path = find_site(file) if file is not None else find_site(Path(DEMO))
    raw = _raw_of(path)
    if is_scenario(path):
        load_scenario(path)  # says also what does not fit its site
    if math.prod(len(one.values) for one in settings) > MOST_RUNS:
        raise Fault(4201, where="--set", seen="too large a grid", expected=f"at most {MOST_RUNS} corners", remedy=WORDS)
    found, faults = [], dict[str, Fault]()
    for values in itertools.product(*(one.values for one in settings)):
        chosen = dict(zip(places, values, strict=True))
        try:
            found.append(_point(raw, path, chosen))
        except FileFaults as wrong:
            faults |= {fault.text(): fault for fault in wrong.faults}
        except Fault as fault:
            faults[fault.text()] = fault
    if faults:
        raise FileFaults(list(faults.values()))
    return found


def works(grid: Sequence[Point], seeds: range, part: tuple[int, int]) -> list[Work]:
    """Give the runs of one shard, in the order of the grid; shard i of n takes each n-th from the i-th on."""
    if len(grid) * len(seeds) > MOST_RUNS:
        seen = f"{len(grid) * len(seeds)} runs"
        raise Fault(4201, where="--seeds", seen=seen, expected=f"at most {MOST_RUNS}", remedy="Take fewer seeds.")
    every = (Work(point=point, seed=seed) for point in grid for seed in seeds)
    return list(itertools.islice(every, part[0] - 1, None, part[1]))


def model_at(work: Work) -> Model:
    """Give the model of a run."""
    return model_of(work.point.raw, work.point.beside)


def shift_at(work: Work, folder: Path) -> tuple[Shift, Scenario]:
    """Give the shift of a run, and its scenario; `folder` takes what the line writes."""
    point = work.point
    return _shift(point.raw, Path(point.beside), point.settings, folder, work.seed)


def _point(raw: Mapping[str, Any], path: Path, chosen: Mapping[str, Any]) -> Point:
    left = deepcopy(dict(raw))
    for place, value in chosen.items():
        _put(left, place, value, path)
    point = Point(settings=dict(chosen), raw=left, beside=str(path), scenario="")
    if point.is_model:
        model_of(left, _said(path, chosen))
        body = {**left, "model": {key: value for key, value in left["model"].items() if key != "seed"}}
        text = hashed([release(), body])
    else:
        shift, scenario = _shift(left, path, chosen, Path(), 0)
        # what is expected decides whether a run was well, though it is played the same
        played = hash_of(scenario, shift.site, shift.path)
        text = hashed([release(), played, scenario.expect.model_dump(mode="json"), scenario.broken])
    return Point(settings=dict(chosen), raw=left, beside=str(path), scenario=text)


def hashed(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _shift(
    raw: Mapping[str, Any], path: Path, chosen: Mapping[str, Any], folder: Path, seed: int
) -> tuple[Shift, Scenario]:
    known = {key: value for key, value in raw.items() if key != "site"}
    scenario = parse(known, Scenario, _said(path, chosen))
    scenario = scenario.model_copy(update={"shift": scenario.shift.model_copy(update={"seed": seed})})
    made = shift_of(scenario, path, folder)
    own = raw.get("site")
    if not own:
        return made, scenario
    file = read_toml(made.path)
    for table, keys in own.items():
        file[table] = {**file.get(table, {}), **keys}
    return replace(made, site=parse(file, Site, _said(made.path, chosen))), scenario


def _raw_of(path: Path) -> dict[str, Any]:
    """Give the file; a site file stands for a shift of it."""
    raw = read_toml(path)
    return {"shift": {"site": str(path.resolve())}} if "site" in raw else raw


def _put(raw: dict[str, Any], place: str, value: Any, path: Path) -> None:
    """Set a value at a dotted place; numbers count in lists, and what is missing on the way is made."""
    if place in SEED:
        raise Fault(4201, where=f"--set {place}", seen="a seed", expected="another place", remedy=SEEDS_REMEDY)
    *way, last = place.split(".")
    if way[:1] == ["site"] and (len(way) != 2 or way[1] not in OF_SITE):
        expected = " or ".join(f"site.{table}.KEY" for table in OF_SITE)
        raise Fault(4201, where=f"--set {place}", seen=place, expected=expected, remedy=WORDS)
    node: Any = raw
    for step in way:
        node = _inside(node, step, place, path)
    if isinstance(node, list):
        node[_index(node, last, place, path)] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise _no_table(place, path, node)


def _inside(node: Any, step: str, place: str, path: Path) -> Any:
    if isinstance(node, list):
        return node[_index(node, step, place, path)]
    if isinstance(node, dict):
        return node.setdefault(step, {})
    raise _no_table(place, path, node)


def _index(node: list[Any], step: str, place: str, path: Path) -> int:
    if step.isdigit() and int(step) < len(node):
        return int(step)
    expected = f"a number from 0 to {len(node) - 1}"
    raise Fault(4201, where=f"{path} --set {place}", seen=step, expected=expected, remedy=WORDS)


def _no_table(place: str, path: Path, node: Any) -> Fault:
    return Fault(4201, where=f"{path} --set {place}", seen=repr(node)[:80], expected="a table on the way", remedy=WORDS)


def _said(path: Path, chosen: Mapping[str, Any]) -> str:
    return " ".join([str(path), *(f"--set {place}={value}" for place, value in chosen.items())])


def _values(text: str) -> tuple[Any, ...]:
    try:
        return tuple(tomllib.loads(f"x = [{text}]")["x"])
    except tomllib.TOMLDecodeError:
        return tuple(_value(part.strip()) for part in _parts(text))


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _parts(text: str) -> Iterator[str]:
    """Part at commas that are in no bracket and in no quotation marks."""
    depth, begun, mark = 0, 0, ""
    for n, letter in enumerate(text):
        if mark or letter in "\"'":
            mark = "" if letter == mark else mark or letter
        elif letter == "," and depth == 0:
            yield text[begun:n]
            begun = n + 1
        else:
            depth += (letter in "[{") - (letter in "]}")
    yield text[begun:]
