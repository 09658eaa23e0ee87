"""Reads a machine tag by tag, as a person with its manual does: values in all orders, times, quality. Writes only what it is told to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from controller.integrator.printing import shown
from controller.integrator.target import Target
from packline.core.clock import Clock
from packline.core.faults import Fault
from plc.drivers.opening import open_link
from plc.handshake import frames
from plc.links import LinkRefused, LinkTrouble, NodeLink, NodeValue, RegisterLink, Value
from plc.machine_file import MachineFile
from plc.packml import State, name_of
from plc.security import LinkBarred
from plc.tag_side import tag_set
from plc.tags.codec import check_writable, decode, decode_node, encode, put_node
from plc.tags.fitting import reader_for
from plc.tags.model import Order, TagType, Wired

ORDERED = frozenset({TagType.U32, TagType.I32, TagType.F32, TagType.U64, TagType.I64, TagType.F64})
"""Types that take several registers, whose order a manual seldom tells."""

BY_TAG = "Type --write TAG=VALUE with a tag and a value that its machine file takes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One tag as it was read last. `raw` are its registers or bits; `orders` its value in each order; `ms` the times of all reads."""

    name: str
    value: Value | None
    unit: str
    quality: str
    reason: str = ""
    raw: tuple[int, ...] = ()
    orders: Mapping[str, str] = field(default_factory=dict)
    ms: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Everything that a probe found. `expect` says of each check whether it holds, `handshake` what STATUS shows."""

    connect_ms: float
    tags: tuple[Seen, ...]
    expect: Mapping[str, str]
    handshake: Mapping[str, Any] = field(default_factory=dict)
    written: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Tell whether every tag is good and the machine is what its file expects."""
        return all(seen.quality == "good" for seen in self.tags) and not any(self.expect.values())

    def latency_ms(self) -> dict[str, float]:
        """Give the middle and the 95th of all request times."""
        times = sorted(ms for seen in self.tags for ms in seen.ms)
        return {"p50": percentile(times, 50), "p95": percentile(times, 95)} if times else {}

    def as_dict(self) -> dict[str, Any]:
        """Give it for programs."""
        tags = [{**asdict(seen), "p50_ms": percentile(sorted(seen.ms), 50) if seen.ms else None} for seen in self.tags]
        return {
            "ok": self.is_well,
            "connect_ms": self.connect_ms,
            "latency_ms": self.latency_ms(),
            "expect": dict(self.expect),
            "handshake": dict(self.handshake),
            "tags": tags,
            "written": list(self.written),
        }


def percentile(times: Sequence[float], percent: int) -> float:
    """Give the nearest-rank percentile of sorted times."""
    return round(times[max(0, math.ceil(len(times) * percent / 100) - 1)], 2)


async def probe(target: Target, clock: Clock, *, rounds: int, writes: Mapping[str, str] | None = None) -> Probe:
    """Connect, read every tag `rounds` times, then write what is in `writes` and read it back; raises LinkTrouble, Fault.

    Nothing is written to a machine that is not what its file expects (Fault 1010).
    """
    target = target if writes else target.looked_at()
    values = {name: _parsed(target.file, name, text) for name, text in (writes or {}).items()}
    link = open_link(target.file, target.address, target.reach)
    started = clock.monotonic()
    try:
        await link.connect()
        connect_ms = _ms(clock, started)
        eyes = _Eyes(target.file, link, clock)
        tags = [await eyes.look(wired, rounds) for wired in target.file.wired.values() if wired.tag.is_read]
        expect = _expect(target.file, {seen.name: seen for seen in tags})
        if wrong := [f"{name}: {words}" for name, words in expect.items() if words and values]:
            raise Fault(1010, where=target.name, seen="; ".join(wrong), expected="what [expect] says, before any write")
        written = [await eyes.write(name, value) for name, value in values.items()]
        handshake = {} if target.file.is_plain else _status(await link.read(frames.STATUS))
    finally:
        await link.close()
    return Probe(connect_ms=connect_ms, tags=tuple(tags), expect=expect, handshake=handshake, written=tuple(written))


class _Eyes:
    """Reads single tags over one open link."""

    def __init__(self, file: MachineFile, link: object, clock: Clock) -> None:
        self._file, self._link, self._clock = file, link, clock

    async def look(self, wired: Wired, rounds: int) -> Seen:
        """Read one tag alone, some times."""
        times = []
        seen = Seen(name=wired.name, value=None, unit=wired.tag.unit, quality="bad", reason="never read")
        for _ in range(rounds):
            started = self._clock.monotonic()
            try:
                seen = await self._once(wired)
            except (LinkRefused, LinkBarred) as refusal:
                seen = replace(seen, value=None, quality="bad", reason=str(refusal))
            times.append(_ms(self._clock, started))
        return replace(seen, ms=tuple(times))

    async def write(self, name: str, value: Value) -> str:
        """Write a tag, read it back, and take back what is only held; gives a line that says what happened."""
        wired = self._file.wired[name]
        reader = reader_for(tag_set(self._file), self._link, self._clock)
        assert reader is not None  # noqa: S101 - every driver carries tags
        await reader.write(name, value)
        back = (await self.look(wired, 1)).value if wired.tag.is_read else None
        line = f"{name} = {shown(value)}" + ("" if back is None else f", reads back {shown(back)}")
        if wired.tag.safe is None:
            return line
        await reader.write(name, wired.tag.safe)  # an output is held by a lease; nobody renews this one
        return f"{line}; then its safe value {shown(wired.tag.safe)}"

    async def _once(self, wired: Wired) -> Seen:
        if self._file.machine.protocol == "opcua":
            (answer,) = await cast("NodeLink", self._link).read_nodes([wired.node])
            return _of_node(wired, answer)
        link = cast("RegisterLink", self._link)
        ask = link.read_bits if wired.is_bit else link.read_registers
        raw = tuple(int(word) for word in await ask(wired.area, wired.start, wired.count))[: wired.count]
        return _of_registers(wired, raw)


def _of_registers(wired: Wired, raw: tuple[int, ...]) -> Seen:
    orders = dict(_in_all_orders(wired, raw)) if wired.tag.type in ORDERED and wired.tag.bits is None else {}
    try:
        value, quality, reason = decode(wired, raw), "good", ""
    except ValueError as error:
        return Seen(
            name=wired.name, value=None, unit=wired.tag.unit, quality="bad", reason=str(error), raw=raw, orders=orders
        )
    return Seen(
        name=wired.name, value=value, unit=wired.tag.unit, quality=quality, reason=reason, raw=raw, orders=orders
    )


def _in_all_orders(wired: Wired, raw: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """Give the value in each order; a value that the tag must not have is in brackets, one that is none is a dash."""
    free = replace(wired, tag=wired.tag.model_copy(update={"range": None, "sentinels": ()}))
    for order in Order:
        try:
            text = shown(decode(replace(free, order=order), raw))
        except ValueError:
            yield str(order), "-"
            continue
        try:
            decode(replace(wired, order=order), raw)
        except ValueError:
            text = f"({text})"
        yield str(order), text


def _of_node(wired: Wired, answer: NodeValue) -> Seen:
    reason, value = answer.status, None
    if answer.is_good:
        try:
            return Seen(name=wired.name, value=decode_node(wired, answer.value), unit=wired.tag.unit, quality="good")
        except ValueError as error:
            reason = str(error)
    return Seen(name=wired.name, value=value, unit=wired.tag.unit, quality="bad", reason=reason)


def _expect(file: MachineFile, tags: Mapping[str, Seen]) -> dict[str, str]:
    """Say of each check of [expect] what is wrong; "" when it holds."""
    found = {}
    for name, expected in file.expect.items():
        seen = tags[expected.tag]
        if seen.value is None:
            found[name] = f"{expected.tag} is {seen.quality}: {seen.reason}"
        else:
            holds = expected.holds(seen.value)
            found[name] = "" if holds else f"{expected.tag} = {seen.value}, expected {expected.wanted()}"
    return found


def _status(words: tuple[int, ...]) -> dict[str, Any]:
    try:
        status = frames.decode_status(words)
    except frames.StatusRefused as refused:
        return {"believed": False, "reason": str(refused)}
    state = name_of(State(status.state)) if status.state in State.__members__.values() else str(status.state)
    return {
        "believed": True,
        "state": state,
        "boot": status.boot,
        "owner_epoch": status.owner_epoch,
        "owner_id": status.owner_id,
        "busy": status.ack != status.done,
        "fault": status.fault,
        "safety": status.safety,
    }


def _parsed(file: MachineFile, name: str, text: str) -> Value:
    """Read the value of a write as the tag's type; raises Fault 4201."""
    tag = file.tags.get(name)
    if tag is None or not tag.is_written:
        known = ", ".join(n for n, t in file.tags.items() if t.is_written) or "none may be written"
        raise Fault(4201, where=file.model, seen=name, expected=f"a tag that may be written: {known}", remedy=BY_TAG)
    value: Value = text
    try:
        if tag.type is TagType.BOOL:
            value = {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        elif tag.type is not TagType.STRING:
            value = _number(text)
        check_writable(tag, value)
        if not tag.is_part:
            put_node(file.wired[name], value) if tag.node else encode(file.wired[name], value)
    except (KeyError, ValueError) as error:
        raise Fault(
            4201, where=f"{file.model} {name}", seen=text, expected=_expected(tag.type, error), remedy=BY_TAG
        ) from error
    return value


def _number(text: str) -> float:
    """Read a number, a whole one as int; raises a ValueError that says nothing: what the tag takes says enough."""
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise ValueError from None


def _expected(kind: TagType, error: Exception) -> str:
    """Say what a tag takes; a word that is none of the two of a switch tells nothing more."""
    return "true or false" if kind is TagType.BOOL else f"a {kind}" + (f": {error}" if str(error) else "")


def _ms(clock: Clock, started: float) -> float:
    return round((clock.monotonic() - started) * 1000, 3)


__all__ = ["LinkTrouble", "Probe", "Seen", "percentile", "probe"]
