"""What it costs to draw a label whose every dot is known, and to read it back from a camera's picture."""

from collections.abc import Callable
from itertools import count

import cv2
import numpy as np
import pytest
import zxingcpp

from labeling.content import LabelContent
from labeling.drawing import draw
from labeling.drivers import escpos
from scanning.decode import decode
from scanning.verify import ExpectedLabel, VerdictKind, judge, shows_plate_and_label
from simulation.pictures.render import render
from simulation.pictures.scenes import CartonScene, SceneLabel
from tests.bench.gauge import Figure, blocking, figure, in_turns
from tests.bench.goods import label

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
LABELS = 5
PLACES = ((0.0, 0.0, 0.0), (3.0, -2.0, 1.5), (-2.5, 2.0, -2.0), (1.0, 3.0, 0.7))
"""Where a label lies on its carton: millimetres to the right and down, and degrees."""
FORMATS = zxingcpp.BarcodeFormats(
    [
        zxingcpp.BarcodeFormat.Code128,
        zxingcpp.BarcodeFormat.DataMatrix,
        zxingcpp.BarcodeFormat.EAN13,
        zxingcpp.BarcodeFormat.QRCode,
    ]
)


async def test_a_label_is_drawn_and_becomes_printer_bytes(tell: Tell):
    ours, peer = count(1), count(1)

    def labels() -> None:
        for content in [label(next(ours)) for _ in range(LABELS)]:
            assert len(escpos.job(draw(content), b"0001")) > 576 * 640 // 8

    def receipts() -> None:
        for content in [label(next(peer)) for _ in range(LABELS)]:
            assert content.lpn.encode() in receipt(content)

    taken = await in_turns(blocking(labels), blocking(receipts), things=LABELS)
    tell(
        figure(
            "one label drawn dot by dot and encoded",
            ours=taken[0],
            peer=taken[1],
            peer_name="python-escpos: the same words as a text receipt, bars by the printer",
            unit="ms/label",
        )
    )


def receipt(content: LabelContent) -> bytes:
    """Give a receipt in the printer's own letters."""
    from escpos.printer import Dummy  # after ours has loaded it with its own profile

    to, printer = content.ship_to, Dummy()
    printer.hw("INIT")
    printer.set(bold=True, double_width=True)
    printer.textln(content.merchant)
    printer.set(bold=False, double_width=False)
    for line in (to.recipient, to.phone, *to.lines, f"{to.postcode} {to.city}", to.country):
        printer.textln(line)
    for line in (content.order_ref, content.date, content.lpn, f"No. {content.print_number}", *content.contents):
        printer.textln(line)
    printer._raw(b"\x1dh\x68\x1dw\x03\x1dkI\x16{B00" + content.sscc.encode())  # GS k, function B: Code 128
    printer.cut()
    return bytes(printer.output)


def photo(number: int, place: tuple[float, float, float] | None) -> bytes:
    """Photograph a carton as the twin does, with its label at `place` or without one."""
    content = label(number)
    labels: tuple[SceneLabel, ...] = ()
    if place is not None:
        right, down, turn = place
        bitmap = draw(content)
        labels = (SceneLabel(number=number, right_mm=right, down_mm=down, turn_deg=turn, on_left=False, bitmap=bitmap),)
    return render(CartonScene(lpn=content.lpn, labels=labels))


def expected(number: int) -> ExpectedLabel:
    content = label(number)
    return ExpectedLabel(lpn=content.lpn, sscc=content.sscc, print_number=content.print_number)


def alone(jpeg: bytes) -> list[str]:
    """Read a picture with the reader alone, in its own default way."""
    gray = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    return [found.text for found in zxingcpp.read_barcodes(gray, formats=FORMATS)]


async def test_a_right_label_is_read_and_judged(tell: Tell):
    photos = [(number, photo(number, place)) for number, place in enumerate(PLACES, 1001)]

    def chain() -> None:
        for number, jpeg in photos:
            codes = decode(jpeg, is_enough=shows_plate_and_label)
            assert judge(codes, expected(number)).kind is VerdictKind.MATCH

    def reader() -> None:
        for number, jpeg in photos:
            assert label(number).lpn in alone(jpeg)

    taken = await in_turns(blocking(chain), blocking(reader), things=len(photos), rounds=5)
    tell(
        figure(
            "one picture of a labelled carton read and judged",
            ours=taken[0],
            peer=taken[1],
            peer_name="zxing-cpp: one pass over the same JPEG",
            unit="ms/picture",
        )
    )


async def test_a_missing_label_takes_the_whole_chain(tell: Tell):
    jpeg = photo(1001, None)

    def chain() -> None:
        codes = decode(jpeg, is_enough=shows_plate_and_label)
        assert judge(codes, expected(1001)).kind is VerdictKind.NO_LABEL

    def reader() -> None:
        assert set(alone(jpeg)) == {label(1001).lpn}

    taken = await in_turns(blocking(chain), blocking(reader), things=1, rounds=5)
    tell(
        figure(
            "one picture of a carton without a label, every step tried",
            ours=taken[0],
            peer=taken[1],
            peer_name="zxing-cpp: one pass over the same JPEG",
            unit="ms/picture",
        )
    )
