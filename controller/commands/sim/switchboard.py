"""Reads what is typed about a running plant: faults on and off, by the same switches as everywhere."""

from __future__ import annotations

from typing import Any

from simulation.misbehave import Misbehaviour, NoSuchFault

WORDS = "fault DEVICE FAULT [for=SECONDS] [times=N], mend [DEVICE [FAULT]], faults, active, quit"


async def obey(switches: Misbehaviour, line: str) -> dict[str, Any]:
    """Do what a line says; gives what is so then, or what was wrong with it, JSON-ready."""
    word, *rest = line.split()
    try:
        if word == "faults":
            return {"ok": True, "known": switches.known()}
        if word == "mend":
            await switches.mend(*rest[:2])
        elif word == "fault":
            await _fault(switches, rest)
        elif word != "active":
            raise ValueError(WORDS)
    except (NoSuchFault, ValueError, TypeError) as wrong:
        return {"ok": False, "seen": line, "expected": str(wrong)}
    return {"ok": True, "active": switches.active()}


async def _fault(switches: Misbehaviour, words: list[str]) -> None:
    names = [word for word in words if "=" not in word]
    options = dict(word.split("=", 1) for word in words if "=" in word)
    if len(names) != 2 or set(options) - {"for", "times"}:
        raise ValueError(WORDS)
    for_s = float(options["for"]) if "for" in options else None
    times = int(options["times"]) if "times" in options else None
    if (for_s is not None and not 0 < for_s <= 86_400) or (times is not None and not 1 <= times <= 10_000):
        raise ValueError("for= above 0 and at most 86400 seconds, times= from 1 to 10000")
    await switches.fault(names[0], names[1], for_s=for_s, times=times)
