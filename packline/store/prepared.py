"""Hot statements, built once: their text, and how each value goes in and comes out; run on the driver itself."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Table,
    Text,
    false,
    literal,
    literal_column,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import Alias, Executable, ReturnsRows, UpdateBase
from sqlalchemy.types import TypeEngine

from packline.store.columns import AsText, Json
from packline.store.hand import Hand, Values, hand_of

MOST_QUESTIONS = 256
"""Questions of one kind that are kept built; they differ in the states, names and numbers of rows that are asked for, which are few."""

R = TypeVar("R")
Turn = Callable[[Any], Any]
"""Turns one value that is not null into another."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement for one kind of SQL and one set of named values."""

    text: str
    template: tuple[Any, ...]  # the values that are always the same, each in its place
    inputs: tuple[tuple[int, str, Turn | None], ...]  # of the others: place, name, how it goes in
    outputs: tuple[tuple[int, Turn], ...]  # columns that do not come as they are
    names: tuple[str, ...]  # of all values, for a driver that wants them by name

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """Turn what is given into what the driver takes, in the order of the text."""
        values = list(self.template)
        for place, name, turn in self.inputs:
            value = given[name]
            values[place] = value if turn is None or value is None else turn(value)
        return values

    def bound(self, values: Sequence[Any]) -> Values:
        """Give values as the driver wants them: in order or by name."""
        return dict(zip(self.names, values, strict=True)) if self.names else values

    def read(self, row: Sequence[Any]) -> list[Any]:
        """Turn what the driver gave into what the house knows."""
        values = list(row)
        for place, turn in self.outputs:
            if values[place] is not None:
                values[place] = turn(values[place])
        return values


class _Prepared:
    """One statement of SQLAlchemy Core."""

    def __init__(self, statement: Executable) -> None:
        self._statement: Any = statement
        self.tables = frozenset(_tables(self._statement))
        """The names of all tables that the statement looks at or changes."""


class Question(_Prepared, Generic[R]):
    """A statement that reads. `make` gets the values of a row, in the order of the columns.

    Answers are kept where it can be told that they still hold. Rows with JSON in them are made anew each time.
    """

    def __init__(self, statement: Executable, make: Callable[[list[Any]], R]) -> None:
        super().__init__(statement)
        self._make = make
        self._forms: dict[str, _Form] = {}
        columns = self._statement.exported_columns
        self._is_shared = not any(isinstance(column.type, Json) for column in columns)

    def all(self, connection: Connection, **given: Any) -> list[R]:
        """Give all rows."""
        return list(self._answer(connection, given))

    def first(self, connection: Connection, **given: Any) -> R | None:
        """Give the first row, None without one."""
        rows = self._answer(connection, given)
        return rows[0] if rows else None

    def know(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep `rows`, as the driver would give them, as the answer from now on: of a question without values, after a change."""
        hand = hand_of(connection)
        answers, form = hand.in_step(), self._forms.get(hand.speech)
        if answers is not None and form is not None:
            answers.keep(self.tables, (form.text, *form.template), self._made(form, rows) if self._is_shared else rows)

    def _answer(self, connection: Connection, given: Mapping[str, Any]) -> Sequence[R]:
        hand = hand_of(connection)
        form = self._forms.get(hand.speech)
        if form is None:
            form = self._forms[hand.speech] = _built(self._statement, connection.dialect, list(given))
        values = form.values(given)
        answers = hand.in_step()
        if answers is None:
            return self._made(form, hand.rows(form.text, form.bound(values)))
        key = (form.text, *values)
        kept = answers.get(self.tables, key)
        if kept is None:
            rows = hand.rows(form.text, form.bound(values))
            kept = self._made(form, rows) if self._is_shared else rows
            answers.keep(self.tables, key, kept)
        return kept if self._is_shared else self._made(form, kept)

    def _made(self, form: _Form, rows: Sequence[Sequence[Any]]) -> list[R]:
        return [self._make(form.read(row)) for row in rows]


class Change(_Prepared):
    """A statement that writes; which columns of a row it writes is said by the values that it is given."""

    def __init__(self, statement: Executable) -> None:
        super().__init__(statement)
        self._forms: dict[tuple[str, ...], _Form] = {}

    def run(self, connection: Connection, given: Mapping[str, Any]) -> int:
        """Write once; gives the number of rows that changed."""
        hand, form = self._begun(connection, (given,))
        changed = hand.run(form.text, form.bound(form.values(given)))
        hand.has_changed(self.tables)
        return changed

    def run_all(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write once for each row, all with the same columns; nothing without rows."""
        if rows:
            hand, form = self._begun(connection, rows)
            hand.run_many(form.text, [form.bound(form.values(given)) for given in rows])
            hand.has_changed(self.tables)

    def value(self, connection: Connection, given: Mapping[str, Any]) -> Any:
        """Write once and give the value that RETURNING gives; None when no row changed."""
        hand, form = self._begun(connection, (given,))
        rows = hand.rows(form.text, form.bound(form.values(given)))
        hand.has_changed(self.tables)
        return form.read(rows[0])[0] if rows else None

    def _begun(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> tuple[Hand, _Form]:
        hand = hand_of(connection)
        hand.demand_transaction()
        hand.in_step()
        key = (hand.speech, *rows[0])
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _built(self._statement, connection.dialect, list(rows[0]))
        hand.announce(form.text, rows)
        return hand, form


def question(statement: Executable) -> Question[Any]:
    """Give a question whose rows are named tuples."""
    columns: Any = statement
    # A column may be called `count` or `index`, which every tuple has already: the field hides the method.
    row: Any = namedtuple("Row", [column.name for column in columns.exported_columns])  # type: ignore[misc]  # noqa: PYI024 - named by the table
    return Question(statement, row._make)


def made_of(cls: type[R], names: Sequence[str]) -> Callable[[list[Any]], R]:
    """Give what makes an object of a row whose columns are the fields `names`."""
    return lambda values: cls(**dict(zip(names, values, strict=True)))


def one_of(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Say that a column is one of these very values."""
    return column.in_([word(value) for value in values]) if values else false()


def at_most(query: Select[Any], rows: int, skip: int = 0) -> Select[Any]:
    """Give a query that ends after `rows` rows behind `skip`; the numbers are part of the text, for the reason that `word` gives."""
    return query.limit(literal_column(str(int(rows)))).offset(literal_column(str(int(skip))))


def word(value: str) -> ColumnElement[Any]:
    """Give a word of the house as part of the text itself.

    SQLite compiles a statement anew for each run if its plan depends on a value that it is given: on one that a partial index
    is made for, or on the limit (measured: 0.2 ms, ten times what the run takes). Any other text is a value as ever.
    """
    text = str(value)
    return literal_column(f"'{text}'", Text) if text.isidentifier() and text.isascii() else literal(text, Text)


def _built(statement: Any, dialect: Dialect, names: list[str]) -> _Form:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    order = compiled.positiontup if compiled.positional else list(compiled.params)
    turns = [_going_in(compiled.binds[name], dialect) for name in order]
    constants = [None if name in names else compiled.params[name] for name in order]
    columns = statement.exported_columns if isinstance(statement, ReturnsRows) else ()
    outputs = [(place, _coming_out(column.type, dialect)) for place, column in enumerate(columns)]
    return _Form(
        text=compiled.string,
        template=tuple(
            value if turn is None or value is None else turn(value)
            for turn, value in zip(turns, constants, strict=True)
        ),
        inputs=tuple((place, name, turns[place]) for place, name in enumerate(order) if name in names),
        outputs=tuple((place, turn) for place, turn in outputs if turn is not None),
        names=() if compiled.positional else tuple(order),
    )


def _going_in(bind: BindParameter[Any], dialect: Dialect) -> Turn | None:
    kind = bind.type
    return kind.into if isinstance(kind, AsText) else kind.dialect_impl(dialect).bind_processor(dialect)


def _coming_out(kind: TypeEngine[Any], dialect: Dialect) -> Turn | None:
    return kind.back if isinstance(kind, AsText) else kind.dialect_impl(dialect).result_processor(dialect, None)


def _tables(statement: Any) -> Iterator[str]:
    if isinstance(statement, UpdateBase):
        yield str(statement.table)
    for part in visitors.iterate(statement):
        found = part.element if isinstance(part, Alias) else part
        if isinstance(found, Table):
            yield found.name
