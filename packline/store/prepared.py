"""Hot statements, built once: their text, and how each value goes in and comes out; run on the driver itself."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Connection, Dialect, Table, bindparam, false, literal
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import Alias, Executable, ReturnsRows, UpdateBase
from sqlalchemy.types import TypeEngine

from packline.store.columns import AsText, Json
from packline.store.hand import Hand, Values, hand_of

R = TypeVar("R")
Turn = Callable[[Any], Any]
"""Turns one value that is not null into another."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement for one kind of SQL and one set of named values."""

    text: str
    inputs: tuple[tuple[str, Any, Turn | None], ...]  # name, value if none is given, how it goes in
    outputs: tuple[tuple[int, Turn], ...]  # columns that do not come as they are
    by_name: bool

    def values(self, given: Mapping[str, Any]) -> Values:
        """Turn what is given into what the driver takes."""
        values = []
        for name, constant, turn in self.inputs:
            value = given.get(name, constant)
            values.append(value if turn is None or value is None else turn(value))
        return (
            {name: value for (name, _, _), value in zip(self.inputs, values, strict=True)} if self.by_name else values
        )

    def read(self, row: Sequence[Any]) -> list[Any]:
        """Turn what the driver gave into what the house knows."""
        values = list(row)
        for place, turn in self.outputs:
            if values[place] is not None:
                values[place] = turn(values[place])
        return values


class _Prepared:
    """One statement of SQLAlchemy Core, and its forms."""

    def __init__(self, statement: Executable) -> None:
        self._statement: Any = statement
        self._forms: dict[tuple[str, ...], _Form] = {}
        self.tables = frozenset(_tables(self._statement))
        """The names of all tables that the statement looks at or changes."""

    def _form(self, hand: Hand, connection: Connection, given: Mapping[str, Any]) -> _Form:
        key = (hand.speech, *given)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _built(self._statement, connection.dialect, list(given))
        return form


class Question(_Prepared, Generic[R]):
    """A statement that reads. `make` gets the values of a row, in the order of the columns.

    Answers are kept where it can be told that they still hold. Rows with JSON in them are made anew each time.
    """

    def __init__(self, statement: Executable, make: Callable[[list[Any]], R]) -> None:
        super().__init__(statement)
        self._make = make
        columns = self._statement.exported_columns
        self._is_shared = not any(isinstance(column.type, Json) for column in columns)

    def all(self, connection: Connection, **given: Any) -> list[R]:
        """Give all rows."""
        return list(self._answer(connection, given))

    def first(self, connection: Connection, **given: Any) -> R | None:
        """Give the first row, None without one."""
        return next(iter(self._answer(connection, given)), None)

    def _answer(self, connection: Connection, given: Mapping[str, Any]) -> Sequence[R]:
        hand = hand_of(connection)
        form = self._form(hand, connection, given)
        values = form.values(given)
        answers = hand.in_step()
        if answers is None:
            return self._made(form, hand.rows(form.text, values))
        key = (form.text, *values)
        kept = answers.get(key, self.tables)
        if kept is None:
            rows = hand.rows(form.text, values)
            kept = self._made(form, rows) if self._is_shared else rows
            answers.keep(key, self.tables, kept)
        return kept if self._is_shared else self._made(form, kept)

    def _made(self, form: _Form, rows: Sequence[Sequence[Any]]) -> list[R]:
        return [self._make(form.read(row)) for row in rows]


class Change(_Prepared):
    """A statement that writes; which columns of a row it writes is said by the values that it is given."""

    def run(self, connection: Connection, given: Mapping[str, Any]) -> int:
        """Write once; gives the number of rows that changed."""
        hand, form = self._begun(connection, [given])
        changed = hand.run(form.text, form.values(given))
        hand.has_changed(self.tables)
        return changed

    def run_all(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write once for each row, all with the same columns; nothing without rows."""
        if rows:
            hand, form = self._begun(connection, rows)
            hand.run_many(form.text, [form.values(given) for given in rows])
            hand.has_changed(self.tables)

    def value(self, connection: Connection, given: Mapping[str, Any]) -> Any:
        """Write once and give the value that RETURNING gives; None when no row changed."""
        hand, form = self._begun(connection, [given])
        rows = hand.rows(form.text, form.values(given))
        hand.has_changed(self.tables)
        return form.read(rows[0])[0] if rows else None

    def _begun(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> tuple[Hand, _Form]:
        hand = hand_of(connection)
        hand.demand_transaction()
        hand.in_step()
        form = self._form(hand, connection, rows[0])
        hand.announce(form.text, rows)
        return hand, form


def question(statement: Executable) -> Question[Any]:
    """Give a question whose rows are named tuples."""
    columns: Any = statement
    # A column may be called `count` or `index`, which every tuple has already: the field hides the method.
    row: Any = namedtuple("Row", [column.name for column in columns.exported_columns])  # type: ignore[misc]  # noqa: PYI024
    return Question(statement, row._make)


def made_of(cls: type[R], names: Sequence[str]) -> Callable[[list[Any]], R]:
    """Give what makes an object of a row whose columns are the fields `names`."""
    return lambda values: cls(**dict(zip(names, values, strict=True)))


def one_of(column: ColumnElement[Any], name: str, length: int) -> ColumnElement[bool]:
    """Say that a column is one of `length` values, which `within` names when the statement is run."""
    return column.in_([bindparam(part) for part in _parts(name, length)]) if length else false()


def among(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Say that a column is one of these very values."""
    return column.in_([literal(value, column.type) for value in values])


def within(name: str, values: Collection[Any]) -> dict[str, Any]:
    """Name the values of a list for a statement with `one_of`."""
    return dict(zip(_parts(name, len(values)), values, strict=True))


@cache
def _parts(name: str, length: int) -> tuple[str, ...]:
    return tuple(f"{name}_of_{place}" for place in range(length))


def _built(statement: Any, dialect: Dialect, names: list[str]) -> _Form:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    by_name = not compiled.positional
    order = list(compiled.params) if by_name else compiled.positiontup
    inputs = tuple((name, compiled.params[name], _going_in(compiled.binds[name], dialect)) for name in order)
    columns = statement.exported_columns if isinstance(statement, ReturnsRows) else ()
    outputs = ((place, _coming_out(column.type, dialect)) for place, column in enumerate(columns))
    turned = tuple((place, turn) for place, turn in outputs if turn is not None)
    return _Form(text=compiled.string, inputs=inputs, outputs=turned, by_name=by_name)


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
