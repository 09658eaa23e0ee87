"""The pictures show what is there: codes can be read, products recognised, turning seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packline.core.identity import Lpn, Sscc, check_digit
from scanning.decode import decode
from scanning.verify import ExpectedLabel, VerdictKind, judge
from simulation.pictures import ean13
from simulation.pictures.render import picture, render
from simulation.pictures.scenes import CartonScene, ItemScene, SceneLabel, darkened
from simulation.reading import read_label
from tests.simulation.rig import label_bitmap

LPN = Lpn.number(1000).text


def scene_label(bitmap, number=1, *, on_left=False, right_mm=0.0, down_mm=0.0, turn_deg=0.0):
    return SceneLabel(
        number=number, right_mm=right_mm, down_mm=down_mm, turn_deg=turn_deg, on_left=on_left, bitmap=bitmap
    )


@settings(max_examples=12)
@given(
    serial=st.integers(0, 10**9 - 1),
    right=st.floats(-3, 3),
    down=st.floats(-3, 3),
    turn=st.floats(-2.25, 2.25),
    on_left=st.booleans(),
)
def test_label_reads_wherever_and_however_it_was_put(serial, right, down, turn, on_left):
    lpn = Lpn.number(serial).text
    label = scene_label(label_bitmap(lpn, 7), on_left=on_left, right_mm=right, down_mm=down, turn_deg=turn)
    jpeg = render(CartonScene(lpn=lpn, labels=(label,)))
    expected = ExpectedLabel(lpn=lpn, sscc=Sscc.build(0, "9521321", 7).text, print_number=7)
    assert judge(decode(jpeg), expected).kind is VerdictKind.MATCH


def test_two_labels_side_by_side_are_both_read(make_label):
    labels = (scene_label(make_label(LPN, 1)), scene_label(make_label(LPN, 2), 2, on_left=True))
    codes = decode(render(CartonScene(lpn=LPN, labels=labels)))
    expected = ExpectedLabel(lpn=LPN, sscc=Sscc.build(0, "9521321", 1).text, print_number=1)
    assert judge(codes, expected).kind is VerdictKind.DOUBLED


def test_carton_without_label_shows_its_plate_alone_open_or_closed():
    for closed in (True, False):
        texts = {code.text for code in decode(render(CartonScene(lpn=LPN, closed=closed, inside=("#aa3344",))))}
        assert texts == {LPN}


def test_empty_places_and_the_dark_show_no_code():
    for scene in (CartonScene(), ItemScene(), darkened(CartonScene(lpn=LPN))):
        assert decode(render(scene)) == []


def test_article_shows_its_bar_code_on_the_back():
    article = ItemScene(sku="TEA-250", name="龙井绿茶", barcode="6901234567892", size_mm=(160, 90, 110), angle_deg=180)
    assert "6901234567892" in {code.text for code in decode(render(article))}


def test_every_quarter_turn_looks_different_and_brighter_light_is_brighter():
    scenes = [ItemScene(sku="MUG", name="Mug", angle_deg=angle) for angle in (0, 90, 180, 270)]
    pictures = [picture(scene).astype(np.int16) for scene in scenes]
    for number, one in enumerate(pictures):
        for other in pictures[number + 1 :]:
            assert np.abs(one - other).mean() > 2
    dim = picture(ItemScene(sku="MUG", name="Mug", light_pct=10))
    assert dim.mean() < pictures[0].mean() - 20


def test_same_scene_gives_the_same_bytes_and_the_promised_size():
    scene = ItemScene(sku="MUG", name="Mug", angle_deg=12.5)
    assert render(scene) == render(scene)
    assert picture(scene).shape == (720, 960, 3)
    assert picture(CartonScene(lpn=LPN)).shape == (960, 1280, 3)


@given(size=st.tuples(st.integers(10, 900), st.integers(10, 900), st.integers(5, 900)), angle=st.floats(0, 360))
@settings(max_examples=15)
def test_no_size_of_article_breaks_the_picture(size, angle):
    scene = ItemScene(
        sku="X", name="超长的名字 " * 12, barcode="not a gtin", size_mm=size, colour="pink", angle_deg=angle
    )
    assert picture(scene).shape == (720, 960, 3)


@given(st.text("0123456789", min_size=12, max_size=12))
@settings(max_examples=15)
def test_ean_13_is_read_back(body):
    digits = body + str(check_digit(body))
    bars = ean13.bars(digits, 3, 80)
    framed = np.pad(bars, ((20, 20), (0, 0), (0, 0)), constant_values=255)
    texts = {code.text.rjust(13, "0") for code in decode(framed, most_steps=2)}
    assert digits in texts


def test_ean_13_refuses_a_wrong_check_digit():
    with pytest.raises(ValueError, match="EAN-13"):
        ean13.modules("6901234567890")


def test_reader_of_labels_reads_whole_halves_and_nothing(make_label):
    whole = make_label(LPN, 42)
    read = read_label(whole)
    assert (read.lpn, read.print_number) == (LPN, 42)
    upper = whole.crop((0, 0, whole.width, whole.height // 2))
    assert read_label(upper).sscc == ""
    lower = whole.crop((0, 484, whole.width, whole.height))
    assert (read_label(lower).sscc, read_label(lower).lpn) == (read.sscc, "")
