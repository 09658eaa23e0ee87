"""A PostgreSQL server for tests, where PACKLINE_TEST_DATABASE names one: an empty set of books for every test, made in passing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import make_url

from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import open_store

NAMED = "PACKLINE_TEST_DATABASE"
NONE_NAMED = f"{NAMED} names no PostgreSQL server (docs/how-to/postgresql.md)"
ASKS_SQLITE = "asks SQLite for what only SQLite has"
_numbers = count(1)


def named() -> str:
    """Give the address of a database in which others can be made; "" where none is named."""
    return os.environ.get(NAMED, "")


class Server:
    """Makes and drops databases. `template` has empty books in it."""

    def __init__(self, address: str) -> None:
        import psycopg  # the one that the tests' venv may lack

        self._address = make_url(address)
        self._connect: Any = psycopg.connect
        self.template = self._made("template0")
        open_store(self.url_of(self.template), clock=ManualClock(), ids=SeededIds("empty"), inline=True).close()

    def url_of(self, name: str) -> str:
        """Give the address of a database."""
        return self._address.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def run(self, statement: str, database: str = "") -> list[Any]:
        """Run a statement, of its own transaction; gives its rows."""
        address = self._address.set(drivername="postgresql", database=database or self._address.database)
        with self._connect(address.render_as_string(hide_password=False), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def books(self, template: str = "") -> Iterator[str]:
        """Give the address of new books; they are dropped at the end, whoever has them open."""
        name = self._made(template or self.template)
        try:
            yield self.url_of(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database."""
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def close(self) -> None:
        """Drop the template."""
        self.drop(self.template)

    def _made(self, template: str) -> str:
        name = f"packline_test_{os.getpid()}_{next(_numbers)}"
        self.run(f"CREATE DATABASE \"{name}\" TEMPLATE \"{template}\" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
        return name
