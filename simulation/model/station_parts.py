"""The tables of stations: what all have, and servers, machines and walking servers as in the books."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from simulation.blocks.conduct import Discipline, Preempt, SetupWhen, Vacations
from simulation.blocks.polling import PollingRule
from simulation.blocks.stops import After, Clock
from simulation.model.laws import NotNegative, Positive, Time
from simulation.model.parts import Channels, Count, Holding, Name, Part, Share


class FailurePart(Part):
    """One way in which each channel stops, or all of them together."""

    by: Clock = Field("time", description="The clock: any time it is up, working time only, or pieces.")
    every: Time = Field(description="Seconds, or pieces, from the end of one repair until the next failure.")
    repair: Time = Field(description="Seconds that it is down.")
    after: After = Field("resume", description="What becomes of the work that is broken off.")
    counts_as: Literal["down", "setup"] = Field("down", description="Which share of time it belongs to.")
    passed_on: bool = Field(False, description="The piece goes back to the head of the queue, for another channel.")
    operator: bool = Field(False, description="One of the block's operators is needed for all of it.")
    whole: bool = Field(False, description="All channels stop together, by one clock; only by `time`.")


class StockPart(Part):
    """A roll or reel: labels, ribbon, film."""

    pieces: Annotated[int, Field(ge=1)] = Field(description="Pieces that it is good for.")
    change: Time = Field(description="Seconds to put in a new one, before the next piece.")
    operator: bool = Field(False, description="One of the block's operators does it.")


class StationPart(Holding):
    """What all stations have: channels, a queue, and what may befall both."""

    channels: Channels = Field(1, description="So many work at once, or `inf`.")
    queue: Count = Field(0, description="Places besides the channels, or `inf`.")
    discipline: Discipline = Field(
        "fifo",
        description="Who is next among those of the same priority; `shortest`: least work left; `ageing`: who has waited longest, "
        "the time times the `gain` of the class; `shared`: all are worked on at once "
        "(processor sharing), and there is nothing else but service times, channels, places and `initial`.",
    )
    preempt: Preempt = Field(
        "no",
        description="Whether a better one breaks work off, and what becomes of that work: the rest of it (`resume`), all again "
        "with the same time (`repeat`) or with a new one (`restart`).",
    )
    blocking: Literal["after", "before"] = Field(
        "after", description="Room ahead is needed after the work, or before it is begun."
    )
    setup: Time | None = Field(None, description="Time to set up.")
    setup_when: SetupWhen = Field(
        "change", description="Before each piece, when the class changes, or after an idle time."
    )
    vacation: Time | None = Field(None, description="Time that a channel is away when it finds nothing to do.")
    vacations: Vacations = Field("multiple", description="Away again and again until something waits, or once.")
    patience: Time | None = Field(None, description="Time after which who still waits gives up.")
    impatient: str = Field("", description="Where who gives up goes; left out: lost.")
    failures: list[FailurePart] = Field([], description="Ways in which each channel stops.")
    scrap: str = Field("", description="Where a piece goes that a failure spoiled; left out: scrapped.")
    operator: Name | None = Field(None, description="The block of operators of which one is needed.")
    operator_for: Literal["work", "stops"] = Field(
        "work", description="For the setup and the work (and stops that say so), or only for stops that say so."
    )
    target_s: NotNegative | None = Field(None, description="Reports the share that waited at most so long.")
    initial: dict[str, Annotated[int, Field(ge=0)]] = Field(
        {}, description='Items at the start, by class (`""`: without one).'
    )


class _Worker(StationPart):
    """What plain stations have besides."""

    service: Time = Field(description="Time of the work.")
    service_by_class: dict[Name, Time] = Field({}, description="Times of classes with another one.")
    batch: Channels = Field(1, description="So many are worked on at once, begun together and done together, or `inf`.")
    batch_least: Annotated[int, Field(ge=1)] = Field(1, description="A batch is not begun with fewer.")
    batch_wait_s: NotNegative | None = Field(
        None, description="It is, when the one who waited longest has waited so long."
    )
    batch_each: Time | None = Field(None, description="Time that each piece of a batch adds.")
    batch_open: bool = Field(
        False, description="Who comes while a batch at work has room joins it, and is done with it."
    )
    balk: list[Share] = Field(
        [],
        description="Probabilities that who finds 0, 1, 2 ... there does not stay; the last one counts for more. Who does not "
        "goes the way of `impatient`.",
    )
    balk_by_class: dict[Name, Annotated[list[Share], Field(min_length=1)]] = Field(
        {}, description="The same for classes with other ones: guard channels, trunk reservation."
    )
    start_at: Annotated[int, Field(ge=1)] = Field(
        1, description="After it was empty nothing is begun before so many are there (N-policy)."
    )
    speeds: list[Positive] = Field(
        [],
        description="With discipline `shared`: work done in a second with 1, 2, 3 ... there; the last one counts for more.",
    )


class ServerPart(_Worker):
    """A queue and channels: any textbook station."""

    kind: Literal["server"]
    queue: Count = Field(math.inf, description="Places besides the channels; left out: no end.")


class MachinePart(_Worker):
    """A machine: like a server, but without a queue of its own unless it is said."""

    kind: Literal["machine"]


class PollingPart(StationPart):
    """One server that walks from queue to queue, one for each class, also while all are empty."""

    kind: Literal["polling"]
    queue: Count = Field(math.inf, description="Places besides the channel, of all classes together; left out: no end.")
    service: Time = Field(description="Time of the work.")
    service_by_class: dict[Name, Time] = Field({}, description="Times of classes with another one.")
    order: Annotated[list[Name], Field(min_length=1)] = Field(description="The classes, as it comes to their queues.")
    rule: PollingRule = Field(
        "exhaustive",
        description="Serves until the queue is empty, those who were there when it came (`gated`), or at most `most`.",
    )
    most: Annotated[int, Field(ge=1)] = Field(1, description="Services of one visit, for `limited`.")
    walk: Time = Field(description="Time to the next queue.")
