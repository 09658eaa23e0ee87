"""Checks what the keys of one block say against each other."""

from __future__ import annotations

import math
from collections.abc import Iterator

from packline.core.faults import Fault
from packline.core.files import near
from simulation.model.flow_parts import AssemblyPart, BufferPart, DivertPart, JoinPart, PackPart, SourcePart
from simulation.model.line_parts import CourierPart, OperatorPart
from simulation.model.parts import Part
from simulation.model.station_parts import MachinePart, PollingPart, ServerPart, StationPart


def check_itself(part: Part, at: str) -> Iterator[Fault]:
    if isinstance(part, SourcePart):
        yield from _check_source(part, at)
    if isinstance(part, DivertPart):
        yield from _check_divert(part, at)
    if isinstance(part, StationPart):
        yield from _check_station(part, at)
    if isinstance(part, OperatorPart):
        for n, shift in enumerate(part.shifts):
            if not shift.from_s < shift.to_s <= part.cycle_s:
                expected = f"after from_s, {shift.from_s:g}, and at most the cycle, {part.cycle_s:g}"
                yield Fault(4201, where=f"{at}.shifts.{n}.to_s]", seen=f"{shift.to_s:g}", expected=expected)
    if isinstance(part, CourierPart) and part.every.distribution().mean() == 0:
        yield Fault(4201, where=f"{at}.every]", seen="0 s", expected="a time above 0 on average")
    if isinstance(part, AssemblyPart):
        yield from _check_assembly(part, at)
    if isinstance(part, PackPart) and part.capacity < part.pieces:
        yield Fault(4201, where=f"{at}.capacity]", seen=f"{part.capacity:g}", expected=f"at least {part.pieces} pieces")
    if isinstance(part, JoinPart) and part.capacity < 1:
        yield Fault(
            4201, where=f"{at}.capacity]", seen=f"{part.capacity:g}", expected="at least 1: somebody has to wait"
        )
    if isinstance(part, BufferPart) and sum(part.initial.values()) > part.capacity:
        yield Fault(4201, where=f"{at}.initial]", seen=str(sum(part.initial.values())), expected="at most the capacity")


def _check_source(part: SourcePart, at: str) -> Iterator[Fault]:
    if part.every is not None and part.at:
        yield Fault(4201, where=f"{at}.at]", seen="times beside every", expected="one of both")
    if part.every is not None and part.every.distribution().mean() == 0:
        yield Fault(
            4201,
            where=f"{at}.every]",
            seen="0 s",
            expected="a time above 0 on average; none at all for a saturated line",
        )
    if part.every is not None and part.every.kind == "poisson":
        expected = (
            "exponential: in a Poisson process the times between are exponential, the numbers in a time are Poisson"
        )
        yield Fault(4201, where=f"{at}.every.kind]", seen="poisson", expected=expected)
    if part.profile:
        starts = [rate.from_s for rate in part.profile]
        if starts[0] != 0 or sorted(set(starts)) != starts or starts[-1] >= part.cycle_s:
            expected = f"from_s rising from 0 to below the cycle, {part.cycle_s:g}"
            yield Fault(4201, where=f"{at}.profile]", seen=", ".join(f"{s:g}" for s in starts), expected=expected)
        if part.every is None:
            yield Fault(4201, where=f"{at}.profile]", seen="a profile without every", expected="every: the mean time")
        if not any(rate.times for rate in part.profile):
            yield Fault(4201, where=f"{at}.profile]", seen="nothing but 0 times", expected="a rate above 0 somewhere")
    yield from _check_paces(part, at)


def _check_paces(part: SourcePart, at: str) -> Iterator[Fault]:
    """Of rates that change at random, and of those who come in together."""
    for key in ("every", "profile"):
        if part.phases and bool(getattr(part, key)) != (key == "every"):
            expected = "every: the mean time" if key == "every" else "phases or a profile, not both"
            yield Fault(
                4201,
                where=f"{at}.phases]",
                seen=f"phases {'without' if key == 'every' else 'beside'} {key}",
                expected=expected,
            )
    if part.phases and not any(phase.times for phase in part.phases.values()):
        yield Fault(4201, where=f"{at}.phases]", seen="nothing but 0 times", expected="a rate above 0 somewhere")
    for name, phase in part.phases.items():
        place = f"{at}.phases.{name}"
        if phase.last.distribution().mean() == 0:
            yield Fault(4201, where=f"{place}.last]", seen="0 s", expected="a time above 0 on average")
        for way in phase.next or ():
            if way not in part.phases:
                expected = f"one of {', '.join(part.phases)}"
                yield Fault(
                    4201, where=f"{place}.next]", seen=way, expected=expected, remedy=near(way, set(part.phases))
                )
        if phase.next and abs(math.fsum(phase.next.values()) - 1) > 1e-9:
            seen = f"probabilities of {math.fsum(phase.next.values()):g} in all"
            yield Fault(4201, where=f"{place}.next]", seen=seen, expected="1 in all")
    if part.together and part.blocked != "lose":
        yield Fault(
            4201, where=f"{at}.blocked]", seen=part.blocked, expected="lose, for those who come together or not at all"
        )


def _check_assembly(part: AssemblyPart, at: str) -> Iterator[Fault]:
    if not part.needs:
        yield Fault(4201, where=f"{at}.needs]", seen="nothing", expected="a number for each class")
    most = max(part.needs.values(), default=0)
    if part.places < most:
        yield Fault(
            4201,
            where=f"{at}.places]",
            seen=f"{part.places:g}",
            expected=f"at least {most}, which it needs of one class",
        )


def _check_divert(part: DivertPart, at: str) -> Iterator[Fault]:
    needed = {"chance": "next", "class": "by_class"}.get(part.rule, "to")
    if not getattr(part, needed):
        yield Fault(4201, where=f"{at}.{needed}]", seen="nothing", expected=f"ways, for {part.rule}")
    if part.rule == "class" and not part.next:
        yield Fault(4201, where=f"{at}.next]", seen="nothing", expected="where items of other classes go")
    used = {"chance": {"next"}, "class": {"next", "by_class"}}.get(part.rule, {"to"})
    for key in ("next", "by_class", "to"):
        if getattr(part, key) and key not in used:
            yield Fault(
                4201, where=f"{at}.{key}]", seen=key, expected=f"{' and '.join(sorted(used))} only, for {part.rule}"
            )


def _check_station(part: StationPart, at: str) -> Iterator[Fault]:
    if math.isinf(part.channels):
        for key in ("failures", "vacation", "operator", "roll", "ribbon", "film", *NOT_ENDLESS):
            if _is_said(part, key):
                yield Fault(4201, where=f"{at}.{key}]", seen=key, expected="nothing: channels have no end")
    if part.discipline == "shared":
        yield from _check_shared(part, at)
    if part.preempt != "no" and part.discipline in ("random", "ageing"):
        yield Fault(4201, where=f"{at}.preempt]", seen=part.preempt, expected=f"no, for discipline {part.discipline}")
    if part.vacation is not None and part.vacation.distribution().mean() == 0:
        yield Fault(4201, where=f"{at}.vacation]", seen="0 s", expected="a time above 0 on average")
    for n, failure in enumerate(part.failures):
        if failure.every.distribution().mean() == 0:
            yield Fault(4201, where=f"{at}.failures.{n}.every]", seen="0", expected="more than 0 on average")
        if failure.whole and failure.by != "time":
            yield Fault(
                4201, where=f"{at}.failures.{n}.by]", seen=failure.by, expected="time, where it fails as a whole"
            )
        if failure.whole and failure.passed_on:
            expected = "false: where it fails as a whole no other channel is up"
            yield Fault(4201, where=f"{at}.failures.{n}.passed_on]", seen="true", expected=expected)
    yield from _check_batch(part, at)
    yield from _check_start(part, at)
    if isinstance(part, PollingPart):
        yield from _check_polling(part, at)
    if getattr(part, "speeds", None) and part.discipline != "shared":
        yield Fault(
            4201, where=f"{at}.speeds]", seen=f"discipline {part.discipline}", expected="discipline shared, for speeds"
        )
    if sum(part.initial.values()) > part.channels + part.queue:
        seen, expected = str(sum(part.initial.values())), f"at most its places, {part.channels + part.queue:g}"
        yield Fault(4201, where=f"{at}.initial]", seen=seen, expected=expected)
    if getattr(part, "low_kg", 0.0) > getattr(part, "high_kg", 0.0):
        yield Fault(4201, where=f"{at}.high_kg]", seen="less than low_kg", expected="at least low_kg")


def _check_shared(part: StationPart, at: str) -> Iterator[Fault]:
    """What works on everyone at once has no one to break off, no queue to lose patience in, and no machine that fails."""
    if not isinstance(part, (ServerPart, MachinePart)):
        yield Fault(
            4201,
            where=f"{at}.discipline]",
            seen="shared",
            expected="fifo, lifo, random, shortest or ageing, for this kind",
        )
    keys = ("preempt", "blocking", "setup", "vacation", "patience", "failures", "operator", "target_s", *NOT_SHARED)
    for key in keys:
        if _is_said(part, key):
            yield Fault(4201, where=f"{at}.{key}]", seen=key, expected="nothing: discipline shared has none")


NOT_SHARED = ("batch", "batch_least", "batch_wait_s", "batch_each", "batch_open", "balk", "balk_by_class", "start_at")
NOT_ENDLESS = ("batch", "start_at")


def _is_said(part: StationPart, key: str) -> bool:
    """Tell whether a station that has this key has another value there than the one that is meant without it."""
    fields = type(part).model_fields
    return key in fields and getattr(part, key) != fields[key].default


def _check_batch(part: StationPart, at: str) -> Iterator[Fault]:
    most, least = getattr(part, "batch", 1), getattr(part, "batch_least", 1)
    if least > most:
        yield Fault(4201, where=f"{at}.batch_least]", seen=str(least), expected=f"at most the batch, {most:g}")
    if most == 1:
        for key in ("batch_wait_s", "batch_each", "batch_open"):
            if _is_said(part, key):
                yield Fault(4201, where=f"{at}.{key}]", seen=key, expected="a batch above 1")
        return
    for key, expected in (
        ("preempt", "no: a batch is not broken off"),
        ("blocking", "after: no places ahead are kept for a batch"),
        ("start_at", "nothing: batch_least says it"),
    ):
        if _is_said(part, key):
            yield Fault(4201, where=f"{at}.{key}]", seen=str(getattr(part, key)), expected=expected)
    if getattr(part, "batch_open", False) and _is_said(part, "batch_each"):
        yield Fault(4201, where=f"{at}.batch_each]", seen="a time", expected="nothing: who joins takes no time more")
    if part.discipline == "shortest":
        yield Fault(4201, where=f"{at}.discipline]", seen="shortest", expected="fifo, lifo or random, for batches")
    for n, failure in enumerate(part.failures):
        if failure.passed_on:
            yield Fault(4201, where=f"{at}.failures.{n}.passed_on]", seen="true", expected="false, for a batch")


def _check_start(part: StationPart, at: str) -> Iterator[Fault]:
    start_at = getattr(part, "start_at", 1)
    if start_at == 1:
        return
    if start_at > part.channels + part.queue:
        expected = f"at most its places, {part.channels + part.queue:g}"
        yield Fault(4201, where=f"{at}.start_at]", seen=str(start_at), expected=expected)
    if part.vacation is not None:
        yield Fault(
            4201, where=f"{at}.vacation]", seen="a vacation", expected="nothing: with start_at it waits instead"
        )


def _check_polling(part: PollingPart, at: str) -> Iterator[Fault]:
    for key, expected in (
        ("channels", "1: one server walks"),
        ("preempt", "no: nobody is broken off"),
        ("vacation", "nothing: it walks"),
        ("vacations", "nothing: it walks"),
    ):
        if _is_said(part, key):
            yield Fault(4201, where=f"{at}.{key}]", seen=str(getattr(part, key))[:80], expected=expected)
    if part.discipline != "fifo":
        yield Fault(4201, where=f"{at}.discipline]", seen=part.discipline, expected="fifo, in each queue")
    if len(set(part.order)) != len(part.order):
        yield Fault(4201, where=f"{at}.order]", seen=", ".join(part.order), expected="each class once")
    if part.walk.distribution().mean() == 0:
        yield Fault(4201, where=f"{at}.walk]", seen="0 s", expected="a time above 0 on average: it walks on for ever")
