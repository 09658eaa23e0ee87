"""Labels and pictures as content run through the same devices, take the same time and show the same as drawn ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling import raster
from labeling.content import LabelContent, ShipTo
from labeling.drawing import LABEL_HEIGHT_DOTS
from packline.core.identity import Lpn, Sscc
from scanning.verify import ExpectedLabel, VerdictKind, judge
from simulation.pictures.scenes import CartonScene, SceneLabel, darkened
from simulation.virtual.content import ContentSight, Press, Share, address_word, read_paper

CONTENT = LabelContent(
    lpn=Lpn.number(4711).text,
    sscc=Sscc.build(3, "9521321", 8).text,
    print_number=999_999_999,
    merchant="Tea",
    order_ref="HM-1",
    ship_to=ShipTo(recipient="Li", lines=("Road 1",), city="Galway", country="IE"),
)
WANTED = ExpectedLabel(lpn=CONTENT.lpn, sscc=CONTENT.sscc, print_number=CONTENT.print_number)
CONTENT_ONLY, DRAWN = Press(Share(one_in=0)), Press(Share(one_in=1))


def rows_of(press):
    events = list(raster.RasterReader().feed(press.typeset(CONTENT, b"abcd")))
    return [event.dots for event in events if isinstance(event, raster.Row)], events


def paper(press, share=1.0):
    rows, _ = rows_of(press)
    return raster.picture(rows[: int(len(rows) * share)])


def seen(press, *papers, closed=True):
    labels = tuple(
        SceneLabel(number=n, right_mm=0.5, down_mm=-0.5, turn_deg=0.3, on_left=bool(n), bitmap=bitmap)
        for n, bitmap in enumerate(papers)
    )
    scene = CartonScene(lpn=CONTENT.lpn, closed=closed, labels=labels)
    return judge(ContentSight().read_with_label(press.picture(scene)), WANTED).kind


def test_a_job_of_content_is_as_long_as_a_drawn_one_and_ends_in_the_same_steps():
    drawn, content = rows_of(DRAWN), rows_of(CONTENT_ONLY)
    assert len(drawn[0]) == len(content[0])
    assert [type(e) for e in drawn[1]] == [type(e) for e in content[1]]
    assert [e for e in drawn[1] if not isinstance(e, raster.Row)] == [
        e for e in content[1] if not isinstance(e, raster.Row)
    ]


@pytest.mark.parametrize("press", [CONTENT_ONLY, DRAWN], ids=["content", "drawn"])
def test_paper_says_whose_it_is(press):
    read = read_paper(paper(press))
    assert (read.lpn, read.sscc, read.print_number) == (CONTENT.lpn, CONTENT.sscc, CONTENT.print_number)
    assert read.to in ("", address_word(CONTENT.ship_to.as_dict()))  # no reader of the twin reads letters


def test_paper_of_content_says_where_it_goes_by_a_word_that_host_and_label_have_in_common():
    host = {"recipient": "Li", "lines": ["Road 1"], "city": "Galway", "country": "IE", "phone": "+353 1 555 0108"}
    assert read_paper(paper(CONTENT_ONLY)).to == address_word(host)
    assert address_word({**host, "lines": ["Road 2"]}) != address_word(host)
    assert read_paper(paper(CONTENT_ONLY, 0.2)).to == ""  # half an address is none


@pytest.mark.parametrize("press", [CONTENT_ONLY, DRAWN], ids=["content", "drawn"])
def test_half_a_label_says_nothing(press):
    half = read_paper(paper(press, 0.5))
    assert (half.sscc, half.lpn, half.print_number) == ("", "", 0)


@given(row=st.integers(1, LABEL_HEIGHT_DOTS - 1))
def test_a_label_that_came_out_in_two_pieces_is_on_neither_and_none_says_anything_else(row):
    whole = read_paper(paper(CONTENT_ONLY))
    rows, _ = rows_of(CONTENT_ONLY)
    pieces = [read_paper(raster.picture(part)) for part in (rows[:row], rows[row:])]
    assert {piece.print_number for piece in pieces} <= {0, whole.print_number}
    assert {piece.lpn for piece in pieces} <= {"", whole.lpn} and {piece.sscc for piece in pieces} <= {"", whole.sscc}
    assert not all(piece.print_number or piece.sscc for piece in pieces) or pieces[0].print_number


@pytest.mark.parametrize("press", [CONTENT_ONLY, DRAWN], ids=["content", "drawn"])
def test_the_camera_judges_alike(press):
    label = paper(press)
    assert seen(press, label) is VerdictKind.MATCH
    assert seen(press) is VerdictKind.NO_LABEL
    assert seen(press, label, label) is VerdictKind.DOUBLED


def test_a_drawn_label_is_read_on_a_picture_of_content():
    assert seen(CONTENT_ONLY, paper(DRAWN)) is VerdictKind.MATCH


def test_the_dark_is_dark_and_shows_nothing():
    picture = CONTENT_ONLY.picture(darkened(CartonScene(lpn=CONTENT.lpn)))
    assert ContentSight().is_dark(picture) and not ContentSight().read(picture)
    assert not ContentSight().is_dark(CONTENT_ONLY.picture(CartonScene(lpn=CONTENT.lpn)))


def test_the_share_is_counted_by_plates():
    share = Share(one_in=500)
    assert sum(share.has(Lpn.number(n).text) for n in range(1, 5001)) == 10
