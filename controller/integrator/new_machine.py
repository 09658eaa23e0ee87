"""Writes a first machine file from answers: head, blocks or tags, expectations, jobs, a twin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.integrator.asking import Asker, Question
from controller.integrator.toml_text import table, tag_tables
from packline.core.effects import KINDS
from packline.core.faults import Fault
from packline.core.files import near
from plc.tags.model import AddressBase, Tag

BASES: dict[str, AddressBase] = {"0": 0, "1": 1, "modicon": "modicon"}
FIRST_CODE = 16
FIRST_BLOCKS = {"cmd": 0, "hb": 16, "state": 20, "status": 100}

HEAD = (
    Question(key="model", words="Model, one word", default="my_machine"),
    Question(key="title", words="What it is", default="A machine"),
    Question(key="source", words="Manual and revision that the figures come from", default="not yet known"),
    Question(key="protocol", words="Protocol", default="modbus", choices=("modbus", "opcua")),
    Question(key="handshake", words="Does it speak Packline's handshake", default="none", choices=("packline", "none")),
)
MODBUS = (
    Question(key="base", words="How its manual counts registers", default="modicon", choices=tuple(BASES)),
    Question(key="unit", words="Unit id", default="1"),
    Question(key="order", words="Order of 32-bit values", default="ABCD", choices=("ABCD", "CDAB", "BADC", "DCBA")),
)
NAMESPACE = Question(key="namespace", words="Namespace uri of its nodes", default="urn:machine")
CODED_JOBS = Question(key="jobs", words="Its jobs as kind=code, blanks between", may_be_empty=True)
PLAIN_FORM = "kind=output:counter"
PLAIN_HELP = "Name the tag that starts the job, then, after a colon, the counter that rises by one when it is done."
PLAIN_JOBS = Question(
    key="jobs",
    words=f"Its jobs as {PLAIN_FORM} (is set; rises by one when done), blanks between",
    may_be_empty=True,
)
EXPECT = Question(key="expect", words="What proves that it is the right machine, as tag=value", may_be_empty=True)


def machine_head(asker: Asker) -> dict[str, Any]:
    """Ask for [machine], and whether it speaks the handshake."""
    said: dict[str, Any] = {question.key: asker.answer(question) for question in HEAD}
    if said["protocol"] == "opcua":
        return {**said, "namespace": asker.answer(NAMESPACE)}
    answers = {question.key: asker.answer(question) for question in MODBUS}
    unit = answers["unit"]
    if not unit.isdigit():
        raise Fault(4201, where="Unit id", seen=unit, expected="a number 0 to 255")
    return {**said, "address_base": BASES[answers["base"]], "unit": int(unit), "word_order": answers["order"]}


def machine_text(asker: Asker, said: Mapping[str, Any], tags: Mapping[str, Tag]) -> str:
    """Give the file; `said` is the head that was asked for before its tags were read."""
    is_plain = said["handshake"] == "none"
    head = {key: value for key, value in said.items() if key != "handshake"}
    parts = ["# Made by packline machine new. Every key: docs/reference/machine-file.md\n", table("machine", head)]
    if is_plain:
        parts.append(table("handshake", {"kind": "none"}))
    else:
        parts.append(table("blocks", _first_blocks(said)))
    parts += [
        *_expect(asker, tags),
        *_jobs(asker, tags, is_plain=is_plain),
        table("simulation", {"behaviour": "generic"}),
    ]
    parts += [tag_tables(tags)] if tags else []
    return "\n".join(parts)


def _first_blocks(said: Mapping[str, Any]) -> dict[str, Any]:
    if said["protocol"] == "opcua":
        return {"namespace": said["namespace"], **{name: f"Machine.{name.upper()}" for name in FIRST_BLOCKS}}
    first = 400_001 if said["address_base"] == "modicon" else said["address_base"]
    return {name: first + place for name, place in FIRST_BLOCKS.items()}


def _expect(asker: Asker, tags: Mapping[str, Tag]) -> Iterator[str]:
    for text in _words(asker.answer(EXPECT)) if tags else ():
        name, value = _pair(text, "tag=value", "--expect")
        number: Any = int(value) if value.lstrip("-").isdigit() else value
        yield table(f"expect.{_known(name, tags, '--expect')}", {"tag": name, "equals": number})


def _jobs(asker: Asker, tags: Mapping[str, Tag], *, is_plain: bool) -> Iterator[str]:
    for text in _words(asker.answer(PLAIN_JOBS if is_plain else CODED_JOBS)):
        kind, rest = _pair(text, PLAIN_FORM if is_plain else "kind=code", "--jobs")
        if kind not in KINDS:
            raise Fault(
                4201, where="--jobs", seen=kind, expected=f"one of {', '.join(KINDS)}", remedy=near(kind, set(KINDS))
            )
        yield table(f"jobs.{kind}", _plain_job(rest, tags) if is_plain else _coded_job(rest))


def _coded_job(text: str) -> dict[str, Any]:
    if not text.isdigit() or int(text) < FIRST_CODE:
        raise Fault(4201, where="--jobs", seen=text, expected=f"a code of {FIRST_CODE} or more")
    return {"code": int(text), "timeout_s": 20}


def _plain_job(text: str, tags: Mapping[str, Tag]) -> dict[str, Any]:
    output, _, counter = text.partition(":")
    if not counter:
        raise Fault(4201, where="--jobs", seen=text, expected=PLAIN_FORM, remedy=PLAIN_HELP)
    for name in (output, counter):
        _known(name, tags, "--jobs")
    return {
        "write": [{"tag": output, "value": True}],
        "done": {"tag": counter, "rises": 1},
        "reset": [{"tag": output, "value": False}],
        "timeout_s": 20,
    }


def _known(name: str, tags: Mapping[str, Tag], where: str) -> str:
    if name not in tags:
        expected = f"a tag of the list: {', '.join(tags) or 'there is none'}"
        raise Fault(4201, where=where, seen=name or "nothing", expected=expected, remedy=near(name, set(tags)))
    return name


def _words(text: str) -> Sequence[str]:
    return text.replace(",", " ").split()


def _pair(text: str, form: str, where: str) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if not sign or not left or not right:
        raise Fault(4201, where=where, seen=text, expected=form)
    return left, right
