"""Opens a site's books for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controller.books import open_line
from controller.commands.folders import make_folder
from controller.site_file import load_site
from controller.starting import books_file, data_of
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.ids import SystemIds
from packline.store import Store

NO_BOOKS = "Start the line once with `packline up`, or name the site file of the line that you mean."


@contextmanager
def open_books(site: Path, *, may_make: bool = False) -> Iterator[Store]:
    """Give the open books of a site file; closes them at the end. Raises Fault 5002 where there are none yet.

    Empty books made in passing would look like a success: a backup of nothing, items that no line will ever see. Who
    `may_make` them says so.
    """
    loaded = load_site(site)
    data = data_of(loaded, site)
    file = books_file(data)
    if file is not None and not file.exists():
        if not may_make:
            raise Fault(5002, where=str(site), seen=f"no books in {file.parent}", expected=file.name, remedy=NO_BOOKS)
        make_folder(data, is_private=True)
    store = open_line(loaded, data, clock=WallClock(), ids=SystemIds())
    try:
        yield store
    finally:
        store.close()
