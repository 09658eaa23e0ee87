"""The `[model]` table of a scenario file: blocks, the ways between them, how long and how often it runs."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from packline.core.files import Mistake, Wrong
from simulation.blocks.block import Full
from simulation.blocks.buffers import Order
from simulation.blocks.conduct import Discipline, Preempt, SetupWhen, Vacations
from simulation.blocks.polling import PollingRule
from simulation.blocks.routes import MergeRule
from simulation.blocks.sources import Blocked
from simulation.blocks.stops import After, Clock
from simulation.model.laws import Law, NotNegative, Positive, Time

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


class Part(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Flow(Part):
    next: Ways = Field(description='Where items go: a block, `"out"`, or a table of such with probabilities.')


class _Holding(_Flow):
    full: Full = Field("block", description="A full block lets givers wait (`block`) or loses what comes (`lose`).")
    overflow: Name | None = Field(None, description="The block that gets what comes while this one is full.")


class ClassPart(Part):
    """A class of items."""

    priority: int = Field(0, description="A lower number goes first.")


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


class SourcePart(_Flow):
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


class BufferPart(_Holding):
    """Places between two blocks."""

    kind: Literal["buffer"]
    capacity: Count = Field(math.inf, description="Places; 0 passes on what the next block takes.")
    discipline: Order = Field("fifo", description="Who leaves first among those of the same priority.")
    initial: dict[str, int] = Field({}, description='Items at the start, by class (`""`: without one).')


class ConveyorPart(_Holding):
    """Zones with a photo-eye each; items close up (zero-pressure accumulation)."""

    kind: Literal["conveyor"]
    zones: Annotated[int, Field(ge=1, le=100)] = Field(description="Zones, one item each.")
    zone_s: Positive = Field(1.5, description="Seconds to travel one zone.")


class BeltPart(_Holding):
    """A belt that stops as a whole while the item at its end cannot go on."""

    kind: Literal["belt"]
    travel_s: Positive = Field(description="Seconds from end to end.")
    gap_s: NotNegative = Field(description="Least seconds of movement between two items.")


class MergePart(_Flow):
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


class JoinPart(_Flow):
    """Siblings wait here until all are there, and go on as the one that they were forked from; others pass."""

    kind: Literal["join"]
    capacity: Count = Field(math.inf, description="Places for those who wait; the last of a family needs none.")


class AssemblyPart(_Flow):
    """Puts parts of several classes together, as soon as what follows takes what they make; no time."""

    kind: Literal["assembly"]
    needs: dict[Name, Annotated[int, Field(ge=1)]] = Field(
        description="So many of each class; items of other classes pass."
    )
    makes: Name | None = Field(None, description="The class of what is made; left out: none.")
    places: Count = Field(math.inf, description="Places for each class.")


class PackPart(_Holding):
    """Several into one: a carton, a pallet, a transfer batch; no time."""

    kind: Literal["pack"]
    pieces: Annotated[int, Field(ge=1)] = Field(description="So many go in.")
    makes: Name | None = Field(None, description="The class of what is made; left out: that of the first piece.")
    wait_s: NotNegative | None = Field(None, description="Goes with fewer when the first piece has waited so long.")
    capacity: Count = Field(math.inf, description="Places for pieces.")


class UnpackPart(_Flow):
    """Takes out what is inside, piece by piece; what was never packed becomes `pieces` new ones."""

    kind: Literal["unpack"]
    pieces: Annotated[int, Field(ge=1)] = Field(1, description="So many of one in which nothing is.")
    makes: Name | None = Field(None, description="The class of new ones; left out: that of the one they come from.")


class LimitPart(_Flow):
    """Lets in so many until they pass the `release` of it or leave the line: CONWIP, kanban, a window. No time."""

    kind: Literal["limit"]
    most: Annotated[int, Field(ge=1)] = Field(description="So many at once.")


class ReleasePart(_Flow):
    """Where the part of the line ends that a `limit` guards. No time."""

    kind: Literal["release"]
    limit: Name = Field(description="The limit.")


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


class StationPart(_Holding):
    """What all stations have: channels, a queue, and what may befall both."""

    channels: Channels = Field(1, description="So many work at once, or `inf`.")
    queue: Count = Field(0, description="Places besides the channels, or `inf`.")
    discipline: Discipline = Field(
        "fifo",
        description="Who is next among those of the same priority; `shortest`: least work left; `shared`: all are worked on at once "
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


class TurntablePart(StationPart):
    """The turntable: turns, and a picture after each."""

    kind: Literal["turntable"]
    pictures: Annotated[int, Field(ge=1)] = Field(4, description="Pictures of a piece.")
    turn: Time = Field(default_factory=lambda: _seconds(1.0), description="One turn; left out: 1 s.")
    picture: Time = Field(default_factory=lambda: _seconds(0.2), description="One picture; left out: 0.2 s.")


class PrinterPart(StationPart):
    """A label printer with a roll, and a ribbon where it has one."""

    kind: Literal["printer"]
    print: Time = Field(default_factory=lambda: _seconds(1.0), description="One label; left out: 1 s.")
    roll: StockPart | None = Field(None, description="The roll of labels.")
    ribbon: StockPart | None = Field(None, description="The ribbon.")


class ApplicatorPart(StationPart):
    """The arm: puts a label on, and tries again with a new one when it does not stick."""

    kind: Literal["applicator"]
    apply: Time = Field(default_factory=lambda: _seconds(2.5), description="One try; left out: 2.5 s.")
    stick_share: Share = Field(1.0, description="Probability that a label sticks.")
    tries: Annotated[int, Field(ge=1, le=100)] = Field(3, description="After so many the piece has failed.")
    failed: str = Field("", description="Where a failed one goes; left out: on, like the others.")
    roll: StockPart | None = Field(None, description="A roll of labels of its own.")


class PackerPart(StationPart):
    """A packaging machine; its states are also said in PackML's words."""

    kind: Literal["packer"]
    seal: Time = Field(default_factory=lambda: _seconds(5.0), description="One carton; left out: 5 s.")
    film: StockPart | None = Field(None, description="The reel of film or tape.")


class CheckweigherPart(StationPart):
    """Weighs; what is outside of its limits is rejected."""

    kind: Literal["checkweigher"]
    weigh: Time = Field(default_factory=lambda: _seconds(1.0), description="One weighing; left out: 1 s.")
    weight_kg: Time = Field(description="The weight of a piece, kg.")
    low_kg: NotNegative = Field(0.0, description="Least good weight.")
    high_kg: NotNegative = Field(60.0, description="Greatest good weight.")
    reject: str = Field("", description="Where rejected ones go; left out: on, like the others.")


class ScanGatePart(StationPart):
    """Reads the label, and tries again when it cannot."""

    kind: Literal["scan_gate"]
    scan: Time = Field(default_factory=lambda: _seconds(0.5), description="One try; left out: 0.5 s.")
    read_share: Share = Field(1.0, description="Probability that a try reads.")
    tries: Annotated[int, Field(ge=1, le=100)] = Field(3, description="After so many it is a no-read.")
    no_read: str = Field("", description="Where no-reads go; left out: on, like the others.")


class BuyerPart(StationPart):
    """Buyers who look at a picture and answer, all at once and each for themselves."""

    kind: Literal["buyer"]
    channels: Channels = Field(math.inf, description="So many at once.")
    answer: Time = Field(description="Time until the answer.")
    refuse_share: Share = Field(0.0, description="Probability of a no.")
    most_s: Positive | None = Field(None, description="After so long it counts as silence.")
    refused: str = Field("", description="Where refused ones go; left out: on, like the others.")
    silent: str = Field("", description="Where those without an answer go; left out: on, like the others.")


class HostPart(StationPart):
    """A host system that is asked and answers, or is asked again."""

    kind: Literal["host"]
    channels: Channels = Field(math.inf, description="So many at once.")
    answer: Time = Field(description="Time of one try.")
    answer_share: Share = Field(1.0, description="Probability that a try is answered.")
    tries: Annotated[int, Field(ge=1, le=1000)] = Field(10, description="After so many it has failed.")
    wait_s: NotNegative = Field(1.0, description="Seconds between two tries.")
    failed: str = Field("", description="Where failed ones go; left out: on, like the others.")


class CourierPart(_Holding):
    """Takes away what stands on its shelf, now and then."""

    kind: Literal["courier"]
    every: Time = Field(description="Time between two visits.")
    load: Count = Field(math.inf, description="Most items of one visit.")
    capacity: Count = Field(math.inf, description="Places on the shelf.")


class ShiftPart(Part):
    """When operators are there."""

    from_s: NotNegative = Field(description="Second of the cycle.")
    to_s: Positive = Field(description="Second of the cycle.")
    count: Annotated[int, Field(ge=0)] = Field(1, description="So many, added to those of other shifts.")


class OperatorPart(Part):
    """People whom stations need. What is begun is finished after the end of a shift."""

    kind: Literal["operator"]
    count: Annotated[int, Field(ge=1)] = Field(1, description="So many, always; not with shifts.")
    shifts: list[ShiftPart] = Field([], description="When they are there.")
    cycle_s: Positive = Field(86400.0, description="Seconds after which the shifts begin anew.")


AnyStation = (
    ServerPart | MachinePart | PollingPart | TurntablePart | PrinterPart | ApplicatorPart | PackerPart | CheckweigherPart
    | ScanGatePart | BuyerPart | HostPart
)  # fmt: skip
AnyBlock = (
    SourcePart | SinkPart | BufferPart | ConveyorPart | BeltPart | MergePart | DivertPart | ForkPart | JoinPart
    | AssemblyPart | PackPart | UnpackPart | LimitPart | ReleasePart | CourierPart | OperatorPart | AnyStation
)  # fmt: skip
BLOCKS: dict[str, type[Part]] = {
    "source": SourcePart, "sink": SinkPart, "buffer": BufferPart, "conveyor": ConveyorPart, "belt": BeltPart,
    "merge": MergePart, "divert": DivertPart, "fork": ForkPart, "join": JoinPart, "assembly": AssemblyPart,
    "pack": PackPart, "unpack": UnpackPart, "limit": LimitPart, "release": ReleasePart, "server": ServerPart, "machine": MachinePart, "polling": PollingPart,
    "operator": OperatorPart,
    "turntable": TurntablePart, "printer": PrinterPart, "applicator": ApplicatorPart, "packer": PackerPart,
    "checkweigher": CheckweigherPart, "scan_gate": ScanGatePart, "buyer": BuyerPart, "courier": CourierPart,
    "host": HostPart,
}  # fmt: skip
"""Every kind of block by its word."""


class _Head(Part):
    title: str = Field("", description="What it is, for people.")
    horizon_s: Positive = Field(description="Seconds of one run.")
    warmup_s: NotNegative | Literal["mser"] = Field(
        0.0, description='Seconds at the beginning that do not count, or `"mser"`: found by MSER-5 from pilot runs.'
    )
    replications: Annotated[int, Field(ge=1, le=100_000)] = Field(10, description="Independent runs.")
    seed: int = Field(1, description="What the random numbers come from.")
    level: Annotated[float, Field(gt=0, lt=1)] = Field(0.95, description="Level of the intervals.")
    antithetic: bool = Field(False, description="Each second run mirrors the one before it (u becomes 1 - u).")
    classes: dict[Name, ClassPart] = Field({}, description="Classes of items.")


class Shell(_Head):
    """The model with blocks not looked at yet."""

    blocks: dict[Name, dict[str, Any]]


class Model(_Head):
    """A line or a queue: its blocks, and how it is run."""

    blocks: dict[Name, Annotated[AnyBlock, Field(discriminator="kind")]] = Field(
        description="The blocks by name; what else a block has depends on its `kind`."
    )


class ModelFile(Part):
    """A scenario file with a model in it."""

    model: Model = Field(description="A line or a queue: its blocks, and how it is run.")


def _seconds(value: float) -> Law:
    return Law(kind="deterministic", mean=value)
