"""How a page is made: what templates may call, and what every one of them is given."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from flask import Flask, g, render_template, request, url_for

from packline.core.faults import URGENCY, Severity
from packline.core.identity import Lpn
from web import menu, speech
from web.acting import has_role
from web.guard import visitor
from web.live import View
from web.masking import masked
from web.room import room
from web.troubles import held_by, line_word, stopped
from web.words import HTML_LANGS, LANGUAGE_NAMES, short

THEMES = ("auto", "light", "dark")
PREFERENCE_S = 365 * 86400


def install(app: Flask) -> None:
    """Give templates their words and filters."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["moment"] = speech.moment
    app.jinja_env.filters["deadline"] = speech.deadline
    app.jinja_env.filters["span"] = speech.span
    app.jinja_env.filters["iso"] = lambda at: at.isoformat(timespec="seconds")
    app.jinja_env.filters["short"] = short
    app.jinja_env.filters["plain"] = speech.plain
    app.jinja_env.filters["in_turn"] = in_turn
    app.jinja_env.filters["readings"] = speech.readings
    app.jinja_env.filters["order_name"] = speech.order_name
    app.jinja_env.filters["place"] = speech.place
    app.jinja_env.filters["station_called"] = speech.station_called
    app.jinja_env.filters["phrase"] = lambda text: room().words.phrase(speech.language(), text)
    app.jinja_env.filters["angle"] = speech.angle
    app.jinja_env.tests["lpn"] = Lpn.is_lpn
    app.jinja_env.globals.update(
        t=speech.say,
        word=speech.word,
        witness=speech.witness,
        actor=speech.actor,
        reason=speech.reason,
        told_as=speech.told_as,
        step=speech.step,
        fault_of=speech.fault_of,
        asset=asset,
        since=speech.since,
        priority=priority,
        station_name=speech.station_title,
        station_called=speech.station_called,
        asker=speech.asker,
        device_state=speech.device_state,
        sensed=speech.sensed,
        stopped=stopped,
        held_by=held_by,
        line_word=line_word,
    )
    app.context_processor(surroundings)


def priority(severity: str) -> int:
    """Give 1 (critical) .. 4 (note), the figure inside the badge."""
    return URGENCY[Severity(severity)] + 1


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
    settings, lang = room().settings, speech.language()
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
        "nav": menu.nav(str(request.endpoint)) if g.get("visitor") else [],
        "wedge": wedge(),
        "readable": readable,
        "js_words": {key: speech.say(f"answer.{key}") for key in ("offline", "stale", "changed")}
        | {"ask_scan": speech.say("ask.scan", code="{code}")},
    }


def readable(body: str) -> str:
    """Give of a message what the visitor may read: addresses are for supervisors."""
    return body if has_role(visitor().role, "supervisor") else masked(body) or speech.say("quarantine.unreadable")


def wedge() -> dict[str, Any]:
    """Give the browser the rule by which a scan is told from typing."""
    rule = room().settings.wedge
    return {"prefix": rule.prefix, "suffix": rule.suffix, "gap": rule.gap_ms, "least": rule.least_chars}
