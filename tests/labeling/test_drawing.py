"""Labels as drawn: the same for the same content, whatever the content; and checked at the door."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling import typeface
from labeling.content import LabelContent, ShipTo
from labeling.drawing import BAR_HEIGHT_DOTS, LABEL_HEIGHT_DOTS, LABEL_WIDTH_DOTS, draw, draw_plate
from labeling.symbols import bitmaps
from packline.core.faults import Fault
from packline.core.identity import Lpn, Sscc

TEXT = st.text(max_size=40)


@st.composite
def contents(draw_from):
    return LabelContent(
        lpn=Lpn.number(draw_from(st.integers(0, 999_999_999))).text,
        sscc=Sscc.build(0, "6901234", draw_from(st.integers(0, 999_999_999))).text,
        print_number=draw_from(st.integers(1, 999_999_999)),
        merchant=draw_from(TEXT),
        order_ref=draw_from(TEXT),
        ship_to=ShipTo(
            recipient=draw_from(TEXT),
            lines=tuple(draw_from(st.lists(TEXT, max_size=3))),
            city=draw_from(TEXT),
            country=draw_from(TEXT),
        ),
        contents=tuple(draw_from(st.lists(TEXT, max_size=3))),
    )


@settings(max_examples=20)
@given(contents())
def test_any_content_is_drawn_alike_twice_and_keeps_its_codes_free(content):
    label = draw(content)
    assert label.mode == "1"
    assert label.size == (LABEL_WIDTH_DOTS, LABEL_HEIGHT_DOTS)
    assert label.tobytes() == draw(content).tobytes()
    black = ~np.asarray(label)
    assert not black[484:494].any(), "nothing may reach into the bars"
    assert not black[494 : 494 + BAR_HEIGHT_DOTS, :54].any(), "quiet zone on the left"
    assert not black[494 : 494 + BAR_HEIGHT_DOTS, -54:].any(), "quiet zone on the right"
    assert not black[310:480, 376:402].any(), "quiet zone of the mark"
    assert not black[:, :10].any(), "left margin (a letter may lean out by a dot or two)"
    assert not black[310:318, 376:].any(), "quiet zone above the mark"


@given(contents())
def test_content_comes_back_from_its_dictionary(content):
    import json

    assert LabelContent.from_dict(json.loads(json.dumps(content.as_dict()))) == content


def test_a_very_long_address_is_shrunk_and_then_cut_with_an_ellipsis(content):
    long = dataclasses.replace(content.ship_to, lines=("浙江省杭州市西湖区文三路" * 80, "word" * 300))
    assert draw(dataclasses.replace(content, ship_to=long)).size == (576, 640)


@pytest.mark.parametrize("change", [{"city": "Lyon"}, {"country": "FR"}, {"postcode": "69001"}, {"recipient": "Bo"}])
def test_an_address_beyond_the_label_still_says_who_and_where(change):
    to = ShipTo(recipient="Ann", lines=("road " * 40,) * 6, postcode="310012", city="Hangzhou " * 11, country="CN")
    content = LabelContent(
        lpn=Lpn.number(1).text,
        sscc=Sscc.build(0, "6901234", 1).text,
        print_number=1,
        merchant="m",
        order_ref="r",
        ship_to=to,
    )
    other = dataclasses.replace(content, ship_to=dataclasses.replace(to, **change))
    assert draw(content).tobytes() != draw(other).tobytes()


@pytest.mark.parametrize(
    "text, shown",
    [("Łódź", "Lódz"), ("Şişli, İstanbul", "Sisli, Istanbul"), ("Đặng Ngọc", "Đặng Ngọc"), ("路 Ünal ß", "路 Ünal ß")],
)
def test_a_letter_whose_mark_the_face_lacks_is_set_without_it(text, shown):
    assert typeface.clean(text) == shown
    assert all(typeface.is_drawn(character) for character in typeface.clean(text))


def test_a_character_that_the_face_lacks_is_drawn_as_a_box():
    assert typeface.is_drawn("杭")
    assert typeface.is_drawn("A")
    assert typeface.is_drawn(" ")
    assert typeface.is_drawn("𠮷")
    assert not typeface.is_drawn("😀")
    assert not typeface.is_drawn("ก")


def test_text_is_broken_at_spaces_and_between_chinese_characters():
    assert typeface.wrap("", 20, 100) == []
    for line in typeface.wrap("Long words break at spaces where there are any", 20, 120):
        assert typeface.width_dots(line, 20) <= 120
    assert "".join(typeface.wrap("浙江省杭州市西湖区文三路", 20, 90)) == "浙江省杭州市西湖区文三路"


@pytest.mark.parametrize(
    "change,code",
    [
        ({"lpn": "PL0000000001"}, 4101),
        ({"sscc": "369012340000000179"}, 4102),
        ({"sscc": "00369012340000000178"}, 4102),
        ({"print_number": 0}, 4001),
        ({"print_number": 1_000_000_000}, 4001),
        ({"parcel_no": 3, "parcel_count": 2}, 4001),
        ({"merchant": None}, 4001),
        ({"colour": "red"}, 4001),
        ({"ship_to": {"recipient": "x"}}, 4001),
    ],
)
def test_wrong_content_is_refused_by_number(content, change, code):
    with pytest.raises(Fault) as caught:
        LabelContent.from_dict({**content.as_dict(), **change})
    assert caught.value.code == code


def test_symbols_have_whole_dots_per_module_and_a_right_check_digit(content):
    bars = np.asarray(bitmaps.gs1_128(content.sscc, module_dots=3, height_dots=4))
    assert bars.shape == (4, 156 * 3)
    edges = np.flatnonzero(np.diff(bars[0].astype(int))) + 1
    assert not (edges % 3).any()
    with pytest.raises(Fault, match="4102"):
        bitmaps.gs1_128("369012340000000179", module_dots=3, height_dots=4)


@given(st.integers(1, 999_999_999))
def test_the_mark_keeps_its_size_for_every_print_number(number):
    mark = bitmaps.data_matrix(f"PK1|369012340000000178|PL0000000420|{number}", module_dots=1)
    assert mark.size == (22, 22)


def test_a_plate_is_made_only_for_a_licence_plate():
    assert draw_plate("PL0000000420").size == (576, 200)
    with pytest.raises(Fault, match="4101"):
        draw_plate("PL0000000421")
