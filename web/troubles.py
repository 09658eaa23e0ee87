"""Says what is wrong at a station and with its devices, how urgent it is, and whether a person's release would end it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packline.core.faults import URGENCY, Severity, severity_of
from packline.orders.policy import Action, rule_for

EMERGENCY = 2007
"""The safety circuit of a machine is open."""
TAKEN = 1101
"""Another controller has the machine."""

# what a state means when the station names no fault
BY_STATE = {"asking": Severity.HIGH, "offline": Severity.HIGH, "held": Severity.WARNING}
AT_REST = frozenset({"idle", "waiting"})
NOT_READY = "not_ready"
"""Shown instead of a station's state at rest while a device keeps it from working."""
STOPPED = "stopped"
"""Shown instead of `held` where a fault stopped the station: on hold is what a person put on hold, nothing else."""
SOFTWARE = "software"
"""Who a station says that it is held by when a fault of the program stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One lasting trouble of one device. `numbers` are the machine's own."""

    code: int
    device: str
    severity: Severity
    numbers: tuple[int, ...] = ()

    def as_fault(self) -> dict[str, Any]:
        """Give it as a fault for the screen."""
        return {"code": self.code, "where": self.device}


def standing(station: Mapping[str, Any]) -> tuple[Standing, ...]:
    """Give what is wrong with the devices of a station, the most urgent first, whether its work has met it or not."""
    found = [
        Standing(
            code=int(code),
            device=str(device.get("name", "")),
            severity=severity_of(int(code)),
            numbers=tuple(device.get("own_faults", ())),
        )
        for device in station.get("devices", ())
        for code in device.get("faults", ())
    ]
    return tuple(sorted(found, key=lambda one: URGENCY[one.severity]))


def beside(station: Mapping[str, Any]) -> tuple[Standing, ...]:
    """Give the troubles of devices that the station's own fault does not tell of already."""
    own = (station.get("fault") or {}).get("code")
    return tuple(one for one in standing(station) if one.code != own)


def culprits(station: Mapping[str, Any]) -> tuple[Standing, ...]:
    """Give the devices that the station's own fault is about."""
    own = (station.get("fault") or {}).get("code")
    return tuple(one for one in standing(station) if one.code == own)


def stopped(stations: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Give the names of the stations at which a safety circuit is open."""
    return tuple(str(station["name"]) for station in stations if _is_stopped(station))


def _is_stopped(station: Mapping[str, Any]) -> bool:
    codes = {one.code for one in standing(station)} | {(station.get("fault") or {}).get("code")}
    return EMERGENCY in codes


def severity(station: Mapping[str, Any]) -> str:
    """Give how much a station needs somebody: critical | high | warning, "" when it is well. As its alarms have it."""
    found = [one.severity for one in standing(station)]
    if fault := station.get("fault"):
        found.append(severity_of(int(fault.get("code") or 5001)))
    elif station.get("state") in BY_STATE:
        found.append(BY_STATE[station["state"]])
    elif any(device.get("quality", "good") != "good" for device in station.get("devices", ())):
        found.append(Severity.WARNING)
    worst = min(found, key=lambda one: URGENCY[one], default=Severity.INFO)
    return "" if worst is Severity.INFO else worst.value


def held_by(station: Mapping[str, Any]) -> str:
    """Give the person who put a station on hold; "" for none."""
    who = str(station.get("hold_by") or "")
    return "" if who == SOFTWARE else who


def line_word(snapshot: Mapping[str, Any]) -> tuple[str, str]:
    """Give the family and the name of the word for the line: while not all of it runs, that of the station that needs most."""
    state = str((snapshot.get("line") or {}).get("state") or "unknown")
    shown = {state_of(station) for station in snapshot.get("stations", ())} if state == "holding" else set()
    for name in (STOPPED, "offline", "asking", "held"):
        if name in shown:
            return "state", STOPPED if name == "offline" else name
    return "line", state


def state_of(station: Mapping[str, Any]) -> str:
    """Give the state to show: nothing that a device keeps from working is called ready."""
    if station.get("state") == "held" and not held_by(station):
        return STOPPED
    worst = next(iter(standing(station)), None)
    is_kept = worst is not None and worst.severity in (Severity.CRITICAL, Severity.HIGH)
    return NOT_READY if is_kept and station.get("state") in AT_REST else str(station.get("state", ""))


def quality_of(device: Mapping[str, Any]) -> str:
    """Give the word for a device: `good` never stands beside a fault, nor where somebody else has the machine."""
    quality = str(device.get("quality", "good"))
    if quality != "good":
        return quality
    if TAKEN in device.get("faults", ()):
        return "taken"
    return "fault" if device.get("faults") else "good"


def ended_by_release(station: Mapping[str, Any]) -> str:
    """Say what a release would end here: "machine" (somebody else has it), "station" (a hold), "" for nothing."""
    devices: Sequence[Mapping[str, Any]] = station.get("devices", ()) if station.get("run_by") == "machine" else ()
    fault = int((station.get("fault") or {}).get("code") or 0)
    is_taken = any(
        TAKEN in device.get("faults", ()) or (device.get("quality") == "good" and not device.get("owned", True))
        for device in devices
    )
    if fault == TAKEN or is_taken:
        return "machine"
    is_held = station.get("state") in ("held", "offline") and (not fault or Action.RELEASE in rule_for(fault).actions)
    return "station" if station.get("hold_by") or is_held else ""
