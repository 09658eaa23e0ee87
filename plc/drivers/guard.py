"""The allow-list of one device: what its files do not name is never sent. Enforced on the frame itself, just before it leaves."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from plc.handshake import frames
from plc.links import Area
from plc.machine_file import MachineFile
from plc.security import Allow, LinkBarred

_MBAP = 7
_READS = {1: Area.COIL, 2: Area.DISCRETE, 3: Area.HOLDING, 4: Area.INPUT}
_WRITES_ONE = {5: Area.COIL, 6: Area.HOLDING, 22: Area.HOLDING}
_WRITES_MANY = {15: Area.COIL, 16: Area.HOLDING}
_FUNCTION_OF = {area: function for function, area in _READS.items()}
_BITS_A_REGISTER = 16
_MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Addresses of one area, as they go over the wire; `end` is the first behind it."""

    area: Area
    first: int
    end: int

    def holds(self, other: Span) -> bool:
        """Tell whether `other` lies wholly inside."""
        return self.area == other.area and self.first <= other.first and other.end <= self.end

    def cut(self, other: Span) -> Span | None:
        """Give what both have."""
        first, end = max(self.first, other.first), min(self.end, other.end)
        return Span(self.area, first, end) if self.area == other.area and first < end else None

    def __str__(self) -> str:
        """Give it as the site file writes it."""
        return f"{self.area} {self.first}-{self.end - 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRules:
    """What may be asked of a Modbus device. `singles` may be written one by one too; a block of the handshake only in a piece."""

    unit: int
    functions: frozenset[int]
    reads: tuple[Span, ...]
    writes: tuple[Span, ...]
    singles: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRules:
    """What may be asked of an OPC UA server, by namespace uri and identifier ("s=Machine.CMD"); its own namespace 0 may be read."""

    reads: frozenset[tuple[str, str]]
    writes: frozenset[tuple[str, str]] = frozenset()
    calls: frozenset[tuple[str, str]] = frozenset()


def register_rules(file: MachineFile, allow: Allow) -> RegisterRules:
    """Derive from a machine file what may be asked, and take away what the site file takes away."""
    reads = _merged(_file_reads(file), file.limits.max_gap)
    single_spans = [] if allow.read_only else _tags_written(file)
    wholes = [] if allow.read_only else _blocks_written(file)
    reads, singles = _narrowed(reads, allow.read), _narrowed(_merged(single_spans, 0), allow.write)
    writes = _narrowed(_merged([*singles, *wholes], 0), allow.write)
    functions = {_FUNCTION_OF[span.area] for span in reads} | _write_functions(file, singles, wholes)
    if allow.functions is not None:
        functions &= set(allow.functions)
    return RegisterRules(
        unit=file.machine.unit, functions=frozenset(functions), reads=reads, writes=writes, singles=singles
    )


def node_rules(file: MachineFile, allow: Allow) -> NodeRules:
    """Derive from a machine file which nodes may be read and written, and take away what the site file takes away."""
    reads = {wired.node for wired in file.wired.values() if wired.tag.is_read or wired.tag.is_part}
    writes = {wired.node for wired in file.wired.values() if wired.tag.is_written}
    if file.blocks is not None:
        blocks = {block: _block_node(file, block) for block in frames.BLOCK_WORDS}
        reads |= set(blocks.values())
        writes |= {node for block, node in blocks.items() if block != frames.STATUS}
    if allow.nodes is not None:
        kept = set(allow.nodes)
        reads, writes = ({node for node in nodes if node[1] in kept} for nodes in (reads, writes))
    return NodeRules(reads=frozenset(reads), writes=frozenset() if allow.read_only else frozenset(writes))


def spans_said(texts: Iterable[str]) -> list[Span]:
    """Read ranges as the site file writes them ("holding 100-139")."""
    spans = []
    for text in texts:
        area, _, numbers = text.partition(" ")
        first, _, last = numbers.partition("-")
        spans.append(Span(Area(area), int(first), int(last or first) + 1))
    return spans


class FrameGuard:
    """Looks at every Modbus frame that is about to leave; raises LinkBarred 1018, and the frame stays here."""

    def __init__(self, where: str, rules: RegisterRules) -> None:
        self._where, self._rules = where, rules
        self._known: set[bytes] = set()
        """Reads that have passed: the rules never change, and a poll is the same bytes each time."""

    def trace(self, is_sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - as pymodbus calls it
        """Be pymodbus' `trace_packet`, the last step before its socket."""
        if is_sending:
            self.check(data)
        return data

    def check(self, frame: bytes) -> None:
        """Raise LinkBarred 1018 unless this frame (MBAP header and request) is allowed."""
        request = frame[_MBAP - 1 :]
        if request in self._known:
            return
        unit, function, asked = _asked(frame)
        rules = self._rules
        if unit != rules.unit:
            raise self._barred(f"unit {unit}", f"unit {rules.unit}")
        if function not in rules.functions:
            raise self._barred(f"function {function}", f"one of {sorted(rules.functions)}")
        if not asked:
            raise self._barred(f"function {function} in a frame that cannot be read", "a whole frame")
        for is_write, span in asked:
            allowed = (rules.singles if function in _WRITES_ONE else rules.writes) if is_write else rules.reads
            if not any(one.holds(span) for one in allowed):
                verb = "write" if is_write else "read"
                raise self._barred(f"{verb} of {span}", f"{verb} of {', '.join(map(str, allowed)) or 'nothing'}")
        if function in _READS and len(self._known) < _MOST_KNOWN:
            self._known.add(request)

    def _barred(self, seen: str, expected: str) -> LinkBarred:
        return LinkBarred(1018, where=self._where, seen=seen, expected=expected)


class NodeGuard:
    """Judges requests to an OPC UA server by their nodes; raises LinkBarred 1018."""

    def __init__(self, where: str, rules: NodeRules) -> None:
        self._where, self._rules = where, rules

    def check(self, verb: str, node: tuple[str, str], *, is_standard: bool) -> None:
        """Raise LinkBarred 1018 unless `verb` (read, write, call) may be done to `node`; `is_standard` says namespace 0."""
        rules = {"read": self._rules.reads, "write": self._rules.writes, "call": self._rules.calls}[verb]
        if node in rules or (is_standard and verb == "read"):
            return
        expected = ", ".join(sorted(identifier for _, identifier in rules)) or "nothing"
        raise LinkBarred(1018, where=self._where, seen=f"{verb} of {';'.join(node)}", expected=f"{verb} of {expected}")

    def bar(self, service: str) -> LinkBarred:
        """Give the refusal of a whole service."""
        return LinkBarred(1018, where=self._where, seen=service, expected="read, write, call, subscribe or browse")


# -- what the files say ------------------------------------------------------------------------------------------------


def _file_reads(file: MachineFile) -> list[Span]:
    tags = (wired for wired in file.wired.values() if wired.tag.is_read or wired.tag.is_part)
    spans = [Span(wired.area, wired.start, wired.end) for wired in tags]
    return spans + [_block_span(file, block) for block in frames.BLOCK_WORDS if file.blocks is not None]


def _tags_written(file: MachineFile) -> Sequence[Span]:
    return [Span(wired.area, wired.start, wired.end) for wired in file.wired.values() if wired.tag.is_written]


def _blocks_written(file: MachineFile) -> Sequence[Span]:
    if file.blocks is None:
        return []
    return [_block_span(file, block) for block in frames.BLOCK_WORDS if block != frames.STATUS]


def _block_span(file: MachineFile, block: str) -> Span:
    first = file.register(block)
    return Span(Area.HOLDING, first, first + frames.BLOCK_WORDS[block])


def _block_node(file: MachineFile, block: str) -> tuple[str, str]:
    uri, identifier = file.node(block)
    return uri, f"s={identifier}"


def _write_functions(file: MachineFile, singles: Iterable[Span], wholes: Iterable[Span]) -> set[int]:
    said = file.limits.write_function
    by_area = {Area.COIL: {5, 15}, Area.HOLDING: {6, 16} if said == "auto" else {said}}
    if file.limits.mask_write and any(wired.tag.is_part and wired.tag.is_written for wired in file.wired.values()):
        by_area[Area.HOLDING] |= {22}
    return {function for span in singles for function in by_area[span.area]} | ({16} if wholes else set())


def _merged(spans: Iterable[Span], gap: int) -> tuple[Span, ...]:
    """Join spans that one request may cover: neighbours, and those across a gap that may be read for nothing."""
    merged: list[Span] = []
    for span in sorted(spans):
        last = merged[-1] if merged else None
        bridge = gap * _BITS_A_REGISTER if span.area in (Area.COIL, Area.DISCRETE) else gap
        if last is not None and last.area == span.area and span.first <= last.end + bridge:
            merged[-1] = Span(span.area, last.first, max(last.end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _narrowed(spans: Sequence[Span], said: Sequence[str] | None) -> tuple[Span, ...]:
    if said is None:
        return tuple(spans)
    kept = _merged(spans_said(said), 0)
    return tuple(part for span in spans for one in kept if (part := span.cut(one)) is not None)


# -- what a frame asks -------------------------------------------------------------------------------------------------


def _asked(frame: bytes) -> tuple[int, int, list[tuple[bool, Span]]]:
    """Give unit, function, and what is read (False) or written (True); nothing for what cannot be read."""
    if len(frame) <= _MBAP:
        return -1, -1, []
    unit, function, body = frame[_MBAP - 1], frame[_MBAP], frame[_MBAP + 1 :]
    try:
        return unit, function, _spans(function, body)
    except struct.error:
        return unit, function, []


def _spans(function: int, body: bytes) -> list[tuple[bool, Span]]:
    if function in _WRITES_ONE:
        (first,) = struct.unpack_from(">H", body)
        return [(True, Span(_WRITES_ONE[function], first, first + 1))]
    if function == 23:
        read, count, write, written = struct.unpack_from(">4H", body)
        return [(False, _span(Area.HOLDING, read, count)), (True, _span(Area.HOLDING, write, written))]
    first, count = struct.unpack_from(">2H", body)
    if function in _READS:
        return [(False, _span(_READS[function], first, count))]
    if function in _WRITES_MANY:
        return [(True, _span(_WRITES_MANY[function], first, count))]
    return []


def _span(area: Area, first: int, count: int) -> Span:
    return Span(area, first, first + count)
