"""What every page of one dashboard shares, and how a request finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from flask import current_app

from web.acting import Acting
from web.crowd import Gauge, Pacer
from web.doors import Doors, Visitor
from web.live import Fragments, Hub
from web.settings import WebSettings
from web.words import Words

KEY = "packline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One dashboard: its settings and the few objects that live as long as the process."""

    settings: WebSettings
    hub: Hub
    words: Words
    doors: Doors
    acting: Acting
    gauge: Gauge
    pacer: Pacer
    guest: Visitor | None = None
    fragments: Fragments = field(default_factory=Fragments)
    assets: dict[str, str] = field(default_factory=dict)


def room() -> Room:
    """Give the dashboard that serves this request."""
    return cast(Room, current_app.extensions[KEY])
