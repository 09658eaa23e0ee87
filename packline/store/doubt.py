"""What became of a commit whose answer was cut off: the server is asked, when it can be reached again."""

from __future__ import annotations

import threading
from contextlib import suppress

from sqlalchemy.exc import DBAPIError

from packline.store.engine import Engines
from packline.store.postgres import fate

TRIES, PAUSE_S = 20, 0.25


def was_committed(engines: Engines, mark: str) -> bool:
    """Tell whether the transaction that the server calls `mark` was committed; False also when it cannot say so in time."""
    for _ in range(TRIES):
        with suppress(DBAPIError), engines.read.connect() as connection:
            known = fate(connection, mark)
            if known is not None:
                return known
        threading.Event().wait(PAUSE_S)
    return False
