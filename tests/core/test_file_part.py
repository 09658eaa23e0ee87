"""Values of declared files are what TOML says that they are: nothing is guessed."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from packline.core.file_part import FilePart


class Inner(FilePart):
    type: Annotated[int, Field(ge=0)] = 1


class Table(FilePart):
    days: Annotated[int, Field(ge=0)] = 0
    seconds: float | None = None
    fixed: bool = False
    sizes: tuple[int, ...] = ()
    inner: Inner = Inner()
    name: str = ""


@pytest.mark.parametrize(
    "said",
    [
        {"days": True}, {"days": "30"}, {"days": 30.0}, {"seconds": False}, {"seconds": "0.5"}, {"fixed": "yes"}, {"fixed": 1},
        {"sizes": [1, True]}, {"sizes": ["1"]}, {"inner": {"type": "3"}}, {"name": 7}, {"more": 1},
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_a_mistake(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Table.model_validate(said)


def test_a_whole_number_is_a_number_and_a_list_is_a_row() -> None:
    said = {"days": 30, "seconds": 5, "fixed": True, "sizes": [1, 2], "inner": {"type": 3}, "name": "x"}
    table = Table.model_validate(said)
    assert (table.seconds, table.sizes, table.inner.type, table.fixed) == (5.0, (1, 2), 3, True)
