"""The tables of blocks through which items flow: sources, stores, belts, ways, siblings, parts, caps."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from simulation.blocks.buffers import Order
from simulation.blocks.routes import MergeRule
from simulation.blocks.sources import Blocked
from simulation.model.laws import NotNegative, Positive, Time
from simulation.model.parts import Count, Flow, Holding, Name, Part, Ways


class ClassPart(Part):
    """A class of items."""

    priority: int = Field(0, description="A lower number goes first.")
    gain: Positive = Field(
        1.0, description="With discipline `ageing`: how fast its claim grows with the time that it waits."
    )


class RatePart(Part):
    """From a time on, arrivals come so many times faster."""

    from_s: NotNegative = Field(description="Second of the cycle; the first is 0.")
    times: NotNegative = Field(description="So many times the mean rate.")


class PhasePart(Part):
    """One pace of a source, for a time that is drawn."""

    times: NotNegative = Field(description="So many times the mean rate.")
    last: Time = Field(description="Seconds that the phase lasts.")
    next: Ways | None = Field(
        None,
        description="The phase that follows, or a table of phases with probabilities; left out: the next one here.",
    )


class SourcePart(Flow):
    """Where items come from. Without `every` and `at` it gives as fast as they are taken: a saturated line."""

    kind: Literal["source"]
    every: Time | None = Field(None, description="Time between two arrivals.")
    at: list[NotNegative] = Field([], description="Times of arrivals, instead of `every`.")
    first_s: NotNegative | None = Field(None, description="Time of the first arrival; left out: drawn like the others.")
    size: Time | None = Field(None, description="How many items come together.")
    profile: list[RatePart] = Field(
        [], description="Rates that change with time; with exponential times a Poisson process."
    )
    cycle_s: Positive = Field(86400.0, description="Seconds after which the profile begins anew.")
    phases: dict[Name, PhasePart] = Field(
        {},
        description="Rates that change at random, by name; it begins with the first. With exponential times a "
        "Markov-modulated Poisson process.",
    )
    together: bool = Field(
        False, description="Those of one arrival all come in, or are all lost; with `blocked` as `lose`."
    )
    mix: dict[Name, Positive] = Field({}, description="Classes and their weights; each item's is drawn.")
    blocked: Blocked = Field(
        "wait",
        description="What finds no room ahead waits outside (`wait`), is lost (`lose`), or holds the source up (`pause`).",
    )
    most: Annotated[int, Field(ge=1)] | None = Field(None, description="Ends after so many items.")


class SinkPart(Part):
    """A way out with counters of its own."""

    kind: Literal["sink"]


class BufferPart(Holding):
    """Places between two blocks."""

    kind: Literal["buffer"]
    capacity: Count = Field(math.inf, description="Places; 0 passes on what the next block takes.")
    discipline: Order = Field("fifo", description="Who leaves first among those of the same priority.")
    initial: dict[str, int] = Field({}, description='Items at the start, by class (`""`: without one).')


class ConveyorPart(Holding):
    """Zones with a photo-eye each; items close up (zero-pressure accumulation)."""

    kind: Literal["conveyor"]
    zones: Annotated[int, Field(ge=1, le=100)] = Field(description="Zones, one item each.")
    zone_s: Positive = Field(1.5, description="Seconds to travel one zone.")


class BeltPart(Holding):
    """A belt that stops as a whole while the item at its end cannot go on."""

    kind: Literal["belt"]
    travel_s: Positive = Field(description="Seconds from end to end.")
    gap_s: NotNegative = Field(description="Least seconds of movement between two items.")


class MergePart(Flow):
    """Several ways into one, without time."""

    kind: Literal["merge"]
    rule: MergeRule = Field("first_come", description="Who goes first when what follows was full.")
    order: list[Name] = Field([], description="Blocks that give to it, for `priority` and `turns`.")


class DivertPart(Part):
    """One way into several, without time."""

    kind: Literal["divert"]
    rule: Literal["chance", "class", "turns", "shortest", "first_free"] = Field(
        "chance",
        description="`chance`: by the probabilities of `next`; `class`: by `by_class`, others by `next`; the rest: one of `to`.",
    )
    next: Ways | None = Field(None, description="Ways with probabilities, or where other classes go.")
    by_class: dict[Name, Name] = Field({}, description="The way of each class.")
    to: list[Name] = Field([], description="The ways, in order.")


class ForkPart(Part):
    """One into siblings that work side by side, for a `join` to bring together; no time where there is room."""

    kind: Literal["fork"]
    to: Annotated[list[Name], Field(min_length=1)] = Field(
        description="A sibling goes to each of these, also more than one to the same."
    )


class JoinPart(Flow):
    """Siblings wait here until all are there, and go on as the one that they were forked from; others pass."""

    kind: Literal["join"]
    capacity: Count = Field(math.inf, description="Places for those who wait; the last of a family needs none.")


class AssemblyPart(Flow):
    """Puts parts of several classes together, as soon as what follows takes what they make; no time."""

    kind: Literal["assembly"]
    needs: dict[Name, Annotated[int, Field(ge=1)]] = Field(
        description="So many of each class; items of other classes pass."
    )
    makes: Name | None = Field(None, description="The class of what is made; left out: none.")
    places: Count = Field(math.inf, description="Places for each class.")


class PackPart(Holding):
    """Several into one: a carton, a pallet, a transfer batch; no time."""

    kind: Literal["pack"]
    pieces: Annotated[int, Field(ge=1)] = Field(description="So many go in.")
    makes: Name | None = Field(None, description="The class of what is made; left out: that of the first piece.")
    wait_s: NotNegative | None = Field(None, description="Goes with fewer when the first piece has waited so long.")
    capacity: Count = Field(math.inf, description="Places for pieces.")


class UnpackPart(Flow):
    """Takes out what is inside, piece by piece; what was never packed becomes `pieces` new ones."""

    kind: Literal["unpack"]
    pieces: Annotated[int, Field(ge=1)] = Field(1, description="So many of one in which nothing is.")
    makes: Name | None = Field(None, description="The class of new ones; left out: that of the one they come from.")


class LimitPart(Flow):
    """Lets in so many until they pass the `release` of it or leave the line: CONWIP, kanban, a window. No time."""

    kind: Literal["limit"]
    most: Annotated[int, Field(ge=1)] = Field(description="So many at once.")


class ReleasePart(Flow):
    """Where the part of the line ends that a `limit` guards. No time."""

    kind: Literal["release"]
    limit: Name = Field(description="The limit.")
