"""The tables of what stands on a packing line: turntable, printer, arm, packer, scale, gate, and the people around it."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from simulation.model.laws import Law, NotNegative, Positive, Time
from simulation.model.parts import Channels, Count, Holding, Part, Share
from simulation.model.station_parts import StationPart, StockPart


def _seconds(value: float) -> Law:
    return Law(kind="deterministic", mean=value)


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


class CourierPart(Holding):
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
