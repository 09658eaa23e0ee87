"""The `[model]` table of a scenario file: blocks, the ways between them, how long and how often it runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from simulation.model.flow_parts import (
    AssemblyPart,
    BeltPart,
    BufferPart,
    ClassPart,
    ConveyorPart,
    DivertPart,
    ForkPart,
    JoinPart,
    LimitPart,
    MergePart,
    PackPart,
    ReleasePart,
    SinkPart,
    SourcePart,
    UnpackPart,
)
from simulation.model.laws import NotNegative, Positive
from simulation.model.line_parts import (
    ApplicatorPart,
    BuyerPart,
    CheckweigherPart,
    CourierPart,
    HostPart,
    OperatorPart,
    PackerPart,
    PrinterPart,
    ScanGatePart,
    TurntablePart,
)
from simulation.model.parts import Name, Part
from simulation.model.station_parts import MachinePart, PollingPart, ServerPart

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
