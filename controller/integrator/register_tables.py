"""Shows a machine file to a PLC programmer: which words lie where, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from controller.reference.handshake_page import LAYOUTS
from controller.reference.markdown import code, table
from plc.handshake import frames
from plc.machine_file import MachineFile
from plc.machine_jobs import Job, PlainJob
from plc.tags.model import Tag


def register_tables(file: MachineFile) -> str:
    """Give the page."""
    head = file.machine
    unit = f", unit {head.unit}" if head.protocol == "modbus" else ""
    intro = f"{head.title}. Source: {head.source}. Protocol {code(head.protocol)}{unit}."
    parts = [f"# {head.model}", intro]
    parts += list(_blocks(file)) if file.blocks else []
    parts += [_tags(file)] if file.tags else []
    parts += [_jobs(file), _plain_jobs(file), _inputs(file)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _blocks(file: MachineFile) -> Iterator[str]:
    for block, layout in LAYOUTS.items():
        if file.machine.protocol == "opcua":
            uri, node = file.node(block)
            place = f"Node {code(node)} in namespace {code(uri)}, UInt16[{frames.BLOCK_WORDS[block]}]."
            yield f"## {block}\n\n{place}\n\n{table(['word', 'name', 'meaning'], layout)}"
            continue
        first = file.register(block)
        rows = [(words, _registers(first, words), _said(file, first, words), *rest) for words, *rest in layout]
        yield f"## {block}\n\n" + table(["word", "register from 0", "as the file counts", "name", "meaning"], rows)


def _registers(first: int, words: str) -> str:
    low, _, high = words.partition("-")
    return f"{first + int(low)}" + (f"-{first + int(high)}" if high else "")


def _said(file: MachineFile, first: int, words: str) -> str:
    base = {0: 0, 1: 1, "modicon": 400001}[file.machine.address_base or 0]
    return _registers(first + base, words)


def _tags(file: MachineFile) -> str:
    rows = [
        (code(name), _place(file, name), _type(tag), tag.access, _figures(tag), tag.description)
        for name, tag in file.tags.items()
    ]
    return "## Tags\n\n" + table(["tag", "place", "type", "access", "value", "meaning"], rows)


def _place(file: MachineFile, name: str) -> str:
    wired, tag = file.wired[name], file.tags[name]
    if wired.node[1]:
        return code(wired.node[1])
    end = f"-{wired.end - 1}" if wired.count > 1 else ""
    bits = f" bit {tag.bit}" if tag.bit is not None else f" bits {tag.bits[0]}-{tag.bits[1]}" if tag.bits else ""
    return f"{wired.area} {wired.start}{end}{bits}"


def _type(tag: Tag) -> str:
    return str(tag.type) if tag.order is None else f"{tag.type} {tag.order}"


def _figures(tag: Tag) -> str:
    scale = f"raw * {tag.scale:g} + {tag.offset:g} {tag.unit}".strip() if tag.is_scaled else tag.unit
    bounds = f"{tag.range[0]:g} to {tag.range[1]:g}" if tag.range else ""
    return ", ".join(part for part in (scale, bounds) if part)


def _jobs(file: MachineFile) -> str:
    rows = [
        (code(kind), job.code, _parameters(job), _results(job), f"{job.timeout_s:g} s")
        for kind, job in file.commands.items()
    ]
    return "## Jobs\n\n" + table(["job", "CODE", "parameters", "results", "within"], rows) if rows else ""


def _parameters(job: Job) -> str:
    return ", ".join(f"{p.to} = {name} * {p.scale:g} ({p.min} to {p.max})" for name, p in job.params.items())


def _results(job: Job) -> str:
    return ", ".join(f"word {word} = {name}" for name, word in job.results.items())


def _plain_jobs(file: MachineFile) -> str:
    rows = [(code(kind), _writes(job), _proof(job), f"{job.timeout_s:g} s") for kind, job in file.plain_jobs.items()]
    return "## Jobs\n\n" + table(["job", "is written", "is proved by", "within"], rows) if rows else ""


def _writes(job: PlainJob) -> str:
    return ", ".join(f"{w.tag} = {w.value if w.source is None else w.source}" for w in job.write)


def _proof(job: PlainJob) -> str:
    done = job.done
    if done.rises is not None:
        return f"{done.tag} rises by {done.rises}"
    return f"{done.tag} = {done.equals}" if done.equals is not None else f"{done.tag} at least {done.min:g}"


def _inputs(file: MachineFile) -> str:
    rows = [
        (code(name), part.tag or (f"word {part.word}" + ("" if part.bit is None else f" bit {part.bit}")))
        for name, part in file.inputs.items()
    ]
    return "## Inputs\n\n" + table(["input", "where"], rows) if rows else ""
