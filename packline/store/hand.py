"""A connection whose hot statements and transactions go straight to the driver."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from packline.store.answers import Answers

Values = Sequence[Any] | Mapping[str, Any]
"""What goes into a statement, as the driver's parameter style wants it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is told to those who listen for `before_cursor_execute`: the values as they were before they became text."""

    compiled_parameters: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How transactions begin ("" where the driver begins them), and how it is known that an answer still holds."""

    begin_reading: str = ""
    begin_writing: str = ""
    keeps_answers: bool = False
    version: str = ""
    """Asks for a number that changes when others commit; "" where there are no others."""
    mark: str = ""
    """Waits for its turn to write and names the transaction in the last column; "" where BEGIN waits, and a commit cannot be in doubt."""
    cannot_write_reading: bool = False
    """Whether what `begin_reading` begins refuses changes, and has nothing to take back."""


SQLITE_FILE = Manners(
    begin_reading="BEGIN", begin_writing="BEGIN IMMEDIATE", keeps_answers=True, version="PRAGMA data_version"
)
SQLITE_MEMORY = Manners(begin_writing="BEGIN IMMEDIATE", keeps_answers=True)
OTHER = Manners()
_FAILED = 3  # PQTRANS_INERROR of libpq


class Hand:
    """Runs texts on the driver's own connection; errors are those of SQLAlchemy."""

    def __init__(self, connection: Connection, manners: Manners = OTHER) -> None:
        self._connection = connection
        dialect = connection.dialect
        driver = connection.connection.dbapi_connection
        if driver is None:
            raise ValueError("a connection without a driver")
        self.speech = f"{dialect.name}+{dialect.driver}"
        """The kind of SQL that is spoken here."""
        self._manners = manners
        self._answers = Answers() if manners.keeps_answers else None
        self._driver: Any = driver
        self._cursor = driver.cursor()
        self._errors = dialect.loaded_dbapi.Error
        self._has_changes = False
        self.mark = ""
        """What the server calls the transaction that may change something; "" between them."""
        self._listeners = tuple(connection.dispatch.before_cursor_execute)

    # --- statements

    def rows(self, text: str, values: Values = ()) -> Sequence[Sequence[Any]]:
        """Run a statement and give all its rows."""
        try:
            self._cursor.execute(text, values)
            return self._cursor.fetchall()
        except self._errors as error:
            raise self._wrapped(error, text) from error

    def run(self, text: str, values: Values = ()) -> int:
        """Run a statement that has no rows; gives the number of rows that it changed."""
        try:
            self._cursor.execute(text, values)
            return self._cursor.rowcount
        except self._errors as error:
            raise self._wrapped(error, text) from error

    def run_many(self, text: str, values: Sequence[Any]) -> None:
        """Run a statement once for each of `values`."""
        try:
            self._cursor.executemany(text, values)
        except self._errors as error:
            raise self._wrapped(error, text) from error

    def announce(self, text: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Tell those who listen on the engine what will be written."""
        for listener in self._listeners:
            listener(self._connection, self._cursor, text, (), Heard(rows), len(rows) > 1)

    # --- transactions

    def begin_reading(self) -> None:
        """Begin to look at one state of the books; in memory nobody else can change it."""
        self._begin(self._manners.begin_reading)

    def begin_writing(self) -> None:
        """Begin a transaction that may change something."""
        self._begin(self._manners.begin_writing)
        if self._manners.mark:
            self.mark = str(self.rows(self._manners.mark)[0][-1])

    def end_reading(self) -> None:
        """Let go of the state that was looked at."""
        if self._manners.cannot_write_reading:
            # A driver may forget its prepared statements with a transaction that is taken back (psycopg does).
            self.commit()
        else:
            self.rollback()

    def _begin(self, how: str) -> None:
        if how:
            self.run(how)
        if how and self._answers is not None and self._manners.version:
            # Inside the transaction: the number belongs to the state that its questions see.
            self._answers.seen_version(self.rows(self._manners.version)[0][0])

    def save(self) -> None:
        """Mark a place in the transaction that can be gone back to."""
        self.run("SAVEPOINT work")

    def release_save(self) -> None:
        """Forget the mark."""
        self.run("RELEASE SAVEPOINT work")

    def back_to_save(self) -> None:
        """Take back what was changed since the mark."""
        self.forget()
        self.run("ROLLBACK TO SAVEPOINT work")
        self.run("RELEASE SAVEPOINT work")

    def demand_transaction(self) -> None:
        """See that a change is in a transaction: one that nobody began is taken back when the connection is let go."""
        if not self._is_begun() and not self._connection.in_transaction():
            self._connection.begin()

    def commit(self) -> None:
        """Make durable what was changed."""
        self._demand_sound()
        if self._connection.in_transaction():
            self._connection.commit()
        else:
            self._finish(self._driver.commit)
        self._has_changes, self.mark = False, ""

    def rollback(self) -> None:
        """Take back what was not committed, and the answers that told of it."""
        if self._has_changes:
            self.forget()
            self._has_changes = False
        self.mark = ""
        if self._connection.in_transaction():
            self._connection.rollback()
        elif self._is_begun():
            self._finish(self._driver.rollback)

    def _demand_sound(self) -> None:
        """A server answers "done" to the commit of a transaction in which a statement failed, and takes it back."""
        info = getattr(self._driver, "info", None)
        if info is not None and info.transaction_status == _FAILED:
            raise RuntimeError("work that went on after a statement had failed")

    def _is_begun(self) -> bool:
        begun = getattr(self._driver, "in_transaction", None)
        return bool(self._driver.info.transaction_status if begun is None else begun)

    def _finish(self, how: Callable[[], None]) -> None:
        try:
            how()
        except self._errors as error:
            raise self._wrapped(error, how.__name__) from error

    # --- answers

    def in_step(self) -> Answers | None:
        """Give the answers that may be asked: forgotten if rows were changed by a way that does not tell them."""
        answers = self._answers
        if answers is not None and answers.known_changes != self._driver.total_changes:
            answers.forget()
            answers.known_changes = self._driver.total_changes
            self._has_changes = True
        return answers

    def has_changed(self, tables: Collection[str]) -> None:
        """Note a change that this hand made."""
        self._has_changes = True
        if self._answers is not None:
            self._answers.changed(tables)
            self._answers.known_changes = self._driver.total_changes

    def forget(self) -> None:
        """Keep no answer of what was."""
        if self._answers is not None:
            self._answers.forget()

    def _wrapped(self, error: Exception, text: str) -> BaseException:
        dialect = self._connection.dialect
        is_lost = dialect.is_disconnect(error, self._driver, self._cursor)  # type: ignore[arg-type]  # the driver's own
        wrapped = DBAPIError.instance(text, None, error, self._errors, connection_invalidated=is_lost, dialect=dialect)
        if is_lost:
            self._connection.invalidate(error)
        return wrapped


class Db(Connection):
    """A connection with a hand."""

    def __init__(self, engine: Engine, manners: Manners) -> None:
        super().__init__(engine)
        self.hand = Hand(self, manners)


def hand_of(connection: Connection) -> Hand:
    """Give a connection's hand; one without gets it for this statement, in a transaction as SQLAlchemy would begin it."""
    if isinstance(connection, Db):
        return connection.hand
    if not connection.in_transaction():
        connection.begin()
    return Hand(connection)
