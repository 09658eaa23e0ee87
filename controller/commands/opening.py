"""Opens a site's books for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.site import load_site
from controller.starting import data_of, database_url
from packline.core.clock import WallClock
from packline.core.ids import SystemIds
from packline.store import Store, open_store


@contextmanager
def open_books(site: Path) -> Iterator[Store]:
    """Give the open books of a site file; closes them at the end."""
    data = data_of(load_site(site), site)
    data.mkdir(parents=True, exist_ok=True)
    store = open_store(database_url(data), clock=WallClock(), ids=SystemIds())
    try:
        yield store
    finally:
        store.close()
