"""How the dashboard says things, each in the reader's language: states, places, numbers, times, who did what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import g, request

from packline.orders.tracking import TRACKING
from web.room import room

UNITS = (("_ddeg", 10, "°"), ("_deg", 1, "°"), ("_pct", 1, " %"), ("_kg", 1, " kg"))
"""What the name of a machine's number ends with, by what it is divided, and the sign of its unit."""

SLOT = re.compile(r"H\d+")
"""A slot of the hold rack."""

_TOLD = {name: kind for kind, name in TRACKING.items()}

BUYER_LANG = "buyer_lang"
"""The cookie with the language of a buyer's page; a browser sends it to those pages only."""


def language() -> str:
    """Give the reader's language: their choice, else their browser's."""
    if "language" not in g:
        accepted = [tag for tag, _ in request.accept_languages]
        chosen = request.cookies.get(BUYER_LANG) or request.cookies.get("lang")
        g.language = room().words.choose(chosen, accepted)
    return str(g.language)


def say(key: str, **params: Any) -> str:
    """Give the text of `key` in the reader's language."""
    return room().words.say(language(), key, **params)


def word(family: str, name: Any) -> str:
    """Give the word for a state, kind or reason; what the catalogue does not know is shown as it is."""
    return room().words.word(language(), family, str(name))


def step(instruction: Mapping[str, Any]) -> str:
    """Say an instruction as a sentence; a station is called there as on its tile."""
    key, params = instruction.get("key"), dict(instruction.get("params") or {})
    if key == "lane_full" and is_station(str(params.get("lane"))):
        return say("station.next_full", to=station_name(str(params["lane"])))
    if "to" in params:
        params["to"] = station_name(str(params["to"]))
    return room().words.step(language(), {**instruction, "params": params})


def station_name(name: str) -> str:
    """Give what people call a station: its kind, and its short name too where there are several; else `name` itself."""
    stations = room().hub.view().snapshot.get("stations", ())
    kinds = {str(station["name"]): str(station["kind"]) for station in stations}
    if name not in kinds:
        return name
    said = word("place", kinds[name])
    return said if list(kinds.values()).count(kinds[name]) == 1 else f"{said} {name}"


def is_station(name: str) -> bool:
    """Tell whether the controller has a station called `name`."""
    return room().hub.view().station(name) is not None


def station_title(name: str) -> str:
    """Give the heading of a station's tile."""
    found = room().hub.view().station(name)
    return word("kind", found["kind"]) if found else name


def station_called(name: str) -> str:
    """Give the heading of a station's tile where it stands alone: with the short name where several are of its kind."""
    stations = room().hub.view().snapshot.get("stations", ())
    title = station_title(name)
    alike = [station for station in stations if word("kind", station["kind"]) == title]
    return f"{title} {name}" if len(alike) > 1 else title


def asker(name: str) -> str:
    """Give who asks for a decision: a station as `station_called` has it, the line, or the controller by its calendar."""
    if name == "desk":
        return word("actor", "controller")
    return say("overview.title") if name == "line" else station_called(name)


def device_state(device: Mapping[str, Any]) -> str:
    """Say in what state a machine or printer is."""
    return word("machine_state", device.get("state", ""))


def sensed(name: str, value: Any) -> str:
    """Say what a machine's sensor tells: `parcel at the stop: yes`; a name that we do not know stays as its file has it."""
    said = room().words.word(language(), "sensor", name)
    return say("sensor.yes" if value else "sensor.no", what=said) if said != name else reading(name, value)


def reading(name: str, value: Any) -> str:
    """Say a number that a machine gave: `angle 90°` for `angle_ddeg 900`."""
    for ending, size, sign in UNITS:
        if name.endswith(ending) and isinstance(value, (int, float)):
            name, value = name.removesuffix(ending), f"{value / size:g}{sign}"
    return f"{word('reading', name)} {plain(value)}"


def readings(data: Mapping[str, Any]) -> str:
    """Say the numbers that prove an effect; a picture stands among the pictures."""
    return ", ".join(reading(name, value) for name, value in data.items() if name != "picture")


def fault_of(fault: Mapping[str, Any]) -> dict[str, Any]:
    """Give a fault's words."""
    return room().words.fault(language(), fault)


def moment(at: datetime | str) -> str:
    """Say when."""
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    settings = room().settings
    return room().words.moment(language(), when, settings.clock.now(), settings.zone)


def deadline(at: datetime | str) -> str:
    """Say until when to somebody who may be anywhere: with the date and the site's zone."""
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    return room().words.deadline(language(), when, room().settings.zone)


def span(seconds: float) -> str:
    """Say how long."""
    return room().words.span(language(), seconds)


def largest(seconds: float) -> dict[str, Any]:
    """Give a length of time as one figure and its unit, for reading from afar."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return {"n": int(seconds // size), "unit": unit}
    return {"n": int(seconds), "unit": "seconds"}


def order_name(order_id: str) -> str:
    """Give the host's number of an order: people know that one."""
    return order_id.partition("-")[2] or order_id


def place(name: str) -> str:
    """Say where a parcel is: a station or slot by its name, on its way, on the shelf, gone."""
    to = name.removeprefix("to:")
    if to != name and not to.startswith("lane-"):
        return say("place.to", to=word("place", station_name(to)))
    if SLOT.fullmatch(to):
        return say("place.slot", slot=to)
    return word("place", station_name(to))


def actor(name: str) -> str:
    """Say who did something: a person by their name, a host, a courier, a buyer by what they are and their name."""
    for prefix, key in (("feed ", "feed"), ("courier ", "of_courier"), ("buyer ", "buyer")):
        if name.startswith(prefix):
            return say(f"actor.{key}", who=name.removeprefix(prefix))
    return word("actor", name)


def reason(text: str) -> str:
    """Say why something was done: by a word of the house, or as a person wrote it."""
    family = next((one for one in ("reason", "why") if room().words.knows(language(), f"{one}.{text}")), "")
    return word(family, text) if family else room().words.phrase(language(), text)


def told_as(name: str) -> str:
    """Say an event that subscribers are told of by what happened; `name` itself where we know no such event."""
    return word("event", _TOLD.get(name, name))


def witness(source: str) -> str:
    """Say who or what proved something; people by their name."""
    who = source.removeprefix("person ")
    return say("witness.person", who=who) if who != source else word("witness", source)


def angle(note_text: str) -> str:
    """Say what stands beside a picture: an angle, or the verdict on a label."""
    return f"{note_text}°" if note_text.isdecimal() else word("verdict", note_text)


def since(at: datetime) -> str:
    """Say how long ago."""
    return span((room().settings.clock.now() - at).total_seconds())


def plain(value: Any) -> str:
    """Show evidence and parameters as `name value, name value`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(plain(part) for part in value)
    if value is None or isinstance(value, bool):
        return {None: "–", True: "✓", False: "✗"}[value]
    return room().words.phrase(language(), str(value))
