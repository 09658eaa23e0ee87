"""Every fault of labels, printers, scanners and cameras does what the catalogue says of it."""

from contextlib import suppress

import pytest

from labeling.drivers import escpos
from packline.core.faults import Fault
from packline.core.identity import Lpn
from plc.handshake.frames import Result
from scanning.sight import PixelSight
from simulation.machines.printer import SAVES_EVERY_S
from simulation.pictures.render import render
from simulation.pictures.scenes import CartonScene, blurred
from tests.simulation.faults.small_line import APPLY, content, in_small

PRINTER, ARM = "printer-1", "arm-1"
DONE = b"\x37\x22"
"""What the report of a process id begins with."""
ONE, TWO, THREE = (Lpn.number(n).text for n in (1, 2, 3))


async def applied(small, fault=""):
    """Print a label and let the arm apply it; gives the carton."""
    carton = small.carton("label-1")
    port = await small.send(PRINTER, carton.lpn, 1)
    await small.wait(3.0)
    await port.close()
    if fault:
        await small.fault(ARM, fault, times=1)
    hand = await small.hand(ARM)
    assert (await hand.do(APPLY)).result == Result.OK
    return carton


def read(labels):
    return [(stuck.label.sscc, stuck.label.lpn) for stuck in labels]


def test_a_label_is_lost_and_the_arm_knows_nothing_of_it():
    async def story(small):
        carton = await applied(small, "label_dropped")
        assert carton.labels == []
        assert "label_lost" in small.names()

    in_small(story)


def test_a_folded_label_is_on_the_carton_and_cannot_be_read():
    async def story(small):
        carton = await applied(small, "folded")
        assert read(carton.labels) == [("", "")]
        assert await small.codes("cam-verify") == [carton.lpn]  # the plate alone

    in_small(story)


def test_a_doubled_label_is_seen_twice_and_counted_as_nobodys_double():
    async def story(small):
        carton = await applied(small, "doubled")
        assert len(carton.labels) == len(set(read(carton.labels))) + 1 == 2
        assert len(await small.codes("cam-verify")) == 5
        assert small.plant.truth.summary()["double_labels"] == 0

    in_small(story)


def test_a_printers_counters_fall_back_in_a_power_cut_to_what_was_last_written_down():
    async def story(small):
        printer = small.hall.printers[PRINTER]
        for lpn, after_s in ((ONE, SAVES_EVERY_S), (TWO, 0.0)):
            await small.printed(PRINTER, lpn, 1)
            await small.wait(after_s)
        before = (printer.cuts, printer.rows)
        await small.fault(PRINTER, "off")
        await small.mend()
        assert before == (2, 2 * printer.rows) and (printer.cuts, printer.rows > 0) == (1, True)

    in_small(story)


@pytest.mark.parametrize("fault", ["unreadable", "ribbon_out"])
def test_blank_paper_comes_out_whole(fault):
    async def story(small):
        await small.fault(PRINTER, fault)
        label = await small.printed(PRINTER, ONE, 1)
        assert (label.complete, label.sscc, label.lpn) == (True, "", "")
        await small.mend()
        assert (await small.printed(PRINTER, ONE, 2)).lpn == ONE

    in_small(story)


@pytest.mark.parametrize("fault", ["faded", "half_print"])
def test_half_a_label_comes_out(fault):
    async def story(small):
        await small.fault(PRINTER, fault, times=1)
        assert not (await small.printed(PRINTER, ONE, 1)).complete
        assert small.hall.printers[PRINTER].health.error == (fault == "half_print")
        await small.mend()
        assert (await small.printed(PRINTER, ONE, 2)).complete

    in_small(story)


def test_the_label_before_comes_out_again_instead_of_the_one_that_was_sent():
    async def story(small):
        first = await small.printed(PRINTER, ONE, 1)
        await small.fault(PRINTER, "previous", times=1)
        second = await small.printed(PRINTER, TWO, 2)
        assert (second.lpn, second.is_copy) == (first.lpn, True)
        assert small.plant.truth.summary()["double_prints"] == 0
        assert (await small.printed(PRINTER, THREE, 3)).lpn == THREE

    in_small(story)


def test_a_copy_comes_out_when_the_label_has_been_taken():
    async def story(small):
        await small.fault(PRINTER, "printed_twice", times=1)
        first = await small.printed(PRINTER, ONE, 1)
        assert small.floor.label_at(PRINTER) is None
        await small.wait(3.0)
        copy = small.floor.label_at(PRINTER)
        assert (copy.lpn, copy.is_copy) == (first.lpn, True)

    in_small(story)


@pytest.mark.parametrize("fault", ["paper_out", "cover_open", "silent_accept", "off"])
def test_nothing_is_printed(fault):
    async def story(small):
        await small.fault(PRINTER, fault)
        if fault == "off":
            with pytest.raises(ConnectionError):
                await small.send(PRINTER, ONE, 1)
        else:
            await small.send(PRINTER, ONE, 1)
        await small.wait(5)
        assert small.floor.label_at(PRINTER) is None
        health = small.hall.printers[PRINTER].health
        assert (health.paper_out, health.cover_open) == (fault == "paper_out", fault == "cover_open")

    in_small(story)


@pytest.mark.parametrize("fault, answer", [("mute", False), ("unsaid", False), ("late_answers", False), ("", True)])
def test_a_printer_prints_and_does_not_say_so_in_time(fault, answer):
    async def story(small):
        if fault:
            await small.fault(PRINTER, fault)
        port = await small.send(PRINTER, ONE, 1)
        while small.floor.label_at(PRINTER) is None:
            await small.wait(0.01)
        assert (DONE in await told(port, 0.5)) == answer
        assert (DONE in await told(port, 0.5)) == (fault == "late_answers")

    async def told(port, within_s):
        said = b""
        with suppress(TimeoutError):
            while DONE not in said:
                said += await port.receive(within_s)
        return said

    in_small(story)


def test_a_request_to_a_printer_may_take_longer():
    async def story(small):
        await small.fault(PRINTER, "slow")
        port = small.plant.open_port(next(p.address for p in small.plant.spec.printers if p.name == PRINTER))
        await port.connect()
        begun = small.clock.monotonic()
        await port.send(small.press.typeset(content(ONE, 1), escpos.process_id(1)))
        assert small.clock.monotonic() - begun == pytest.approx(0.8)
        await small.fault(PRINTER, "unplugged")
        with pytest.raises(ConnectionError):
            await port.send(b"x")

    in_small(story)


# -- scanners --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, sent",
    [
        ("", ["]E0690123", "]C0AB12"]),
        ("no_read", ["]E0690123"]),
        ("multi_read", ["]E0690123", "]C0AB12", "]C0AB12", "]C0AB12"]),
        ("fragment", ["]E0690123", "]C0AB"]),
        ("wrong_read", ["]E0690123", "]C0AB42"]),
        ("ghost", ["]E0690123", "]C0AB12", "]E0690123"]),
    ],
)
def test_a_hand_scanner_sends_something_else_than_it_was_shown(fault, sent):
    async def story(small):
        scanner, texts = small.hall.scanners["scan-induct"], list[str]()
        scanner.send = texts.append
        scanner.show("]E0690123")
        if fault:
            await small.fault("scan-induct", fault, times=1)
        scanner.show("]C0AB12")
        assert texts == sent
        scanner.show("]C0CD34")
        assert texts == [*sent, "]C0CD34"]

    in_small(story)


@pytest.mark.parametrize("fault, reads", [("", 1), ("no_read", 0), ("multi_read", 3), ("off", 0)])
def test_a_fixed_scanner_reads_what_arrives_more_or_less(fault, reads):
    async def story(small):
        address = next(s.address for s in small.plant.spec.scanners if s.name == "scan-pack")
        line = small.plant.open_line(address)
        await line.connect()
        if fault:
            await small.fault("scan-pack", fault)
        carton = small.carton("pack-1")
        await small.wait(1.0)
        got = await line.receive() if reads else b""
        assert got.count(carton.lpn.encode()) == reads

    in_small(story)


# -- cameras ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault, sees", [("", True), ("dark", False), ("blurred", False), ("moved", False)])
def test_a_camera_sees_what_stands_before_it_or_nothing(fault, sees):
    async def story(small):
        carton = small.carton("label-1")
        if fault:
            await small.fault("cam-verify", fault)
        assert (carton.lpn in await small.codes("cam-verify")) == sees
        await small.mend()
        assert carton.lpn in await small.codes("cam-verify")

    in_small(story)


def test_a_frozen_camera_shows_the_picture_of_before():
    async def story(small):
        small.carton("label-1")
        before = await small.plant.open_camera("cam-verify").still()
        await small.fault("cam-verify", "frozen")
        await small.wait(5)
        assert await small.plant.open_camera("cam-verify").still() == before

    in_small(story)


@pytest.mark.parametrize(
    "fault, late_s", [("lost", None), ("late", 2.0), ("slow", 0.8), ("late_answers", 0.8), ("off", None)]
)
def test_a_picture_comes_late_or_never(fault, late_s):
    async def story(small):
        camera = small.plant.open_camera("cam-verify")
        await small.fault("cam-verify", fault)
        begun = small.clock.monotonic()
        if late_s is None:
            with pytest.raises(Fault, match="1005"):
                await camera.still()
        else:
            await camera.still()
            assert small.clock.monotonic() - begun == pytest.approx(late_s + 0.04)

    in_small(story)


def test_a_picture_out_of_focus_cannot_be_read():
    """The drawn one, too."""
    scene = CartonScene(lpn=ONE)
    assert {code.text for code in PixelSight().read(render(scene))} == {ONE}
    assert PixelSight().read(render(blurred(scene))) == []
