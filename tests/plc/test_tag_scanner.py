"""A scanner behind registers: every read is told once and whole, also over cuts, reboots and lost answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from packline.core.faults import Fault
from packline.core.scans import Scan
from plc.machine_file import shipped_machine
from plc.plain_machine import PlainMachine
from plc.tag_scanner import TagScanner, scanner_faults
from tests.plc.tables import Tables, TableStand
from tests.waiting import serving

FILE = shipped_machine("modbus_scanner")


class Reader(TableStand):
    """A scanner whose registers the test sets, and what was told of it."""

    def __init__(self) -> None:
        super().__init__(FILE, Tables())
        self.show(model_no=8, starts=1)
        self.scanner = TagScanner(PlainMachine(**self.given()), self.clock)
        self.told: list[Scan] = []

    async def listen(self) -> None:
        async for scan in self.scanner.scans():
            self.told.append(scan)

    def read(self, number: int, text: str) -> None:
        self.show(number=number, text=text, again=number)

    def taken(self) -> int:
        return self.tables.shown(FILE, "taken")

    def texts(self) -> list[str]:
        return [scan.text for scan in self.told]


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    stand = Reader()
    async with serving(stand.listen()):
        await stand.until(stand.scanner.is_connected)
        await stand.rest(0.2)
        yield stand


async def test_read_is_told_once_without_its_prefix_and_then_taken(reader):
    reader.read(1, "]C0PL0000000017")
    await reader.rest(1)
    (scan,) = reader.told
    assert (scan.text, scan.symbology, scan.device) == ("PL0000000017", "]C0", "m1")
    assert reader.taken() == 1


async def test_two_equal_codes_are_two_reads(reader):
    for number in (1, 2):
        reader.read(number, "SAME")
        await reader.rest(0.5)
    assert reader.texts() == ["SAME", "SAME"]


async def test_read_that_is_still_being_written_is_not_told_until_both_numbers_agree(reader):
    reader.show(number=1, text="PL00000000")
    await reader.rest(0.5)
    assert (reader.texts(), reader.taken()) == ([], 0)
    reader.read(1, "PL0000000017")
    await reader.rest(0.5)
    assert reader.texts() == ["PL0000000017"]


async def test_what_was_shown_before_the_first_look_is_taken_and_not_told():
    stand = Reader()
    stand.read(7, "OLD")
    async with serving(stand.listen()):
        await stand.until(lambda: stand.taken() == 7)
        stand.read(8, "NEW")
        await stand.until(lambda: stand.taken() == 8)
    assert stand.texts() == ["NEW"]


async def test_taken_number_that_was_lost_is_written_again_and_nothing_is_told_twice(reader):
    reader.read(1, "A")
    await reader.until(lambda: reader.taken() == 1)
    reader.show(taken=0)  # as if the write had never come
    await reader.until(lambda: reader.taken() == 1)
    assert reader.texts() == ["A"]


async def test_cut_link_loses_no_read_and_repeats_none(reader):
    reader.read(1, "A")
    await reader.rest(0.5)
    reader.link.faults.is_cut = True
    await reader.until(lambda: not reader.scanner.is_connected())
    reader.read(2, "B")
    reader.link.faults.is_cut = False
    await reader.until(lambda: reader.taken() == 2)
    assert reader.texts() == ["A", "B"]


async def test_first_read_after_the_scanner_was_switched_on_again_is_no_repetition(reader):
    reader.read(1, "A")
    await reader.rest(0.5)
    reader.show(starts=2, taken=0)
    reader.read(0, "")
    await reader.rest(2)
    reader.read(1, "B")
    await reader.rest(2)
    assert reader.texts() == ["A", "B"]


async def test_text_that_is_none_is_taken_and_dropped(reader):
    wired = FILE.wired["text"]
    reader.show(number=1, again=1)
    reader.tables.put(wired.area, wired.start, [0xFFFE])
    await reader.until(lambda: reader.taken() == 1)
    assert reader.scanner.is_connected()
    reader.read(2, "B")
    await reader.rest(0.5)
    assert reader.texts() == ["B"]


async def test_trigger_changes_its_register_each_time(reader):
    before = reader.tables.shown(FILE, "trigger")
    await reader.do(reader.scanner.trigger())
    await reader.rest(0.5)
    await reader.do(reader.scanner.trigger())
    assert reader.tables.shown(FILE, "trigger") == before + 2


async def test_trigger_does_nothing_while_the_link_is_down(reader):
    reader.link.faults.is_cut = True
    await reader.until(lambda: not reader.scanner.is_connected())
    await reader.do(reader.scanner.trigger())


def test_file_without_the_parts_of_a_scanner_is_refused():
    named = [fault.seen for fault in scanner_faults(shipped_machine("bag_sealer"))]
    assert named == ["no scan_number", "no scan_text", "no scan_check", "no scan_taken", "no scan_trigger"]
    assert scanner_faults(FILE) == []
    assert scanner_faults(shipped_machine("turntable"))
    stand = TableStand(shipped_machine("bag_sealer"), Tables())
    with pytest.raises(Fault):
        TagScanner(PlainMachine(**stand.given()), stand.clock)
