"""What the driver says when it cannot commit; for whoever wraps the commit and lets it fail on purpose."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError


def locked() -> DBAPIError:
    """Give the error of a commit while somebody else holds the database."""
    return _error("database is locked", sqlite3.SQLITE_BUSY)


def full() -> DBAPIError:
    """Give the error of a commit without room on the disk."""
    return _error("database or disk is full", sqlite3.SQLITE_FULL)


def _error(text: str, code: int) -> DBAPIError:
    said = sqlite3.OperationalError(text)
    said.sqlite_errorcode = code
    return OperationalError("COMMIT", {}, said)
