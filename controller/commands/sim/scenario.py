"""Scenario files of a shift: which site, how many orders, what goes wrong and when; TOML, checked like site files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from controller.commands.sim.shift import IN_MEMORY, Shift
from controller.site_file import load_site
from controller.sites import find_site
from controller.starting import DATABASE
from packline.core.files import load_toml, read_toml
from simulation.virtual.faults import CONTROLLER, KILLS, PlannedFault

DEMO = "sites/demo.toml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShiftPart(_Part):
    """[shift]. `site` lies beside the scenario file, or ships with the package; `pixels` draws every so many-th parcel."""

    site: str = DEMO
    orders: Annotated[int, Field(ge=1, le=1_000_000)] = 24
    seed: int = 1
    speed: Annotated[float, Field(gt=0, le=1000)] | None = None
    pixels: Annotated[int, Field(ge=0)] = 500


class FaultPart(_Part):
    """[[faults]]. `at_s` is the line's time, for a kill of the controller the number of the commit; it strikes at most `times` times, and is mended after `for_s`."""

    at_s: Annotated[float, Field(ge=0)]
    device: str
    fault: str
    for_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    times: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.device == CONTROLLER and self.fault not in KILLS:
            raise ValueError(f"the controller's faults are {' and '.join(KILLS)}")
        return self


class Scenario(_Part):
    """A whole file. `broken` is what a stored failure showed; a run of it is well when it does not show it any more."""

    shift: ShiftPart = ShiftPart()
    faults: tuple[FaultPart, ...] = ()
    broken: tuple[str, ...] = ()


def is_scenario(path: Path) -> bool:
    """Tell whether a TOML file is a scenario of a shift, and no site file."""
    return "site" not in (raw := read_toml(path)) and ("shift" in raw or "faults" in raw)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario; raises FileFaults that name every mistake."""
    return load_toml(path, Scenario)


def shift_of(scenario: Scenario, beside: Path, folder: Path) -> Shift:
    """Give the shift of a scenario; `folder` takes what the line writes, and its books where the controller dies."""
    own = beside.resolve().parent / scenario.shift.site
    path = own if own.exists() else find_site(Path(scenario.shift.site))
    faults = tuple(PlannedFault.of(part.model_dump()) for part in scenario.faults)
    has_kill = any(fault.is_kill for fault in faults)
    return Shift(
        site=load_site(path),
        path=path,
        folder=folder,
        orders=scenario.shift.orders,
        seed=scenario.shift.seed,
        speed=scenario.shift.speed,
        one_in=scenario.shift.pixels,
        faults=faults,
        url=f"sqlite:///{folder / DATABASE}" if has_kill else IN_MEMORY,
    )


def as_toml(shift: ShiftPart, faults: tuple[PlannedFault, ...], broken: tuple[str, ...]) -> str:
    """Write a scenario file."""
    lines = [f"broken = [{', '.join(map(_text, broken))}]", "", "[shift]", f"site = {_text(shift.site)}"]
    lines += [f"orders = {shift.orders}", f"seed = {shift.seed}", f"pixels = {shift.pixels}"]
    lines += [f"speed = {shift.speed}"] if shift.speed is not None else []
    for fault in faults:
        rows = (f"{k} = {_text(v) if isinstance(v, str) else v}" for k, v in fault.as_dict().items())
        lines += ["", "[[faults]]", *rows]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
