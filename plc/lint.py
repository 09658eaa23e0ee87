"""Looks through a machine file for what is allowed but hardly meant, and shows what reading it costs. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Literal

from plc.handshake import frames
from plc.machine_file import MachineFile
from plc.tags.bounds import scaled_bounds
from plc.tags.codec import lies_in_one_register
from plc.tags.model import BITS_A_WORD, Poll, TagType, Wired
from plc.tags.plan import Plan, plan

LOW_FILL = 0.5
MUCH_LOAD = 0.8
"""Of the time between two reads of STATUS: what the requests of one pass may take at the time-out's tenth each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a person should look at: `where` in the file, `what` is odd, `remedy`."""

    level: Literal["error", "warning", "hint"]
    where: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What lint found, and the request plan of each class of tags."""

    findings: tuple[Finding, ...]
    plans: Mapping[Poll, Plan]

    @property
    def is_clean(self) -> bool:
        """Tell whether there is no error and no warning."""
        return all(finding.level == "hint" for finding in self.findings)


def lint(file: MachineFile) -> Report:
    """Look through a file that loaded; what cannot work at all is refused at loading and is not repeated here."""
    plans = plans_of(file)
    found = chain(_overlaps(file), _blocks(file), _unused(file), _writes(file), _reading(file, plans), _safety(file))
    return Report(findings=tuple(found), plans=plans)


def plans_of(file: MachineFile) -> dict[Poll, Plan]:
    """Give the requests that read each class of tags once; for OPC UA none, as nodes are read in calls of `max_nodes`."""
    if file.machine.protocol != "modbus":
        return {}
    tags = {poll: [w for w in file.wired.values() if w.tag.is_read and w.tag.poll is poll] for poll in Poll}
    return {poll: plan(some, file.limits) for poll, some in tags.items() if some}


def plan_lines(file: MachineFile) -> Iterator[str]:
    """Say the request plan in lines: each request with its registers, tags and fill rate."""
    for poll, whole in plans_of(file).items():
        tags = sum(len(request.tags) for request in whole.requests)
        yield f"{poll}: {len(whole.requests)} requests for {tags} tags, {whole.registers} registers, {whole.fill:.0%} filled"
        for request in whole.requests:
            names = ", ".join(tag.name for tag in request.tags)
            yield f"  {request.area} {request.start} +{request.count}  {request.fill:.0%}  {names}"


# -- what is looked for ------------------------------------------------------------------------------------------------


def _overlaps(file: MachineFile) -> Iterator[Finding]:
    if file.machine.protocol != "modbus":
        nodes: dict[tuple[str, str], str] = {}
        for name, wired in file.wired.items():
            if wired.node in nodes and wired.tag.bit is None and wired.tag.bits is None:
                yield _twice(name, nodes[wired.node])
            nodes.setdefault(wired.node, name)
        return
    for one, other in combinations(sorted(file.wired.values(), key=lambda w: (w.area, w.start, w.end)), 2):
        if one.area is other.area and other.start < one.end and _bits(one) & _bits(other):
            yield _twice(other.name, one.name)


def _twice(name: str, other: str) -> Finding:
    return Finding(
        level="warning",
        where=f"tags.{name}",
        what=f"lies on the same bits as tag {other}",
        remedy="Check the address and the length; is the order of the words right?",
    )


def _bits(wired: Wired) -> set[int]:
    """Give the bits that a tag takes, counted from the first bit of its table; in bit areas an address is a bit."""
    if wired.is_bit:
        return {wired.start}
    low, high = 0, wired.count * BITS_A_WORD - 1
    if wired.tag.bits is not None:
        low, high = wired.tag.bits
    elif wired.tag.bit is not None:
        low = high = wired.tag.bit
    # a field above bit 15 lies in the register that the order puts it; the whole span is near enough for two words
    if wired.count > 1 and wired.tag.is_part:
        low, high = 0, wired.count * BITS_A_WORD - 1
    first = wired.start * BITS_A_WORD
    return set(range(first + low, first + high + 1))


def _blocks(file: MachineFile) -> Iterator[Finding]:
    if file.blocks is None or file.machine.protocol != "modbus":
        return
    for name, wired in file.wired.items():
        for block, count in frames.BLOCK_WORDS.items():
            first = file.register(block)
            if wired.area == "holding" and wired.start < first + count and first < wired.end:
                yield Finding(
                    level="warning",
                    where=f"tags.{name}",
                    what=f"reads words of block {block} without its checksum",
                    remedy="Say it as an input with word and bit, or move it.",
                )


def _unused(file: MachineFile) -> Iterator[Finding]:
    for name, tag in file.tags.items():
        if tag.is_written and not tag.is_read and not _is_written_by_a_job(file, name) and tag.safe is None:
            yield Finding(level="hint", where=f"tags.{name}", what="is never read, and no job of the file writes it")
        if tag.range is not None and tag.type not in (TagType.F32, TagType.F64) and not _reaches(file.wired[name]):
            yield Finding(
                level="warning",
                where=f"tags.{name}.range",
                what="no raw value of this type gives a value in the range",
                remedy="Check scale, offset and range.",
            )


def _reaches(wired: Wired) -> bool:
    tag = wired.tag
    assert tag.range is not None  # noqa: S101 - asked by the caller
    low, high = scaled_bounds(tag)
    return low <= tag.range[1] and tag.range[0] <= high


def _is_written_by_a_job(file: MachineFile, name: str) -> bool:
    return any(write.tag == name for job in file.plain_jobs.values() for write in (*job.write, *job.reset))


def _writes(file: MachineFile) -> Iterator[Finding]:
    for name, tag in file.tags.items():
        if tag.is_written and tag.is_part and file.machine.protocol == "modbus" and not _is_masked(file, name):
            yield Finding(
                level="warning",
                where=f"tags.{name}",
                what="is written by reading its register, changing the bits, and writing it back",
                remedy="Make sure that the machine never changes the other bits by itself, give the bit a coil of its own, or say "
                "mask_write = true if the device knows function 22.",
            )
    for kind, job in file.plain_jobs.items():
        if job.done.rises is None and not job.reset:
            yield Finding(
                level="warning",
                where=f"jobs.{kind}",
                what="its end is a level that nothing takes back, so the next job cannot be told from it",
                remedy="Say what to write in `reset`, or prove it by a counter: done = { tag = ..., rises = 1 }.",
            )
        for write in job.write:
            if write.source is not None:
                yield from _ranges(file, kind, write.tag, write.source)


def _is_masked(file: MachineFile, name: str) -> bool:
    """Tell whether the device itself changes only the bits of a tag; it cannot where they lie in two registers."""
    return file.limits.mask_write and lies_in_one_register(file.wired[name])


def _ranges(file: MachineFile, kind: str, tag: str, parameter: str) -> Iterator[Finding]:
    bounds, given = file.tags[tag].range, file.plain_jobs[kind].params[parameter]
    if bounds is not None and not (bounds[0] <= given.min and given.max <= bounds[1]):
        yield Finding(
            level="error",
            where=f"jobs.{kind}.params.{parameter}",
            what=f"allows {given.min:g} to {given.max:g}, but tag {tag} takes only {bounds[0]:g} to {bounds[1]:g}",
            remedy="Narrow the parameter or widen the tag's range.",
        )


def _reading(file: MachineFile, plans: Mapping[Poll, Plan]) -> Iterator[Finding]:
    for poll, whole in plans.items():
        if whole.fill < LOW_FILL:
            yield Finding(
                level="hint",
                where="limits.max_gap",
                what=f"{poll} tags fill only {whole.fill:.0%} of what is read",
                remedy="A smaller max_gap reads less, with more requests.",
            )
    fast = plans.get(Poll.FAST)
    head = file.machine
    if fast is not None and len(fast.requests) * head.request_timeout_ms / 10 > MUCH_LOAD * head.stale_after_ms:
        yield Finding(
            level="warning",
            where="tags",
            what=f"{len(fast.requests)} requests for fast tags hardly fit into stale_after_ms = {head.stale_after_ms}",
            remedy="Raise max_gap, or make tags slow.",
        )


def _safety(file: MachineFile) -> Iterator[Finding]:
    if not file.is_plain:
        return
    if not file.expect:
        yield Finding(
            level="warning",
            where="expect",
            what="nothing shows that this is the right machine before it is written to",
            remedy="Name a tag with a known value: a model number, a version.",
        )
    if "boot" not in file.capability:
        meant = [part for part in difflib.get_close_matches("boot", file.capability, 1, 0.7) if not file.machine.kind]
        yield Finding(
            level="hint",
            where="capability.boot",
            what="a restart of the machine is not noticed",
            remedy=f"Is {meant[0]!r} meant? The part is called boot."
            if meant
            else "Name the tag that counts its starts, if there is one.",
        )
    yield Finding(
        level="hint",
        where="handshake.kind",
        what="a second controller on this machine is not noticed: both write, and the machine obeys the last one",
        remedy="Let the machine accept one client address only, or one client certificate.",
    )
