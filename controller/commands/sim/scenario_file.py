"""What a scenario file of a shift may say: the shift, its demand, what goes wrong, how long it may take, what must come of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, create_model, model_validator

from packline.core.figures import NEVER_IN_A_RUN
from packline.core.file_part import FilePart
from packline.core.files import Mistake, Wrong
from simulation.faults.catalogue import COMMITS, CONTROLLER, DATABASE, Seam, ids
from simulation.model.laws import NotNegative, Positive, Time
from simulation.people.demand import KNOWN_TRAITS, TRAITS
from simulation.virtual.breakages import BREAKAGES
from simulation.virtual.faults import ALL_FACTS, ENABLED, MOST_FAULTS, Campaign

DEMO = "sites/demo.toml"
MOST_ORDERS = 1_000_000
DAY_S = 86_400.0
DEVICE_PATTERN = r"^[a-z][a-z0-9-]{0,39}$"

if TYPE_CHECKING:
    Id: TypeAlias = str
    Fact: TypeAlias = str
    Trait: TypeAlias = str
    SeamName: TypeAlias = str
    Breakage: TypeAlias = str
else:
    Id = Literal[tuple(sorted(ids()))]
    Fact = Literal[tuple(sorted(ALL_FACTS))]
    Trait = Literal[tuple(sorted(KNOWN_TRAITS))]
    SeamName = Literal[tuple(seam.value for seam in Seam)]
    Breakage = Literal[tuple(BREAKAGES)]


class Part(FilePart):
    """A table of the file."""


class ShiftPart(Part):
    """The shift: which line, how many orders, and where chance begins."""

    site: str = Field(
        DEMO, description="Site file with a `[twin]`; it lies beside the scenario file, or ships with the package."
    )
    orders: Annotated[int, Field(ge=1, le=MOST_ORDERS)] = Field(24, description="How many orders the host posts.")
    seed: int = Field(1, description="The same seed gives the same journal.")
    speed: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="Motion this many times faster than life; without it the site's."
    )
    pixels: Annotated[int, Field(ge=0)] = Field(
        500, description="Draw and decode labels and pictures of every so many-th parcel; 1: all, 0: none."
    )


class DemandPart(Part):
    """What the host posts, and how its buyers are."""

    every: Time | None = Field(
        None,
        description="Simulated seconds from one order to the next, a number or a distribution (see the model file); "
        "without it 2.4 to 21.6, all alike.",
    )
    burst: Annotated[int, Field(ge=1, le=1000)] = Field(1, description="So many orders come at once.")
    shares: dict[Trait, NotNegative] = Field(
        default_factory=dict,
        description="What orders are like, by weights: see [Demand](#what-an-order-can-be-like). Without it they take turns.",
    )
    turn: Annotated[int, Field(ge=0, lt=len(TRAITS))] | None = Field(
        None,
        description="With which of the turns the first order begins, from 0; without it 0, and in a campaign what its seed draws.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.shares and self.turn is not None:
            raise Wrong(Mistake(at="turn", seen="shares and turn", expected="one of them"))
        if self.shares and sum(self.shares.values()) <= 0:
            raise Wrong(Mistake(at="shares", seen="nothing but 0", expected="at least one above 0"))
        return self


class WhenPart(Part):
    """What a fault waits for: a fact of the plant, or a commit of the controller."""

    fact: Fact | None = Field(None, description="A fact of the plant.")
    nth: Annotated[int, Field(ge=1)] = Field(1, description="The how many-th of that name.")
    commit: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Instead: the number of a commit, counted over all lives of the controller."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.fact is None) == (self.commit is None):
            seen = "nothing" if self.fact is None else "both"
            raise Wrong(Mistake(seen=seen, expected="either fact or commit"))
        return self


class FaultPart(Part):
    """One thing that goes wrong."""

    device: Annotated[str, StringConstraints(pattern=DEVICE_PATTERN)] = Field(
        description="A device of the site, or `hall`, `floor`, `buyers`, `hosts`, `subscribers`, `controller`, `database`."
    )
    fault: Id = Field(description="The kind, see [faults of the twin](twin-faults.md).")
    at_s: Annotated[float, Field(ge=0, le=100 * DAY_S)] | None = Field(
        None, description="When it begins, in seconds of the line; 0 if nothing is said."
    )
    when: WhenPart | None = Field(None, description="What it waits for, instead of a time.")
    for_s: Annotated[float, Field(gt=0, le=DAY_S)] | None = Field(
        None, description="It is mended after so many seconds of the line; without it never."
    )
    times: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="It strikes so often; only for kinds that strike."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.at_s is not None and self.when is not None:
            raise Wrong(Mistake(at="when", seen="at_s and when", expected="one of them"))
        is_of_books = self.device in (CONTROLLER, DATABASE)
        if self.when is not None and self.when.commit is not None and not is_of_books:
            raise Wrong(Mistake(at="when.commit", seen=self.device, expected=f"{CONTROLLER} or {DATABASE}"))
        if self.fault in COMMITS and (self.when is None or self.when.commit is None):
            raise Wrong(Mistake(at="when", seen="no commit", expected="a commit: when = { commit = N }, N from 1 on"))
        return self


class CampaignPart(Part):
    """What `packline sim qa` draws from, for each seed anew."""

    kinds: tuple[str, ...] = Field((), description="Ids of kinds, devices, or both (`arm-1 jam`); nothing: all.")
    seams: tuple[SeamName, ...] = Field((), description="All kinds of these seams.")
    without: tuple[str, ...] = Field((), description="Less these, named like `kinds`.")
    enabled: Annotated[float, Field(gt=0, le=1)] = Field(
        ENABLED, description="Probability of each kind of each device to be in a shift at all."
    )
    most_faults: Annotated[int, Field(ge=0, le=1000)] = Field(MOST_FAULTS, description="At most so many in a shift.")
    per_order: Positive | None = Field(None, description="Faults for each order on average, a Poisson number.")
    per_hour: Positive | None = Field(None, description="Faults in an hour of the line on average, a Poisson number.")

    def campaign(self) -> Campaign:
        """Give it as what `swarm` takes."""
        return Campaign(**self.model_dump())


COUNTED = (
    "orders_over",
    "parcels_shipped",
    "labels_printed",
    "labels_applied",
    *NEVER_IN_A_RUN,
    "events_delivered",
    "exceptions",
    "faults",
    "deaths",
    "journal_rows",
)
MEASURED = ("virtual_seconds", "mean_flow_s", "p50_flow_s", "p95_flow_s", "most_flow_s", "parcels_per_hour")
FIGURES = (*COUNTED, *MEASURED)
"""What can be expected of a run: figures of `packline sim run --json`."""
BOUNDS = {"": "Exactly.", "_ge": "At least.", "_le": "At most."}
_RISING = (("_ge", "_le"), ("_ge", ""), ("", "_le"))
"""Bounds of one figure of which the first may not be above the second: no run could be both."""


def _expectations() -> dict[str, Any]:
    return {
        f"{figure}{bound}": (NotNegative | None, Field(None, description=words))
        for figure in FIGURES
        for bound, words in BOUNDS.items()
    }


class _Expect(Part):
    """What must come of it; a run that misses any of this ends with exit code 1 and says what was seen."""

    broken: tuple[Breakage, ...] = Field(
        (),
        description="What must be found broken, by the word before the colon (see [below](#what-may-be-broken)); nothing else may be.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if mistakes := list(_contradictions(self.bounds())):
            raise Wrong(*mistakes)
        return self

    def bounds(self) -> dict[str, float]:
        """Give what is said of figures, by key."""
        return {name: value for name, value in self.model_dump(exclude={"broken"}).items() if value is not None}


def _contradictions(said: dict[str, float]) -> Iterator[Mistake]:
    for figure in FIGURES:
        for low, high in ((f"{figure}{low}", f"{figure}{high}") for low, high in _RISING):
            if low in said and high in said and said[low] > said[high]:
                yield Mistake(at=low, seen=f"{said[low]:g}", expected=f"at most {high}, which is {said[high]:g}")


if TYPE_CHECKING:
    ExpectPart = _Expect
else:
    ExpectPart = create_model("ExpectPart", __base__=_Expect, __doc__=_Expect.__doc__, **_expectations())


class Scenario(Part):
    """A whole file."""

    shift: ShiftPart = Field(ShiftPart(), description="The shift.")
    demand: DemandPart = Field(DemandPart(), description="What is ordered.")
    faults: tuple[FaultPart, ...] = Field((), description="What goes wrong, `[[faults]]` once for each.")
    campaign: CampaignPart = Field(CampaignPart(), description="What a campaign draws its faults from.")
    horizon_s: Annotated[float, Field(gt=0, le=100 * DAY_S)] | None = Field(
        None,
        description="Seconds of the line after which a shift that is not over is given up; without it 25 minutes and one for each order.",
    )
    expect: ExpectPart = Field(ExpectPart(), description="What must come of it.")
    broken: tuple[str, ...] = Field(
        (),
        description="What a stored failure showed when it was stored; a run is well when it does not show it any more.",
    )
