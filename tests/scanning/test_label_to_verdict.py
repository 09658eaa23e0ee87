"""A label's whole way: drawn, printed as ESC/POS, rastered, photographed, decoded by two readers, judged."""

import dataclasses
from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from labeling.content import LabelContent, ShipTo
from labeling.drawing import draw, draw_plate
from labeling.drivers import escpos
from labeling.raster import RasterReader, pieces
from packline.core.faults import Fault
from packline.core.identity import Lpn, Sscc
from packline.core.pictures import Still
from scanning.decode import MOST_PIXELS, decode, pyzbar_available
from scanning.verify import ExpectedLabel, VerdictKind, judge, look, require_fresh, shows_plate_and_label

CHINESE = LabelContent(
    lpn=Lpn.number(42).text,
    sscc=Sscc.build(3, "6901234", 17).text,
    print_number=1234,
    merchant="青竹茶行",
    order_ref="MP-2026-000123",
    ship_to=ShipTo(recipient="欧阳娜娜", lines=("文三路 478 号", ""), postcode="310012", city="杭州市", country="中国"),
    contents=("2 × 龙井茶 250 g",),
)
ENGLISH = dataclasses.replace(
    CHINESE,
    lpn=Lpn.number(999_999_999).text,
    sscc=Sscc.build(0, "950110153", 1_234_567).text,
    print_number=999_999_999,
    merchant="Bamboo & Sons Ltd.",
    ship_to=ShipTo(recipient="Ann O'Neill-Brontë", lines=("12 High St",), city="Leeds", country="United Kingdom"),
)
AWKWARD = dataclasses.replace(
    CHINESE,
    print_number=1,
    merchant="😀" * 50,
    order_ref="x" * 400,
    ship_to=ShipTo(recipient="𠮷" * 40, lines=("", "\u202e\x00\n" + "路" * 600), city="", country=""),
    contents=("W" * 300, "\u200d", "ẞ" * 90),
)


def printed(content: LabelContent) -> Image.Image:
    job = escpos.job(draw(content), b"abcd")
    (label,) = pieces(RasterReader().feed(job))
    return label


def photo(*things: tuple[Image.Image, tuple[int, int]], turn_deg: float = 0.0, noise: float = 4.0) -> bytes:
    """Put pictures on a brown carton and photograph it with a little noise."""
    carton = Image.new("L", (1280, 1000), 150)
    for thing, place in things:
        carton.paste(thing.convert("L"), place)
    turned = carton.rotate(turn_deg, expand=True, fillcolor=90, resample=Image.Resampling.BICUBIC)
    grain = np.random.default_rng(7).normal(0, noise, (turned.height, turned.width))
    pixels = np.clip(np.asarray(turned, np.float64) + grain, 0, 255).astype(np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=85)
    return out.getvalue()


def plate(content: LabelContent) -> Image.Image:
    return draw_plate(content.lpn)


def expected(content: LabelContent) -> ExpectedLabel:
    return ExpectedLabel(lpn=content.lpn, sscc=content.sscc, print_number=content.print_number)


def verdict(jpeg: bytes, content: LabelContent) -> VerdictKind:
    return judge(decode(jpeg, is_enough=shows_plate_and_label), expected(content)).kind


LABEL_AT, PLATE_AT = (40, 60), (660, 700)


@pytest.mark.parametrize("content", [CHINESE, ENGLISH, AWKWARD], ids=["chinese", "english", "awkward"])
def test_a_label_survives_its_way_from_content_to_verdict(content):
    jpeg = photo((printed(content), LABEL_AT), (plate(content), PLATE_AT))
    assert verdict(jpeg, content) is VerdictKind.MATCH


def test_a_label_is_read_where_the_second_reader_is_missing(monkeypatch: pytest.MonkeyPatch):
    """What a computer without libzbar does."""
    monkeypatch.setattr("scanning.decode._pyzbar", lambda: None)
    assert verdict(photo((printed(CHINESE), LABEL_AT), (plate(CHINESE), PLATE_AT)), CHINESE) is VerdictKind.MATCH
    assert decode(photo((plate(CHINESE), PLATE_AT)), is_enough=shows_plate_and_label)


@pytest.mark.skipif(not pyzbar_available(), reason="libzbar is not installed")
def test_the_second_reader_confirms_the_bars_of_the_first():
    from pyzbar import pyzbar

    label = printed(CHINESE).convert("L")
    (read,) = pyzbar.decode(label, symbols=[pyzbar.ZBarSymbol.CODE128])
    assert read.data.decode() == f"00{CHINESE.sscc}"
    texts = {code.text for code in decode(np.asarray(label))}
    assert texts == {f"00{CHINESE.sscc}", CHINESE.mark}


def test_a_picture_beyond_what_the_readers_take_is_shrunk_and_read_and_its_codes_are_where_they_were():
    label = np.asarray(printed(CHINESE).convert("L"))
    small = {code.text: code.box for code in decode(label, most_steps=1)}
    times = int((MOST_PIXELS / label.size) ** 0.5) + 2
    large = np.repeat(np.repeat(label, times, axis=0), times, axis=1)
    assert large.size > MOST_PIXELS

    found = {code.text: code.box for code in decode(large, most_steps=1)}
    assert set(found) == set(small) and CHINESE.mark in found
    for text, box in found.items():
        assert box.left == pytest.approx(small[text].left * times, abs=10 * times)
        assert box.width == pytest.approx(small[text].width * times, abs=20 * times)


@pytest.mark.parametrize("turn_deg", [17.0, 90.0, 180.0, 225.0])
def test_a_parcel_may_lie_at_any_angle(turn_deg):
    jpeg = photo((printed(CHINESE), LABEL_AT), (plate(CHINESE), PLATE_AT), turn_deg=turn_deg)
    assert verdict(jpeg, CHINESE) is VerdictKind.MATCH


def test_a_reprint_beside_its_original_is_doubled_and_so_is_the_same_print_twice():
    reprint = dataclasses.replace(CHINESE, print_number=1235)
    both = photo((printed(CHINESE), LABEL_AT), (printed(reprint), (640, 40)), (plate(CHINESE), PLATE_AT))
    assert verdict(both, reprint) is VerdictKind.DOUBLED
    same = photo((printed(CHINESE), LABEL_AT), (printed(CHINESE), (640, 40)), (plate(CHINESE), PLATE_AT))
    assert verdict(same, CHINESE) is VerdictKind.DOUBLED


@pytest.mark.parametrize("turn_deg", [0.0, 2.0, 90.0, 180.0])
@pytest.mark.parametrize("shift", [(0, -60), (0, -150), (30, -120), (-40, -200)])
def test_a_reprint_that_covers_the_mark_of_its_original_and_not_its_bars_is_doubled(shift, turn_deg):
    reprint = dataclasses.replace(CHINESE, print_number=1235)
    original, above = (100, 300), (100 + shift[0], 300 + shift[1])
    jpeg = photo(
        (printed(CHINESE), original), (printed(reprint), above), (plate(CHINESE), (700, 780)), turn_deg=turn_deg
    )
    assert verdict(jpeg, reprint) is VerdictKind.DOUBLED


@pytest.mark.parametrize("noise", [4.0, 20.0])
@pytest.mark.parametrize("turn_deg", [0.0, 3.0, 10.0, 45.0, 90.0, 225.0, 270.0])
def test_no_step_of_the_readers_takes_one_label_for_two(turn_deg, noise):
    jpeg = photo((printed(CHINESE), LABEL_AT), (plate(CHINESE), PLATE_AT), turn_deg=turn_deg, noise=noise)
    seen = look(decode(jpeg, is_enough=lambda _codes: False))
    assert len(seen.labels) == 1
    assert not seen.has_bars_twice


def test_the_voided_original_alone_is_an_old_label():
    jpeg = photo((printed(CHINESE), LABEL_AT), (plate(CHINESE), PLATE_AT))
    assert verdict(jpeg, dataclasses.replace(CHINESE, print_number=1300)) is VerdictKind.OLD_LABEL


def test_half_a_label_proves_nothing():
    half = printed(CHINESE).crop((0, 0, 576, 330))
    assert verdict(photo((half, LABEL_AT), (plate(CHINESE), PLATE_AT)), CHINESE) is VerdictKind.NO_LABEL


def test_an_empty_picture_and_bytes_that_are_no_picture_are_unreadable():
    assert verdict(photo(), CHINESE) is VerdictKind.UNREADABLE
    for junk in (b"", b"\xff\xd8\xff", b"hello"):
        assert decode(junk) == []
        assert judge(decode(junk), expected(CHINESE)).kind is VerdictKind.UNREADABLE


def test_a_stale_picture_is_never_proof():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for captured_at, frame in ((now, 5), (now - timedelta(seconds=1), 5), (now + timedelta(seconds=1), 4)):
        still = Still(jpeg=b"", camera="verify-1", frame=frame, captured_at=captured_at)
        with pytest.raises(Fault, match="1005"):
            require_fresh(still, asked_at=now, last_frame=4)
