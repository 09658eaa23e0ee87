"""Builds the blocks of a model on a floor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulation.blocks.assembly import Assembly
from simulation.blocks.batches import Batch, BatchServer
from simulation.blocks.block import Block, Holder, Out, Taker
from simulation.blocks.buffers import Buffer, Courier
from simulation.blocks.conduct import Conduct
from simulation.blocks.conveyor import Belt, Conveyor
from simulation.blocks.crew import Crew, Shift
from simulation.blocks.draws import Deterministic, Distribution
from simulation.blocks.floor import OUT, Floor
from simulation.blocks.gathering import Join, Pack
from simulation.blocks.limits import Limit, Release
from simulation.blocks.machines import Judge, Judging, Packer, Several, Stock, asked, tries, weighed
from simulation.blocks.parting import Fork, Unpack
from simulation.blocks.polling import Polling
from simulation.blocks.routes import ByClass, ByVerdict, Chance, Divert, Merge, Ruled
from simulation.blocks.server import Server
from simulation.blocks.shared import SharedServer
from simulation.blocks.sources import Demand, Phase, Rate, Sink, Source
from simulation.blocks.stops import StopLaw
from simulation.model import flow_parts, line_parts, station_parts
from simulation.model.filling import Made, fill
from simulation.model.laws import Law
from simulation.model.model_file import Model
from simulation.model.parts import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A model that stands: its floor and its blocks by name."""

    floor: Floor
    blocks: Mapping[str, Made]


def build(model: Model, floor: Floor) -> Line:
    """Build a model that was checked. Nothing moves before the floor runs."""
    made: dict[str, Made] = {
        name: Crew(floor, name, count=part.count, shifts=_shifts(part), cycle_s=part.cycle_s)
        for name, part in model.blocks.items()
        if isinstance(part, line_parts.OperatorPart)
    }
    for name, part in model.blocks.items():
        if not isinstance(part, line_parts.OperatorPart):
            made[name] = _make(floor, name, part, model, made)
    door = fill(model, made)
    line = _Connected(floor, made)
    for name, part in model.blocks.items():
        line.connect(name, part)
    door.open()
    for block in made.values():
        if isinstance(block, Block):
            block.had = block.number.value
        if isinstance(block, Source):
            block.start()
    return Line(floor=floor, blocks=made)


# -- one block -----------------------------------------------------------------------------------------------------------


def _make(floor: Floor, name: str, part: Part, model: Model, made: Mapping[str, Made]) -> Block:
    match part:
        case flow_parts.SourcePart():
            return Source(floor, name, _demand(part, model))
        case flow_parts.SinkPart():
            return Sink(floor, name)
        case flow_parts.BufferPart():
            return Buffer(floor, name, capacity=part.capacity, order=part.discipline, full=part.full)
        case flow_parts.ConveyorPart():
            return Conveyor(floor, name, zones=part.zones, zone_s=part.zone_s, full=part.full)
        case flow_parts.BeltPart():
            return Belt(floor, name, travel_s=part.travel_s, gap_s=part.gap_s, full=part.full)
        case line_parts.CourierPart():
            every = part.every.distribution()
            return Courier(floor, name, every=every, load=part.load, capacity=part.capacity, full=part.full)
        case flow_parts.MergePart():
            return Merge(floor, name, rule=part.rule, order=part.order)
        case flow_parts.DivertPart():
            return Divert(floor, name)
        case station_parts.StationPart():
            return _station(floor, name, part, model, made)
        case _:
            return _gathering(floor, name, part, model)


def _gathering(floor: Floor, name: str, part: Part, model: Model) -> Block:
    """Make what has several come together, or one come apart, or counts who is between."""
    makes = getattr(part, "makes", None)
    priority = model.classes[makes].priority if makes else None
    match part:
        case flow_parts.ForkPart():
            return Fork(floor, name)
        case flow_parts.JoinPart():
            return Join(floor, name, capacity=part.capacity)
        case flow_parts.AssemblyPart():
            return Assembly(
                floor, name, needs=part.needs, makes=makes or "", priority=priority or 0, places=part.places
            )
        case flow_parts.PackPart():
            more = {"pieces": part.pieces, "makes": makes or "", "priority": priority}
            return Pack(floor, name, **more, wait_s=part.wait_s, capacity=part.capacity, full=part.full)  # type: ignore[arg-type]  # the values of `more` are of many types
        case flow_parts.UnpackPart():
            return Unpack(floor, name, pieces=part.pieces, makes=makes or "", priority=priority)
        case flow_parts.LimitPart():
            return Limit(floor, name, most=part.most)
        case _:
            return Release(floor, name)


def _demand(part: flow_parts.SourcePart, model: Model) -> Demand:
    return Demand(
        every=_law(part.every),
        at=part.at,
        size=_law(part.size),
        profile=[Rate(from_s=rate.from_s, times=rate.times) for rate in part.profile],
        cycle_s=part.cycle_s,
        kinds=list(part.mix.items()),
        priorities={kind: one.priority for kind, one in model.classes.items()},
        blocked=part.blocked,
        most=math.inf if part.most is None else part.most,
        first_at_s=part.first_s,
        phases=_phases(part.phases),
        is_together=part.together,
    )


def _phases(phases: Mapping[str, flow_parts.PhasePart]) -> list[Phase]:
    names = list(phases)
    following = {name: {names[(n + 1) % len(names)]: 1.0} for n, name in enumerate(names)}
    return [
        Phase(
            times=phase.times,
            last=phase.last.distribution(),
            ways=[(names.index(to), share) for to, share in (phase.next or following[name]).items()],
        )
        for name, phase in phases.items()
    ]


def _shifts(part: line_parts.OperatorPart) -> list[Shift]:
    return [Shift(from_s=shift.from_s, to_s=shift.to_s, count=shift.count) for shift in part.shifts]


def _law(law: Law | None) -> Distribution | None:
    return None if law is None else law.distribution()


def _station(floor: Floor, name: str, part: Any, model: Model, made: Mapping[str, Made]) -> Block:
    if part.discipline == "shared":
        return _shared(floor, name, part)
    judge = _judge(part)
    service = Deterministic(0.0) if judge else _service(part)
    crew = made[part.operator] if part.operator else None
    assert crew is None or isinstance(crew, Crew)  # checked with the file  # noqa: S101
    stocks = {key: stock for key in ("roll", "ribbon", "film") if (stock := getattr(part, key, None)) is not None}
    conduct = Conduct(
        service=service,
        service_of={kind: law.distribution() for kind, law in getattr(part, "service_by_class", {}).items()},
        channels=part.channels,
        queue=part.queue,
        discipline=part.discipline,
        gains={kind: one.gain for kind, one in model.classes.items()},
        preempt=part.preempt,
        full=part.full,
        blocking=part.blocking,
        setup=_law(part.setup),
        setup_when=part.setup_when,
        vacation=_law(part.walk if isinstance(part, station_parts.PollingPart) else part.vacation),
        vacations=part.vacations,
        patience=_law(part.patience),
        stops=[*map(_stop, part.failures), *(_stock(stock).law(name) for name, stock in stocks.items())],
        crew=crew,
        is_crew_for_work=part.operator_for == "work",
        target_s=part.target_s,
        balk=getattr(part, "balk", ()),
        balk_of=getattr(part, "balk_by_class", {}),
        start_at=getattr(part, "start_at", 1),
    )
    if judge is not None:
        return Judging(floor, name, conduct, judge)
    if isinstance(part, station_parts.PollingPart):
        return Polling(floor, name, conduct, order=part.order, rule=part.rule, most=part.most)
    if getattr(part, "batch", 1) > 1:
        batch = Batch(
            most=part.batch,
            least=part.batch_least,
            wait_s=part.batch_wait_s,
            each=_law(part.batch_each),
            is_open=part.batch_open,
        )
        return BatchServer(floor, name, conduct, batch)
    return (Packer if isinstance(part, line_parts.PackerPart) else Server)(floor, name, conduct)


def _shared(floor: Floor, name: str, part: Any) -> SharedServer:
    return SharedServer(
        floor,
        name,
        service=part.service.distribution(),
        service_of={kind: law.distribution() for kind, law in part.service_by_class.items()},
        channels=part.channels,
        capacity=part.channels + part.queue,
        full=part.full,
        speeds=part.speeds,
    )


def _service(part: Any) -> Distribution:
    match part:
        case line_parts.TurntablePart():
            turn, picture = part.turn.distribution(), part.picture.distribution()
            return Several(((part.pictures, turn), (part.pictures, picture)))
        case line_parts.PrinterPart():
            return part.print.distribution()
        case line_parts.PackerPart():
            return part.seal.distribution()
        case _:
            law: Law = part.service
            return law.distribution()


def _judge(part: Any) -> Callable[[Floor, str], Judge] | None:
    match part:
        case line_parts.ApplicatorPart():
            return tries(part.apply.distribution(), part.stick_share, part.tries, "failed")
        case line_parts.ScanGatePart():
            return tries(part.scan.distribution(), part.read_share, part.tries, "no_read")
        case line_parts.HostPart():
            return tries(part.answer.distribution(), part.answer_share, part.tries, "failed", wait_s=part.wait_s)
        case line_parts.CheckweigherPart():
            return weighed(part.weigh.distribution(), part.weight_kg.distribution(), part.low_kg, part.high_kg)
        case line_parts.BuyerPart():
            most = math.inf if part.most_s is None else part.most_s
            return asked(part.answer.distribution(), {"refused": part.refuse_share}, most)
        case _:
            return None


def _stop(part: station_parts.FailurePart) -> StopLaw:
    return StopLaw(
        by=part.by,
        until=part.every.distribution(),
        last_s=part.repair.distribution(),
        after=part.after,
        is_setup=part.counts_as == "setup",
        is_passed_on=part.passed_on,
        needs_crew=part.operator,
        is_whole=part.whole,
    )


def _stock(part: station_parts.StockPart) -> Stock:
    return Stock(pieces=part.pieces, change_s=part.change.distribution(), needs_crew=part.operator)


# -- the ways ------------------------------------------------------------------------------------------------------------

VERDICTS = ("failed", "reject", "no_read", "refused", "silent")
"""Keys of a block that lead where a verdict of that name goes."""


class _Connected:
    """Leads the blocks to each other."""

    def __init__(self, floor: Floor, made: Mapping[str, Made]) -> None:
        self._floor = floor
        self._made = made

    def connect(self, name: str, part: Any) -> None:
        block = self._made[name]
        if isinstance(block, Crew) or isinstance(part, flow_parts.SinkPart):
            return
        if isinstance(part, flow_parts.DivertPart):
            block.next = self._divert(name, part)
            return
        if isinstance(block, Fork):
            block.to = [self._to(way) for way in part.to]
            return
        if isinstance(block, Release):
            limit = self._made[part.limit]
            assert isinstance(limit, Limit)  # checked with the file  # noqa: S101
            block.limit = limit
        ways = {verdict: way for verdict in VERDICTS if (way := getattr(part, verdict, ""))}
        block.next = self._ways(name, part.next)
        if ways:
            block.next = ByVerdict({"": block.next, **{verdict: self._to(way) for verdict, way in ways.items()}})
        if isinstance(block, Holder) and (overflow := getattr(part, "overflow", None)):
            block.overflow = self._to(overflow)
        if isinstance(block, Server):
            block.impatient = self._to(part.impatient) if part.impatient else block.impatient
            block.scrap = self._to(part.scrap) if part.scrap else block.scrap

    def _divert(self, name: str, part: flow_parts.DivertPart) -> Taker:
        if part.rule == "chance":
            return self._ways(name, part.next or {})
        if part.rule == "class":
            others = self._ways(name, part.next or {})
            return ByClass({"": others, **{kind: self._to(way) for kind, way in part.by_class.items()}})
        return Ruled(part.rule, [self._to(way) for way in part.to])

    def _ways(self, name: str, ways: Mapping[str, float]) -> Taker:
        if len(ways) == 1:
            return self._to(next(iter(ways)))
        stream = self._floor.stream(f"{name}.next")
        return Chance(stream, [(self._to(way), share) for way, share in ways.items()])

    def _to(self, name: str) -> Taker:
        if name == OUT:
            return Out(self._floor.gone)
        block = self._made[name]
        assert isinstance(block, Block)  # operators are nobody's way  # noqa: S101
        return block  # type: ignore[return-value]  # every block but a source takes, and none leads to a source
