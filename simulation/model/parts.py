"""What the tables of a `[model]` have in common: names, shares, counts, ways, and what holds items."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from packline.core.file_part import FilePart
from packline.core.files import Mistake, Wrong
from simulation.blocks.block import Full

NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,39}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Share = Annotated[float, Field(ge=0, le=1)]


def _whole(value: float) -> float:
    if math.isnan(value) or (math.isfinite(value) and value != int(value)):
        raise Wrong(Mistake(seen=f"{value:g}", expected="a whole number, or inf"))
    return value


Count = Annotated[float, Field(ge=0), AfterValidator(_whole)]
"""A whole number from 0 on, or inf."""
Channels = Annotated[float, Field(ge=1), AfterValidator(_whole)]


def _as_ways(given: Any) -> Any:
    if isinstance(given, str):
        return {given: 1.0}
    if not isinstance(given, dict):
        raise Wrong(Mistake(seen=repr(given)[:80], expected='a block, "out", or a table of such with probabilities'))
    return given


Ways = Annotated[dict[str, Share], BeforeValidator(_as_ways, json_schema_input_type=str | dict[str, Share])]


class Part(FilePart):
    """A table of the file."""


class Flow(Part):
    """A block that items leave by one way."""

    next: Ways = Field(description='Where items go: a block, `"out"`, or a table of such with probabilities.')


class Holding(Flow):
    """A block that may be full."""

    full: Full = Field("block", description="A full block lets givers wait (`block`) or loses what comes (`lose`).")
    overflow: Name | None = Field(None, description="The block that gets what comes while this one is full.")
