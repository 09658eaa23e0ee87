"""The virtual printer: what it says, what it counts, and what lies at its peel bar."""

import asyncio
import random

import numpy as np
import pytest

from labeling.printer import LabelPrinter
from labeling.transport import tcp_ports
from packline.core.clock import LoopClock
from packline.core.effects import PRINT, Effect, EffectState
from packline.core.identity import Lpn

pytestmark = pytest.mark.wire

LPN = Lpn.number(1000).text
READY = b"\x12\x12\x12\x12"
ASK_ALL = b"\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04"
DONE = b"\x37\x220001\x00"


async def connect(address):
    host, _, port = address.partition(":")
    return await asyncio.open_connection(host, int(port))


async def test_printed_label_is_dot_for_dot_what_was_sent(served, raw, make_label_job, make_label):
    answer = await raw(served.addresses["printer-1"], make_label_job(LPN, 7), len(DONE))
    assert answer == DONE
    label = served.floor.label_at("printer-1")
    assert label is not None and label.complete
    assert (label.lpn, label.print_number) == (LPN, 7)
    assert np.array_equal(np.asarray(label.bitmap), np.asarray(make_label(LPN, 7)))


async def test_ready_printer_says_so_and_its_counters_move_with_the_labels(served, raw, make_label_job):
    address = served.addresses["printer-1"]
    assert await raw(address, ASK_ALL, 4) == READY
    assert await raw(address, b"\x1dg2\x00\x32\x00", 3) == b"_0\x00"
    await raw(address, make_label_job(LPN, 1), len(DONE))
    assert await raw(address, b"\x1dg2\x00\x32\x00", 3) == b"_1\x00"
    assert await raw(address, b"\x1dg2\x00\x15\x00", 5) == b"_640\x00"


async def test_next_label_waits_until_the_last_one_is_taken(served, raw, make_label_job, wait_until):
    address = served.addresses["printer-1"]
    await raw(address, make_label_job(LPN, 1), len(DONE))
    reader, writer = await connect(address)
    writer.write(make_label_job(LPN, 2) + b"\x10\x04\x01")
    assert await reader.readexactly(1) == b"\x12"  # real time: answered although it waits
    first = await served.floor.take_label("printer-1")
    assert first.print_number == 1
    assert await reader.readexactly(len(DONE)) == DONE
    assert served.floor.label_at("printer-1").print_number == 2
    writer.close()


async def test_job_cut_off_in_the_middle_comes_out_as_half_a_label(served, make_label_job, wait_until):
    job = make_label_job(LPN, 3)
    _, writer = await connect(served.addresses["printer-1"])
    writer.write(job[: len(job) // 2])
    await writer.drain()
    writer.close()
    label = await wait_until(lambda: served.floor.label_at("printer-1"))
    assert not label.complete and label.print_number == 0
    summary = served.truth.summary()
    assert (summary["labels_printed"], summary["labels_incomplete"]) == (1, 1)


async def test_whole_job_is_printed_although_its_sender_died(served, make_label_job, wait_until):
    _, writer = await connect(served.addresses["printer-1"])
    writer.write(make_label_job(LPN, 4))
    await writer.drain()
    writer.close()
    label = await wait_until(lambda: served.floor.label_at("printer-1"))
    assert label.complete and label.print_number == 4


async def test_paper_out_and_cover_open_are_told_and_hold_the_job_back(served, raw, make_label_job, wait_until):
    address = served.addresses["printer-1"]
    await served.fault("printer-1", "paper_out")
    assert await raw(address, ASK_ALL, 4) == b"\x1a\x32\x12\x72"
    reader, writer = await connect(address)
    writer.write(make_label_job(LPN, 5))
    await served.mend("printer-1")
    assert await reader.readexactly(len(DONE)) == DONE
    writer.close()
    await served.fault("printer-1", "cover_open")
    assert await raw(address, ASK_ALL, 4) == b"\x1a\x16\x12\x12"


async def test_status_blocks_come_by_themselves_when_asked_for(served):
    reader, writer = await connect(served.addresses["printer-1"])
    writer.write(b"\x1da\xff")
    assert await reader.readexactly(4) == b"\x10\x00\x00\x00"
    await served.fault("printer-1", "cover_open")
    assert await reader.readexactly(4) == b"\x38\x00\x00\x00"
    writer.close()


async def test_empty_roll_is_paper_out_until_somebody_loads_one(served, raw, make_label_job):
    served.twin.hall.printers["printer-1"].paper_left = 1
    address = served.addresses["printer-1"]
    await raw(address, make_label_job(LPN, 6), len(DONE))
    assert (await raw(address, ASK_ALL, 4))[3] == 0x72
    await served.floor.load_paper("printer-1")
    assert await raw(address, ASK_ALL, 4) == READY


async def test_half_print_stops_with_an_error_and_silent_accept_with_nothing(served, raw, make_label_job, wait_until):
    address = served.addresses["printer-1"]
    await served.fault("printer-1", "half_print", times=1)
    reader, writer = await connect(address)
    writer.write(make_label_job(LPN, 8))
    label = await wait_until(lambda: served.floor.label_at("printer-1"))
    assert not label.complete
    writer.write(b"\x10\x04\x03")
    assert await reader.readexactly(1) == b"\x32"
    await served.mend("printer-1")
    await served.fault("printer-1", "silent_accept")
    writer.write(make_label_job(LPN, 9) + ASK_ALL + b"\x1dg2\x00\x32\x00")
    assert await reader.readexactly(7) == READY + b"_0\x00"
    assert served.truth.summary()["labels_printed"] == 1
    writer.close()


async def test_power_cut_in_mid_label_leaves_half_a_label_that_no_counter_knows(served, make_label_job, wait_until):
    printer = served.twin.hall.printers["printer-1"]
    _, writer = await connect(served.addresses["printer-1"])
    job = make_label_job(LPN, 10)
    writer.write(job[: len(job) // 3])
    await wait_until(lambda: printer.rows > 0)
    await served.fault("printer-1", "off")
    assert not served.floor.label_at("printer-1").complete
    await served.mend("printer-1")
    assert (printer.cuts, printer.rows) == (0, 0)
    writer.close()


async def test_the_lines_own_driver_confirms_its_print_on_this_printer(served):
    clock = LoopClock()
    driver = LabelPrinter(
        name="printer-1",
        address=served.addresses["printer-1"],
        open_port=tcp_ports(clock),
        clock=clock,
        rng=random.Random(1),
    )
    content = {
        "lpn": LPN,
        "sscc": "095213210000000773",
        "print_number": 77,
        "merchant": "Camellia",
        "order_ref": "HM-1",
        "ship_to": {"recipient": "Li", "lines": ["Road 1"], "city": "Hangzhou", "country": "CN"},
    }
    effect = Effect(kind=PRINT, subject=LPN, generation=1, station="label-1", parameters=content)
    ticket = await driver.prepare(effect, 1)
    assert (await driver.send(effect, ticket)).state is EffectState.CONFIRMED
    assert (await driver.inquire(effect, ticket)).state is EffectState.CONFIRMED
    assert served.floor.label_at("printer-1").print_number == 77
    await driver.close()
