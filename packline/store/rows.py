"""Makes the frozen rows of a view of what a query gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select

from packline.store.hot_views import MOST_ROWS

T = TypeVar("T")


def made(cls: type[T], row: RowMapping | Mapping[str, Any]) -> T:
    """Make a dataclass of the columns that are called as its fields; others are left out."""
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # T is a dataclass
    return cls(**{name: row[name] for name in names})


def many(
    db: Connection, cls: type[T], table: Table, wanted: ColumnElement[bool], *by: ColumnElement[Any]
) -> tuple[T, ...]:
    """Give the wanted rows of a table in the order `by`, at most 500."""
    query = select(table).where(wanted).order_by(*by).limit(MOST_ROWS)
    return tuple(made(cls, row) for row in db.execute(query).mappings())
