"""Reads and writes scenario files of a shift; TOML, checked like site files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from controller.commands.sim.scenario_file import DEVICE_PATTERN, DemandPart, Scenario
from controller.commands.sim.shift.parts import IN_MEMORY, Shift
from controller.commands.sim.shift.playing import plant_spec
from controller.site import Site, twin_part
from controller.site_file import load_site
from controller.sites import find_site
from controller.starting import DATABASE
from packline.core.faults import Fault
from packline.core.files import FileFaults, near, read_toml, survey
from simulation.faults.catalogue import Ends, Kind
from simulation.faults.known import known
from simulation.people.demand import DemandSpec
from simulation.virtual.faults import Campaign, PlannedFault

PATTERN_WORDS = {DEVICE_PATTERN: "a small letter, then small letters, digits and dashes, 40 characters at most"}

MORE_ORDERS = "Type a larger --orders or leave it out, or expect less in the file."
DRAW_NOTHING = "Name what may be drawn, or write most_faults = 0: that draws nothing."


def load_scenario(path: Path) -> Scenario:
    """Read a scenario; raises FileFaults that name every mistake."""
    scenario, faults = read_scenario(path)
    if scenario is None or faults:
        raise FileFaults(faults)
    return scenario


def read_scenario(path: Path) -> tuple[Scenario | None, list[Fault]]:
    """Give every mistake of the file, also those that only its site shows, and the scenario of what is right."""
    try:
        raw = read_toml(path)
    except FileFaults as found:
        return None, found.faults
    read = survey(raw, Scenario, str(path), patterns=PATTERN_WORDS)
    if read.model is None:
        return None, read.faults
    told = {fault.where for fault in read.faults}
    every = (*_against_orders(read.model, path), *_against_site(read.model, raw, path))
    further = [fault for fault in every if fault.where not in told]
    return read.model, [*(fault for fault in read.faults if not _is_told_within(fault.where, told)), *further]


def _is_told_within(where: str, told: set[str]) -> bool:
    """Tell whether something inside a table was found wrong: without it the table is wrong too, which says nothing."""
    return any(one.startswith(f"{where[:-1]}.") for one in told)


def demand_orders(scenario: Scenario, path: Path, orders: int | None) -> None:
    """Raise FileFaults where fewer orders were typed than the file expects to be over: such a run is played for nothing."""
    if orders is None:
        return
    typed = scenario.model_copy(update={"shift": scenario.shift.model_copy(update={"orders": orders})})
    if faults := list(_against_orders(typed, path, "which --orders says", MORE_ORDERS)):
        raise FileFaults(faults)


def _against_orders(
    scenario: Scenario, path: Path, said: str = "the orders of the shift", remedy: str = ""
) -> Iterator[Fault]:
    """Compare what is expected with the orders that there are: of more than those none can be over."""
    if scenario.broken:  # a stored failure of `sim qa --orders`: what it shows is that they were missed
        return
    orders, bounds = scenario.shift.orders, scenario.expect.bounds()
    for key in ("orders_over", "orders_over_ge"):
        if bounds.get(key, 0) > orders:
            expected = f"at most {orders}, {said}"
            yield Fault(4201, where=f"{path} [expect.{key}]", seen=f"{bounds[key]:g}", expected=expected, remedy=remedy)


def _against_site(scenario: Scenario, raw: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """Compare what goes wrong with what the line of the scenario has."""
    try:
        own = site_path(scenario.shift.site, path)
        site = load_site(own)
        devices = known(plant_spec(site, own, scenario.shift.speed))
    except FileFaults as found:
        remedy = f"Check it: packline check {scenario.shift.site}"
        seen = f"{scenario.shift.site}: {found.faults[0].seen}"
        yield Fault(4201, where=f"{path} [shift.site]", seen=seen, expected="a site file in order", remedy=remedy)
        return
    except Fault as fault:
        yield Fault(4201, where=f"{path} [shift.site]", seen=fault.seen, expected=fault.expected)
        return
    listed = raw.get("faults")
    for n, part in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(part, dict):
            yield from _fault_against(devices, part, f"{path} [faults.{n}")
    yield from _campaign_against(scenario, devices, path)


def _fault_against(devices: Mapping[str, Mapping[str, Kind]], part: Mapping[str, Any], where: str) -> Iterator[Fault]:
    device, fault = part.get("device"), part.get("fault")
    if not isinstance(device, str):
        return
    if device not in devices:
        expected = f"one of {', '.join(sorted(devices))}"
        yield Fault(4201, where=f"{where}.device]", seen=device, expected=expected, remedy=near(device, set(devices)))
        return
    if not isinstance(fault, str):
        return
    kinds = devices[device]
    if fault not in kinds:
        expected = f"one of {', '.join(sorted(kinds))}"
        yield Fault(4201, where=f"{where}.fault]", seen=fault, expected=expected, remedy=near(fault, set(kinds)))
        return
    ends = kinds[fault].ends
    if "times" in part and ends is not Ends.STRIKES:
        yield Fault(4201, where=f"{where}.times]", seen="times", expected=f"nothing: {fault} does not strike by number")
    if "for_s" in part and ends is Ends.AT_ONCE:
        yield Fault(4201, where=f"{where}.for_s]", seen="for_s", expected=f"nothing: {fault} is over at once")


def _campaign_against(scenario: Scenario, devices: Mapping[str, Mapping[str, Kind]], path: Path) -> Iterator[Fault]:
    kinds = {fault for faults in devices.values() for fault in faults}
    named = kinds | set(devices) | {f"{device} {fault}" for device, faults in devices.items() for fault in faults}
    unknown = [
        (f"{path} [campaign.{key}.{n}]", name)
        for key in ("kinds", "without")
        for n, name in enumerate(getattr(scenario.campaign, key))
        if name not in named
    ]
    for where, name in unknown:
        expected = "a kind of fault, a device, or a device and one of its kinds"
        yield Fault(4201, where=where, seen=name, expected=expected, remedy=near(name, kinds | set(devices)))
    if not unknown:
        yield from _drawn_from(scenario.campaign.campaign(), devices, path)


def _drawn_from(campaign: Campaign, devices: Mapping[str, Mapping[str, Kind]], path: Path) -> Iterator[Fault]:
    """Say when nothing is left that could be drawn: such a campaign proves nothing, and looks as if it did."""
    if campaign.most_faults == 0 or _has_any(campaign, devices):
        return
    is_taken_out = _has_any(replace(campaign, without=()), devices)
    key = "without" if is_taken_out else "seams" if campaign.seams else "kinds"
    seen = ", ".join(getattr(campaign, key))
    expected = "something left to draw" if is_taken_out else "something that this line has"
    yield Fault(4201, where=f"{path} [campaign.{key}]", seen=seen, expected=expected, remedy=DRAW_NOTHING)


def _has_any(campaign: Campaign, devices: Mapping[str, Mapping[str, Kind]]) -> bool:
    return any(campaign.has(device, fault) for device, faults in devices.items() for fault in faults)


def site_path(site: str, beside: Path) -> Path:
    """Give the site of a scenario that lies at `beside`: its neighbour, or one that ships."""
    own = beside.resolve().parent / site
    return own if own.exists() else find_site(Path(site))


def shift_of(scenario: Scenario, beside: Path, folder: Path) -> Shift:
    """Give the shift of a scenario; `folder` takes what the line writes, and its books where the controller dies."""
    path = site_path(scenario.shift.site, beside)
    faults = faults_of(scenario)
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
        demand=demand_of(scenario.demand),
        horizon_s=scenario.horizon_s,
        url=f"sqlite:///{folder / DATABASE}" if has_kill else IN_MEMORY,
    )


def faults_of(scenario: Scenario) -> tuple[PlannedFault, ...]:
    """Give what a scenario says that goes wrong."""
    return tuple(PlannedFault.of(part.model_dump(exclude_none=True)) for part in scenario.faults)


def speed_of(scenario: Scenario, beside: Path) -> float:
    """Give how many seconds of the plant pass in one of the line."""
    return scenario.shift.speed or twin_part(load_site(site_path(scenario.shift.site, beside))).speed


def demand_of(part: DemandPart) -> DemandSpec:
    """Give what the host's people are told."""
    every = part.every.distribution() if part.every is not None else None
    return DemandSpec(
        gap=every.drawn_from if every is not None else None,
        burst=part.burst,
        shares=dict(part.shares),
        turn=part.turn or 0,
    )


def known_of(site: Site, path: Path) -> Mapping[str, Mapping[str, Kind]]:
    """Give what every device of a site's plant can do wrong."""
    return known(plant_spec(site, path, None))


def as_toml(scenario: Scenario, faults: tuple[PlannedFault, ...], broken: tuple[str, ...] = ()) -> str:
    """Write the scenario file of one shift with these faults; what a campaign draws from is not in it."""
    shift, demand = scenario.shift, scenario.demand.model_dump(exclude_defaults=True, exclude_none=True)
    lines = [f"broken = [{', '.join(map(_value, broken))}]"]
    lines += [f"horizon_s = {scenario.horizon_s}"] if scenario.horizon_s is not None else []
    lines += ["", "[shift]", f"site = {_value(shift.site)}"]
    lines += [f"orders = {shift.orders}", f"seed = {shift.seed}", f"pixels = {shift.pixels}"]
    lines += [f"speed = {shift.speed}"] if shift.speed is not None else []
    lines += ["", "[demand]", *(f"{key} = {_value(value)}" for key, value in demand.items())] if demand else []
    expect = scenario.expect.model_dump(exclude_defaults=True)
    lines += ["", "[expect]", *(f"{key} = {_value(_whole(value))}" for key, value in expect.items())] if expect else []
    for fault in faults:
        lines += ["", "[[faults]]", *(f"{key} = {_value(value)}" for key, value in fault.as_dict().items())]
    return "\n".join(lines) + "\n"


def _whole(value: Any) -> Any:
    """Give a count as people write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _value(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return str(value)
