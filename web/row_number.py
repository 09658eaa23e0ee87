"""The number of a row of the books, as an address or a request may name it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from werkzeug.routing import IntegerConverter, Map

MOST = 2**63 - 1
"""The largest whole number that both kinds of database keep."""

RowNumber = Annotated[int, Field(ge=0, le=MOST)]


class RowConverter(IntegerConverter):
    """Matches `<int:...>` of an address up to MOST: a page of a larger number does not exist."""

    regex = r"\d{1,19}"

    def __init__(self, map: Map) -> None:  # noqa: A002 - Werkzeug's word
        super().__init__(map, max=MOST)
