"""The page of the machines that ship: of each file its jobs, inputs and tags, and what reading them costs."""

from __future__ import annotations

from collections.abc import Mapping

from controller.reference.markdown import block, code, codes, page, table
from plc.handshake import frames
from plc.lint import plan_lines
from plc.machine_file import MachineFile, load_machine, machines_folder
from plc.machine_jobs import Job, PlainJob, PlainWrite
from plc.machine_parts import Input
from plc.tags.model import Tag, Wired

INTRO = """
Each of these is one file in `plc/machines`. A site file names it (`file = "conveyor"`); a machine of your own begins as a copy
of the one that is nearest ([machine file](machine-file.md)). The twin serves every one of them over its real protocol.

Registers and bits are counted from 0 here, as they go over the wire, whatever the file counts from.

A machine that no station has is connected and watched all the same: the line's page lists it with its tags.
"""
READERS = """
## Devices without a machine file

A scan gate after the AutoID companion specification of OPC UA (OPC 30010) is a scanner with driver `autoid`: its nodes are given by the
specification. Scanners that send lines and label printers need no file either: see [site file](site-file.md).
"""
SCANNER = """
A site file declares it as a scanner: `driver = "modbus"`. The capabilities `scan_number`, `scan_text`, `scan_check`, `scan_taken` and
`scan_trigger` say which tags carry the exchange: a read is shown with its number before and behind the text; the controller
takes a read whose two numbers agree, tells it once, and writes the number to `scan_taken`; only then the scanner shows the next. Any
change of `scan_trigger` makes it read once more. What was shown before the controller's first look is taken and not told.
"""
HUB = """
Its class, `PaddleHub`, tells each press once (`presses()`), in the order of the hub's own clock. A counter that rose by more than one
between two reads gives as many presses; force and length are known of the last of them.
"""
MORE: Mapping[str, str] = {"modbus_scanner": SCANNER, "paddle_hub": HUB}


def machines_page() -> str:
    """Give the page."""
    files = {path.stem: load_machine(path) for path in sorted(machines_folder().glob("*.toml"))}
    rows = (
        (f"[{name}](#{name})", file.machine.title, code(file.machine.protocol), _kind(file), codes(file.jobs))
        for name, file in files.items()
    )
    overview = table(["file", "machine", "protocol", "kind", "jobs"], rows)
    return page("Machines that ship", INTRO, overview, *(_machine(*one) for one in files.items()), READERS)


def _kind(file: MachineFile) -> str:
    if file.machine.kind:
        return code(file.machine.kind)
    return "no handshake" if file.is_plain else "[handshake](handshake.md)"


def _machine(name: str, file: MachineFile) -> str:
    parts = (
        f"## {name}",
        f"{file.machine.title}. Figures from: {file.machine.source}.",
        MORE.get(name, "").strip(),
        _jobs(file),
        _inputs(file),
        _tags(file),
        _expected(file),
        _faults(file),
    )
    return "\n\n".join(part for part in parts if part)


def _jobs(file: MachineFile) -> str:
    if file.is_plain:
        rows = ((code(name), *_plain(job)) for name, job in file.plain_jobs.items())
        return _titled("Jobs", table(["job", "writes", "proof", "told with it"], rows), file.plain_jobs)
    given = ((code(name), job.code, _params(job), codes(job.results)) for name, job in file.commands.items())
    return _titled("Jobs", table(["job", "code", "parameters", "results"], given), file.commands)


def _plain(job: PlainJob) -> tuple[str, str, str]:
    proof = f"`{job.done.tag}` rises" if job.done.rises else f"`{job.done.tag}` = {job.done.equals}"
    return ", ".join(_write(write, job) for write in job.write), proof, codes(job.results)


def _write(write: PlainWrite, job: PlainJob) -> str:
    if write.source is None:
        return f"`{write.tag}` = {str(write.value).lower()}"
    bounds = job.params[write.source]
    return f"`{write.tag}` = `{write.source}`, {bounds.min:g} to {bounds.max:g}"


def _params(job: Job) -> str:
    return ", ".join(
        f"`{name}` {part.to} {part.min / part.scale:g} to {part.max / part.scale:g}"
        for name, part in job.params.items()
    )


def _inputs(file: MachineFile) -> str:
    rows = [(code(name), _place(part)) for name, part in file.inputs.items()]
    rows += [(code(part), f"tag `{tag}`") for part, tag in file.capability.items()]
    return _titled("Inputs and parts", table(["name", "where"], rows), rows)


def _place(part: Input) -> str:
    if part.tag is not None:
        return f"tag `{part.tag}`"
    return f"STATUS word {part.word}" + (f", bit {part.bit}" if part.bit is not None else "")


def _tags(file: MachineFile) -> str:
    heading = ["tag", "where", "type", "unit", "range", "access", "read", "meaning"]
    rows = [_tag(name, wired) for name, wired in file.wired.items()]
    requests = block("\n".join(plan_lines(file)), "text") if file.machine.protocol == "modbus" and rows else ""
    tags = _titled("Tags", table(heading, rows), rows)
    return f"{tags}\n\nHow they are read:\n\n{requests}" if requests else tags


def _tag(name: str, wired: Wired) -> tuple[str, ...]:
    tag = wired.tag
    where = f"{wired.area} {wired.start}" if wired.node == ("", "") else code(wired.node[1])
    low_high = f"{tag.range[0]:g} to {tag.range[1]:g}" if tag.range else ""
    poll = str(tag.poll) if tag.is_read else "never"
    return code(name), where + _bits(tag), _type(wired), tag.unit, low_high, str(tag.access), poll, tag.description


def _bits(tag: Tag) -> str:
    if tag.bits is not None:
        return f", bits {tag.bits[0]} to {tag.bits[1]}"
    return f", bit {tag.bit}" if tag.bit is not None else ""


def _type(wired: Wired) -> str:
    order = f" {wired.order}" if wired.count > 1 and not wired.is_bit and wired.tag.length is None else ""
    length = f", {wired.tag.length} registers" if wired.tag.length else ""
    return f"{wired.tag.type}{order}{length}"


def _expected(file: MachineFile) -> str:
    checks = ", ".join(f"`{one.tag}` is {one.wanted()}" for one in file.expect.values())
    return f"Checked at each connect: {checks}." if checks else ""


def _faults(file: MachineFile) -> str:
    said = [f"bit {bit} = {fault}" for bit, fault in file.faults.bits.items()]
    said += [f"error {number} = {fault}" for number, fault in file.faults.errors.items()]
    own = f" Bits below {frames.FIRST_MACHINE_FAULT_BIT} are the handshake's."
    return f"[Faults](faults.md): {', '.join(said)}.{own}" if said else ""


def _titled(title: str, text: str, things: object) -> str:
    return f"### {title}\n\n{text}" if things else ""
