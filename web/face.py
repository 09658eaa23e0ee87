"""What templates may call: words, times, assets, who is here and how the line is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from flask import Flask, g, render_template, request, url_for

from packline.core.faults import Fault, Severity
from packline.core.identity import Lpn
from packline.store.views import URGENCY
from web.acting import has_role
from web.guard import visitor
from web.live import View
from web.masking import masked
from web.room import room
from web.words import HTML_LANGS, LANGUAGE_NAMES, short

UNITS = (("_ddeg", 10, "°"), ("_deg", 1, "°"), ("_pct", 1, " %"), ("_kg", 1, " kg"))
"""What the name of a machine's number ends with, by what it is divided, and the sign of its unit."""
THEMES = ("auto", "light", "dark")
PREFERENCE_S = 365 * 86400

# page, endpoint, least role, what it counts
NAV = (
    ("line", "overview.page", "viewer"),
    ("plan", "plan.page", "viewer"),
    ("orders", "orders.listing", "viewer"),
    ("exceptions", "exceptions.listing", "viewer"),
    ("alarms", "alarms.listing", "viewer"),
    ("quarantine", "quarantine.listing", "operator"),
    ("items", "items.listing", "viewer"),
    ("users", "users.listing", "admin"),
)


def install(app: Flask) -> None:
    """Give templates their words and filters."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.filters["deadline"] = deadline
    app.jinja_env.filters["span"] = span
    app.jinja_env.filters["iso"] = lambda at: at.isoformat(timespec="seconds")
    app.jinja_env.filters["short"] = short
    app.jinja_env.filters["plain"] = plain
    app.jinja_env.filters["in_turn"] = in_turn
    app.jinja_env.filters["readings"] = readings
    app.jinja_env.filters["order_name"] = order_name
    app.jinja_env.filters["place"] = place
    app.jinja_env.filters["station_called"] = station_called
    app.jinja_env.filters["phrase"] = lambda text: room().words.phrase(language(), text)
    app.jinja_env.filters["angle"] = angle
    app.jinja_env.tests["lpn"] = Lpn.is_lpn
    app.jinja_env.globals.update(
        t=say,
        word=word,
        witness=witness,
        step=step,
        fault_of=fault_of,
        asset=asset,
        since=since,
        priority=priority,
        station_name=station_title,
        station_called=station_called,
        asker=asker,
        device_state=device_state,
        sensed=sensed,
    )
    app.context_processor(surroundings)


def language() -> str:
    """Give the reader's language: their choice, else their browser's."""
    if "language" not in g:
        accepted = [tag for tag, _ in request.accept_languages]
        g.language = room().words.choose(request.cookies.get("lang"), accepted)
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
    return f"{word('reading', name)} {value if isinstance(value, str) else plain(value)}"


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
    return word("place", station_name(to))


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


def priority(severity: str) -> int:
    """Give 1 (critical) .. 4 (note), the figure inside the badge."""
    return URGENCY[Severity(severity)] + 1


def plain(value: Any) -> str:
    """Show evidence and parameters as `name value, name value`."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {plain(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return " ".join(plain(part) for part in value)
    if value is None or isinstance(value, bool):
        return {None: "–", True: "✓", False: "✗"}[value]
    return room().words.phrase(language(), str(value))


def in_turn(rows: Iterable[Any], attribute: str) -> list[tuple[Any, list[Any]]]:
    """Put rows that follow each other and have the same `attribute` together, in the order in which they come."""
    return [(key, list(same)) for key, same in groupby(rows, attrgetter(attribute))]


def asset(name: str) -> str:
    """Give the address of a static file; it changes when the file does."""
    return url_for("static", filename=name, v=room().assets.get(name, ""))


def hashes(folder: Path) -> dict[str, str]:
    """Give a short hash of every static file."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()[:12] for path in files}


def page(template: str, *, status: int = 200, live: str | None = "page", **values: Any) -> tuple[str, int]:
    """Render a page. `live` names what its stream shows: "page" (counts and a nudge), a view, or None for no stream."""
    view = room().hub.view()
    url = (
        url_for("stream.events", view=live, here=request.endpoint, stamp=stamp(view))
        if live and g.get("visitor")
        else ""
    )
    return render_template(template, view=view, fresh=view.fresh, live_url=url, **values), status


def stamp(view: View) -> str:
    """Give what changes when lists from the books may have changed: the journal's number, open exceptions and alarms."""
    return f"{view.seq}.{view.snapshot.get('exceptions', 0)}.{view.snapshot.get('alarms', 0)}"


def surroundings() -> dict[str, Any]:
    """Give what every template needs."""
    settings, lang = room().settings, language()
    theme = request.cookies.get("theme", "auto")
    theme = theme if theme in THEMES else "auto"
    return {
        "site_title": settings.title,
        "person": g.get("visitor"),
        "html_lang": HTML_LANGS.get(lang, lang),
        "html_langs": HTML_LANGS,
        "language_names": LANGUAGE_NAMES,
        "other_languages": [code for code in room().words.languages if code != lang],
        "theme": theme,
        "next_theme": THEMES[(THEMES.index(theme) + 1) % len(THEMES)],
        "can": lambda least: bool(g.get("visitor")) and has_role(visitor().role, least),
        "nav": nav(str(request.endpoint)) if g.get("visitor") else [],
        "wedge": wedge(),
        "readable": readable,
        "js_words": {key: say(f"answer.{key}") for key in ("offline", "stale")}
        | {"ask_scan": say("ask.scan", code="{code}")},
    }


def readable(body: str) -> str:
    """Give of a message what the visitor may read: addresses are for supervisors."""
    return body if has_role(visitor().role, "supervisor") else masked(body) or say("quarantine.unreadable")


def wedge() -> dict[str, Any]:
    """Give the browser the rule by which a scan is told from typing."""
    rule = room().settings.wedge
    return {"prefix": rule.prefix, "suffix": rule.suffix, "gap": rule.gap_ms, "least": rule.least_chars}


def nav(here: str) -> list[dict[str, Any]]:
    """Give the entries of the menu that the visitor's role may open, with what waits behind them."""
    counts = waiting(room().hub.view())
    entries = [entry for entry in NAV if has_role(visitor().role, entry[2])]
    return [
        {
            "key": key,
            "url": url_for(endpoint),
            "here": here.split(".")[0] == endpoint.split(".")[0],
            **counts.get(key, {}),
        }
        for key, endpoint, _ in entries
    ]


def waiting(view: View) -> dict[str, dict[str, Any]]:
    """Count what waits for people, once a version of the live view; nothing while the books cannot be read."""
    kept = room().fragments.get(view.version, ("counts",), _count)
    counted: dict[str, dict[str, Any]] = json.loads(kept)
    return counted


def _count() -> str:
    if room().settings.player:  # the books tell how it ended, not how it was
        return "{}"
    views = room().settings.store.views
    try:
        severities, alarms, held = views.exception_counts(), views.alarm_count(), views.quarantine_count()
    except Fault:
        return "{}"
    worst = next((severity.value for severity, n in severities.items() if n), "")
    return json.dumps(
        {
            "exceptions": {"count": sum(severities.values()), "severity": worst, "severities": severities},
            "alarms": {"count": alarms, "severity": ""},
            "quarantine": {"count": held, "severity": ""},
        }
    )
