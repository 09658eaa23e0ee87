"""The dashboard process of `packline up`."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from controller.books import open_line_patiently
from controller.site import Site
from controller.starting import prepare, secret_of, site_and_data
from controller.tls import tls_of
from packline.core.clock import Clock, WallClock
from packline.core.faults import Fault
from packline.core.ids import SystemIds
from packline.store import Store
from web.doors import first_admin, hash_password
from web.serve import run as serve
from web.settings import WebSettings

PEOPLE = (("floor", "operator"), ("shift-lead", "supervisor"))
"""The twin's virtual people sign in as these; only a site with a [twin] has them."""


def run_web(path: Path, clock: Clock | None = None) -> int:
    """Serve the dashboard until SIGTERM; default: by the wall clock."""
    prepare()
    clock = clock or WallClock()
    site, data = site_and_data(path)
    store = open_line_patiently(site, data, clock=clock, ids=SystemIds())
    _welcome(store, data, clock)
    if site.twin and site.twin.people_password:
        _admit_people(store, site.twin.people_password, clock)
    serve(_settings(site, data, store, clock), site.web.host, site.web.port, tls=tls_of(site.web, path))
    return 0


def _settings(site: Site, data: Path, store: Store, clock: Clock) -> WebSettings:
    return WebSettings(
        store=store,
        clock=clock,
        ids=SystemIds(),
        data=data,
        secret=secret_of(data),
        title=site.site.title,
        zone=ZoneInfo(site.site.time_zone),
        languages=site.site.languages,
        feeds={name: part.keys() for name, part in site.feeds.items()},
        couriers={name: part.keys() for name, part in site.couriers.items()},
        no_answer=site.policy.no_answer,
        video_url=f":{site.web.video_port}",
        buyer_url=site.web.public_url,
        https=site.web.is_https,
    )


def _welcome(store: Store, data: Path, clock: Clock) -> None:
    """Make the first administrator; the password is shown once, by `up`, which reads this file and removes it."""
    password = first_admin(store, SystemIds(), clock)
    if password:
        note = data / "first-admin"
        note.touch(0o600)
        note.write_text(password)


def _admit_people(store: Store, password: str, clock: Clock) -> None:
    now = clock.now()
    for name, role in PEOPLE:
        try:
            if store.users.get(name) is None:
                store.users.create(name, role=role, password_hash=hash_password(password), now=now)
        except Fault:
            continue  # the other process was quicker
