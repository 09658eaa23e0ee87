"""The menu: the pages that a visitor may open, and what waits for people behind each."""

from __future__ import annotations

import json
from typing import Any

from flask import url_for

from packline.core.faults import Fault
from web.acting import has_role
from web.guard import visitor
from web.live import View
from web.room import room

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
