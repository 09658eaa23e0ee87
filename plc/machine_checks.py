"""Says what in a machine file contradicts itself: every mistake, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from packline.core.effects import KINDS
from packline.core.files import Mistake
from plc.handshake import frames
from plc.links import Area
from plc.machine_jobs import PlainJob, PlainWrite, Proof
from plc.machine_parts import Blocks, MachineTables
from plc.tags.bounds import never_holds
from plc.tags.codec import encode, encode_node
from plc.tags.model import BIT_AREAS, Condition, Scalar, TagType, Wired

REGISTERS = 0x10000
WHOLE = frozenset(TagType) - {TagType.F32, TagType.F64, TagType.STRING}
"""Types whose values are whole numbers."""


def contradictions(file: MachineTables) -> Iterator[Mistake]:
    """Give every mistake of a file whose parts are right each by itself."""
    if file.machine.protocol == "modbus" and file.machine.address_base is None:
        yield Mistake(at="machine.address_base", seen="nothing", expected="0, 1 or 'modicon'")
    if file.machine.protocol == "opcua" and file.machine.transport == "lean":
        remedy = "Leave the line out: an OPC UA machine has one client only."
        yield Mistake(at="machine.transport", seen="lean", expected="nothing: it is a Modbus client", remedy=remedy)
    yield from _kind(file)
    yield from _jobs(file)
    if file.blocks is not None:
        yield from _blocks(file, file.blocks)
    yield from _tags(file)
    yield from _inputs(file)
    yield from _capabilities(file)
    for kind, job in file.plain_jobs.items():
        yield from _plain_job(file, kind, job)


# -- kind and jobs -----------------------------------------------------------------------------------------------------


def _kind(file: MachineTables) -> Iterator[Mistake]:
    if not file.is_plain:
        if file.blocks is None:
            expected = "the four blocks; a plain machine says [handshake] kind = 'none'"
            yield Mistake(at="blocks", seen="nothing", expected=expected)
        for kind in file.plain_jobs:
            expected = "a command with a code; jobs that write tags are for [handshake] kind = 'none'"
            yield Mistake(at=f"jobs.{kind}.write", seen="a job that writes tags", expected=expected)
        return
    if file.blocks is not None:
        yield Mistake(at="blocks", seen="blocks of a plain machine", expected="none, or no [handshake] kind = 'none'")
    for kind in file.commands:
        expected = "a job that writes tags: the machine is plain"
        yield Mistake(at=f"jobs.{kind}.code", seen="a command of the handshake", expected=expected)
    if not file.tags:
        yield Mistake(at="tags", seen="nothing", expected="a plain machine has tags")


def _jobs(file: MachineTables) -> Iterator[Mistake]:
    for name in file.jobs.keys() - KINDS.keys():
        yield Mistake(at=f"jobs.{name}", seen=name, expected=f"the kind of an effect: {', '.join(KINDS)}")
    first: dict[int, str] = {}
    for name, job in file.commands.items():
        if job.code in first:
            seen, expected = str(job.code), f"a code of its own; {first[job.code]} and {name} share a code"
            yield Mistake(at=f"jobs.{name}.code", seen=seen, expected=expected)
        first.setdefault(job.code, name)


# -- blocks ------------------------------------------------------------------------------------------------------------


def _blocks(file: MachineTables, blocks: Blocks) -> Iterator[Mistake]:
    kind = str if file.machine.protocol == "opcua" else int
    noun = "string node ids" if kind is str else "register numbers"
    places = {block.lower(): blocks.place(block) for block in frames.BLOCK_WORDS}
    wrong = {name: place for name, place in places.items() if not isinstance(place, kind)}
    for name, place in wrong.items():
        expected = f"four {noun}: the protocol is {file.machine.protocol}"
        yield Mistake(at=f"blocks.{name}", seen=repr(place), expected=expected)
    if kind is str and blocks.namespace is None:
        yield Mistake(at="blocks.namespace", seen="nothing", expected="the namespace uri of the node ids")
    if kind is int and not wrong and file.machine.address_base is not None:
        yield from _spans(file)


def _spans(file: MachineTables) -> Iterator[Mistake]:
    spans = sorted((file.register(b), file.register(b) + n, b.lower()) for b, n in frames.BLOCK_WORDS.items())
    for start, end, name in spans:
        if start < 0 or end > REGISTERS:
            seen, expected = f"{name} outside the holding registers", "a place inside; is address_base right?"
            yield Mistake(at=f"blocks.{name}", seen=seen, expected=expected)
    for (_, end, name), (start, _, other) in zip(spans, spans[1:], strict=False):
        if start < end:
            expected = f"registers of its own: {name} and {other} overlap"
            yield Mistake(at=f"blocks.{other}", seen=f"register {start} of {name}", expected=expected)


# -- tags and what names them ------------------------------------------------------------------------------------------


def _tags(file: MachineTables) -> Iterator[Mistake]:
    if file.machine.protocol == "modbus" and file.machine.address_base is None:
        return  # said before; nobody knows where they lie
    for name in file.tags:
        try:
            wired = file.wire(name)
        except ValueError as error:
            place = file.tags[name].address if file.tags[name].node is None else file.tags[name].node
            yield Mistake(at=f"tags.{name}", seen=str(place), expected=f"a place that fits: {error}")
            continue
        yield from _size(file, wired)
        yield from _safe(file, wired)


def _safe(file: MachineTables, wired: Wired) -> Iterator[Mistake]:
    """What is written by itself, at each connect, must be something that the tag takes."""
    tag = wired.tag
    if file.machine.protocol == "opcua" and tag.is_part and tag.is_written:
        expected = "a whole node, or access = 'r': some bits of one cannot be written alone"
        yield Mistake(at=f"tags.{wired.name}.access", seen=str(tag.access), expected=expected)
    elif tag.safe is not None and (why := _never_written(file, wired, tag.safe)):
        yield Mistake(at=f"tags.{wired.name}.safe", seen=repr(tag.safe), expected=f"a value that can be written: {why}")


def _never_written(file: MachineTables, wired: Wired, value: Scalar) -> str:
    """Say why a value can never be written to a tag; "" if it can."""
    try:
        encode_node(wired, value) if file.machine.protocol == "opcua" else encode(wired, value, (0,) * wired.count)
    except ValueError as error:
        return str(error)
    return ""


def _size(file: MachineTables, wired: Wired) -> Iterator[Mistake]:
    if file.machine.protocol == "opcua" or wired.area in BIT_AREAS:
        return
    tag, limits, at = wired.tag, file.limits, f"tags.{wired.name}"
    registers = f"{wired.count} registers"
    if tag.is_read and wired.count > limits.max_read:
        yield Mistake(at=at, seen=registers, expected=f"{limits.max_read} at most: the device gives no more at once")
    if tag.is_written and (wired.count > limits.max_write or (limits.write_function == 6 and wired.count > 1)):
        yield Mistake(at=at, seen=registers, expected="what can be written in one request")
    if wired.area is Area.HOLDING and tag.is_written and file.blocks is not None:
        yield from _beside_blocks(file, file.blocks, wired)


def _beside_blocks(file: MachineTables, blocks: Blocks, wired: Wired) -> Iterator[Mistake]:
    for block, count in frames.BLOCK_WORDS.items():
        if not isinstance(blocks.place(block), int):
            continue
        first = file.register(block)
        if wired.start < first + count and first < wired.end:
            seen = f"a place inside block {block}"
            yield Mistake(
                at=f"tags.{wired.name}.address", seen=seen, expected="a place outside: it would be written into"
            )


def _inputs(file: MachineTables) -> Iterator[Mistake]:
    for name, part in file.inputs.items():
        if part.tag is not None:
            yield from _read(file, part.tag, f"inputs.{name}.tag")
            tag = file.tags.get(part.tag)
            if tag is not None and (tag.type not in WHOLE or tag.is_scaled):
                expected = "a bool or a whole number without scale"
                yield Mistake(at=f"inputs.{name}.tag", seen=part.tag, expected=expected)
        elif file.is_plain:
            expected = "a tag: a plain machine has no status words"
            yield Mistake(at=f"inputs.{name}.word", seen=str(part.word), expected=expected)
    for name, expectation in file.expect.items():
        yield from _condition(file, expectation, f"expect.{name}")


def _capabilities(file: MachineTables) -> Iterator[Mistake]:
    for part, played_by in file.capability.items():
        if part in file.tags or part in file.inputs:
            yield Mistake(at=f"capability.{part}", seen=part, expected="a name that no tag and no input has")
        if played_by not in file.inputs:
            yield from _read(file, played_by, f"capability.{part}")
    for name in sorted(file.tags.keys() & file.inputs.keys()):
        yield Mistake(at=f"inputs.{name}", seen=f"both tag and input: {name}", expected="names of their own")
    boot = file.capability.get("boot")
    if boot is not None and (boot in file.inputs or (boot in file.tags and file.tags[boot].type not in WHOLE)):
        expected = "the number of starts: a tag that is a whole number"
        yield Mistake(at="capability.boot", seen=boot, expected=expected)


def _plain_job(file: MachineTables, kind: str, job: PlainJob) -> Iterator[Mistake]:
    for n, write in enumerate(chain(job.write, job.reset)):
        list_name, index = ("write", n) if n < len(job.write) else ("reset", n - len(job.write))
        yield from _write(file, job, write, f"jobs.{kind}.{list_name}.{index}")
    for name, tag in job.results.items():
        yield from _read(file, tag, f"jobs.{kind}.results.{name}")
    for name, proof in (("done", job.done), ("failed", job.failed)):
        if proof is not None:
            yield from _proof(file, proof, f"jobs.{kind}.{name}")


def _write(file: MachineTables, job: PlainJob, write: PlainWrite, at: str) -> Iterator[Mistake]:
    tag = file.tags.get(write.tag)
    if tag is None or not tag.is_written:
        yield Mistake(at=f"{at}.tag", seen=write.tag, expected="a tag that may be written")
        return
    if write.source is not None and write.source not in job.params:
        yield Mistake(at=f"{at}.from", seen=write.source, expected=f"a parameter of the job: {_names(job.params)}")
    if write.value is not None and isinstance(write.value, str) != (tag.type is TagType.STRING):
        yield Mistake(at=f"{at}.value", seen=repr(write.value), expected=f"a value of tag {write.tag} ({tag.type})")
    elif write.value is not None and (why := _value_never_written(file, write.tag, write.value)):
        yield Mistake(at=f"{at}.value", seen=repr(write.value), expected=f"a value that can be written: {why}")


def _value_never_written(file: MachineTables, name: str, value: Scalar) -> str:
    try:
        wired = file.wire(name)
    except ValueError:
        return ""  # said before: nobody knows where it lies
    return _never_written(file, wired, value)


def _proof(file: MachineTables, proof: Proof, at: str) -> Iterator[Mistake]:
    if proof.rises is None:
        yield from _condition(file, Condition(tag=proof.tag, equals=proof.equals, min=proof.min), at)
        return
    yield from _read(file, proof.tag, f"{at}.tag")
    if proof.tag in file.tags and file.tags[proof.tag].type not in WHOLE:
        yield Mistake(at=f"{at}.rises", seen=proof.tag, expected="a whole number: only such a tag can rise")


def _condition(file: MachineTables, condition: Condition, at: str) -> Iterator[Mistake]:
    yield from _read(file, condition.tag, f"{at}.tag")
    tag = file.tags.get(condition.tag)
    if tag is not None and (expected := never_holds(condition, tag)):
        yield Mistake(at=at, seen=f"{condition.tag} = {condition.wanted()}", expected=expected)


def _read(file: MachineTables, name: str, at: str) -> Iterator[Mistake]:
    tag = file.tags.get(name)
    if tag is None:
        yield Mistake(at=at, seen=name, expected=f"a tag of the file: {_names(file.tags)}")
    elif not tag.is_read:
        yield Mistake(at=at, seen=f"{name}, which is never read", expected="a tag with access = 'r' or 'rw'")


def _names(known: Iterable[str]) -> str:
    return ", ".join(sorted(known)) or "it has none"
