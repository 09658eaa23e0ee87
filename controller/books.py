"""Opens a line's books: a file in its data folder, or a database on a server that this line has to itself."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from controller.site import Site
from controller.starting import books_file, database_url
from packline.core.clock import Clock, WallClock
from packline.core.faults import Fault
from packline.core.ids import Ids, SystemIds
from packline.store import Store, open_store

log = logging.getLogger("packline.start")
OWNER = "site"
"""The fact in the books that tells whose they are."""
START_TRIES, START_PAUSE_S = 40, 1.0
"""A process that starts while the server is away asks so often, with such pauses: longer, and the supervisor takes it for one that
hangs; shorter, and it takes it for one that always fails, and gives it up."""
_ONE_EACH = "Give each line a database of its own; for a line that was renamed see docs/how-to/postgresql.md."


def open_line(site: Site, data: Path, *, clock: Clock, ids: Ids, owns: bool = False) -> Store:
    """Open the books of a site; on a server, who `owns` them is their only controller.

    Raises Fault 5002 when they cannot be used, belong to another site, or have another controller.
    """
    store = open_store(database_url(data), clock=clock, ids=ids, owner=site.site.name if owns else "")
    try:
        if store.is_on_server:
            _demand_own(store, site.site.name)
    except BaseException:
        store.close()
        raise
    return store


def open_line_patiently(site: Site, data: Path, *, clock: Clock, ids: Ids, owns: bool = False) -> Store:
    """Do the same for a process that the supervisor started: a server that is away may come back. Blocks meanwhile."""
    told = ""
    for _ in range(0 if books_file(data) else START_TRIES):
        try:
            return open_line(site, data, clock=clock, ids=ids, owns=owns)
        except Fault as fault:
            if fault.text() != told:
                told = fault.text()
                log.warning("waiting for the books: %s", told)
            threading.Event().wait(START_PAUSE_S)
    return open_line(site, data, clock=clock, ids=ids, owns=owns)


def demand_own_books(site: Site, data: Path) -> None:
    """Raise Fault 5002 where the site's books on a server cannot be used now; a file is opened by whoever needs it."""
    if books_file(data) is None:
        open_line(site, data, clock=WallClock(), ids=SystemIds(), owns=True).close()


def _demand_own(store: Store, name: str) -> None:
    found = store.meta.put_first_now(OWNER, name)
    if found != name:
        seen, expected = f"the books of {found}", f"those of {name}"
        raise Fault(5002, where="PACKLINE_DATABASE", seen=seen, expected=expected, remedy=_ONE_EACH)
