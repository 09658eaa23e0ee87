"""The file of a recording: what is written is read again, and what is none is said so."""

import pytest

from packline.core.faults import Fault
from simulation.recording.files import read, write
from simulation.recording.journal import books_of
from simulation.recording.rows import Noted
from tests.report.shifts import recording


@pytest.mark.parametrize("name", ["shift.jsonl", "shift.jsonl.gz"])
def test_what_is_written_is_read_again(tmp_path, name):
    write(recording(), tmp_path / "deep" / name)

    assert read(tmp_path / "deep" / name) == recording()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == [name]


@pytest.mark.parametrize(
    "spoil, seen",
    [
        (lambda lines: lines[:-1], "no end"),
        (lambda lines: lines[1:], "0 rows of kind recording"),
        (lambda lines: [*lines[:2], *lines[3:]], "an end that does not count these rows"),
        (lambda lines: [], "an empty line"),
        (lambda lines: [lines[0].replace('"version":1', '"version":2'), *lines[1:]], "version"),
        (lambda lines: ["no json", *lines[1:]], "no json"),
        (lambda lines: [line.replace('"waiting"', '"dreaming"') for line in lines], "dreaming"),
    ],
)
def test_a_file_that_is_no_whole_recording_is_refused_with_what_to_do(tmp_path, spoil, seen):
    path = tmp_path / "shift.jsonl"
    write(recording(), path)
    path.write_text("\n".join(spoil(path.read_text().splitlines())) + "\n")

    with pytest.raises(Fault) as wrong:
        read(path)

    assert wrong.value.code == 4201
    assert seen in wrong.value.seen
    assert wrong.value.expected and "Record the shift again" in wrong.value.remedy


def test_a_recording_that_is_cut_off_is_told_at_its_line_as_not_whole(tmp_path):
    plain, packed = tmp_path / "shift.jsonl", tmp_path / "shift.jsonl.gz"
    write(recording(), plain)
    write(recording(), packed)
    plain.write_bytes(plain.read_bytes()[:700])
    packed.write_bytes(packed.read_bytes()[:-40])

    for path in (plain, packed):
        with pytest.raises(Fault) as wrong:
            read(path)
        assert wrong.value.where.startswith(f"{path} line ")
        assert wrong.value.expected == "a whole recording"


def test_what_is_no_recording_at_all_is_said_in_words(tmp_path):
    told = []
    for name, content in (
        ("a.jsonl", "hello\n"),
        ("b.jsonl", '{"a": 1}\n'),
        ("c.jsonl.gz", "hello"),
        ("d.jsonl", ""),
        ("e.jsonl", None),
    ):
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises(Fault) as wrong:
            read(tmp_path / name)
        told.append(wrong.value.expected)
    assert told == [
        "a line of JSON",
        "a row of a recording: recording, machine, parcel, order, exception, fault, scanner or end",
        "a recording: lines of JSON, compressed if named .gz",
        "a whole recording",
        "a recording that can be read",
    ]


def test_an_order_is_in_the_books_from_its_coming_to_its_end():
    rows = [
        noted(1, "OrderReceived", "o1"),
        noted(2, "OrderReleased", "o1"),
        noted(3, "OrderReceived", "o1"),
        noted(9, "OrderCancelled", "o1"),
        noted(9, "OrderClosed", "unheard of"),
    ]
    (order,) = books_of(rows).order_rows()

    assert (order.came_s, order.released_s, order.ended_s, order.ended) == (1, 2, 9, "cancelled")


def test_an_exception_is_closed_by_its_number():
    opened = {"exception_id": "e1", "code": 3001, "fault": {"name": "no-read"}}
    rows = [noted(1, "ExceptionOpened", **opened), noted(5, "ExceptionClosed", exception_id="e1", action="retry")]
    (found,) = books_of([*rows, noted(6, "ExceptionClosed", exception_id="e2")]).exception_rows()

    assert (found.opened_s, found.closed_s, found.action, found.fault) == (1, 5, "retry", "no-read")


def noted(at_s, kind, order="", **data):
    return Noted(at_s=at_s, kind=kind, subject=order, order=order, station="pack-1", data=data)
