"""Reads what is typed about a running plant: faults on and off, by the same switches as everywhere."""

from __future__ import annotations

from typing import Any

from packline.core.files import near
from simulation.misbehave import Misbehaviour

WORDS = "fault DEVICE FAULT [for=SECONDS] [times=N], mend [DEVICE [FAULT]], faults, active, quit"


SECONDS, NUMBER = "for=SECONDS, above 0 and at most 86400", "times=N, a whole number from 1 to 10000"


class Mistyped(ValueError):  # noqa: N818 - an answer to a wrong line
    """A line that cannot be done: the part that is wrong, and what would be right."""

    def __init__(self, seen: str, expected: str, remedy: str = "") -> None:
        self.seen, self.expected, self.remedy = seen, expected, remedy
        super().__init__(expected)


async def obey(switches: Misbehaviour, line: str) -> dict[str, Any]:
    """Do what a line says; gives what is so then, or the part that was wrong, what was expected and what to do, JSON-ready."""
    word, *rest = line.split() or [""]
    try:
        if word == "faults":
            return {"ok": True, "known": switches.known()}
        if word == "mend":
            await _mend(switches, rest)
        elif word == "fault":
            await _fault(switches, rest)
        elif word != "active":
            raise Mistyped(line, WORDS)
    except Mistyped as wrong:
        return {"ok": False, "seen": wrong.seen, "expected": wrong.expected, "remedy": wrong.remedy or REMEDY}
    return {"ok": True, "active": switches.active()}


REMEDY = "Type `faults` for every device and what it knows."


async def _mend(switches: Misbehaviour, words: list[str]) -> None:
    if len(words) > 2:
        raise Mistyped(" ".join(words), WORDS)
    if words:
        _demand_known(switches, *words)
    await switches.mend(*words)


def _demand_known(switches: Misbehaviour, device: str, fault: str = "") -> None:
    known = switches.known()
    if device not in known:
        raise Mistyped(device, f"one of {', '.join(sorted(known))}", near(device, set(known)))
    if fault and fault not in known[device]:
        raise Mistyped(fault, f"a fault of {device}: {', '.join(known[device])}", near(fault, known[device]))


async def _fault(switches: Misbehaviour, words: list[str]) -> None:
    names = [word for word in words if "=" not in word]
    options = dict(word.split("=", 1) for word in words if "=" in word)
    if len(names) != 2 or set(options) - {"for", "times"}:
        raise Mistyped(" ".join(["fault", *words]), WORDS)
    _demand_known(switches, *names)
    for_s, times = _seconds(options.get("for")), _times(options.get("times"))
    await switches.fault(names[0], names[1], for_s=for_s, times=times)


def _seconds(text: str | None) -> float | None:
    try:
        value = None if text is None else float(text)
    except ValueError:
        value = 0.0
    if value is not None and not 0 < value <= MOST_S:
        raise Mistyped(f"for={text}", SECONDS)
    return value


def _times(text: str | None) -> int | None:
    if text is None:
        return None
    if not (
        text.isascii() and text.isdigit() and 1 <= int(text[:MOST_DIGITS]) <= MOST_TIMES and len(text) <= MOST_DIGITS
    ):
        raise Mistyped(f"times={text}", NUMBER)
    return int(text)


MOST_S, MOST_TIMES, MOST_DIGITS = 86_400, 10_000, 5
