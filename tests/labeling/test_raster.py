"""Jobs read back: what was rastered is what was drawn, whole or cut off, in pieces of any size."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from labeling.drivers import escpos
from labeling.raster import Cut, Feed, ProcessIdRequest, RasterReader, Row, pieces


def dots(seed: int, width: int = 64, height: int = 300) -> Image.Image:
    import random

    return Image.frombytes("1", (width, height), random.Random(seed).randbytes(width // 8 * height))


JOB = escpos.job(dots(1), b"AB~ ")


def test_a_job_gives_the_drawn_dots_one_cut_and_then_asks_for_its_receipt():
    events = RasterReader().feed(JOB)
    assert [type(event) for event in events[-3:]] == [Feed, Cut, ProcessIdRequest]
    assert events[-1] == ProcessIdRequest(process_id=b"AB~ ")
    assert [piece.tobytes() for piece in pieces(events)] == [dots(1).tobytes()]
    assert sum(isinstance(event, Cut) for event in events) == 1


@given(st.lists(st.integers(0, len(JOB)), max_size=6))
def test_any_chopping_of_a_job_gives_the_same_events(cuts):
    reader, events, begin = RasterReader(), [], 0
    for end in sorted({*cuts, len(JOB)}):
        events += reader.feed(JOB[begin:end])
        begin = end
    assert events == RasterReader().feed(JOB)


@given(st.integers(0, len(JOB)))
def test_a_job_that_breaks_off_gives_the_rows_received_so_far(length):
    whole = [event for event in RasterReader().feed(JOB) if isinstance(event, Row)]
    reader = RasterReader()
    rows = [event for event in reader.feed(JOB[:length]) if isinstance(event, Row)]
    assert rows == whole[: len(rows)]
    heads = 2 + 3 + 8 * 3  # ESC @, GS a and three GS v 0, at the most, are no rows
    assert len(rows) >= min(300, (length - heads) // 8)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_are_read_without_raising_and_alike_in_any_chopping(data, cuts):
    reader, events, begin = RasterReader(), [], 0
    for end in sorted({min(c, len(data)) for c in cuts} | {len(data)}):
        events += reader.feed(data[begin:end])
        begin = end
    assert events == RasterReader().feed(data)


@given(st.integers(0, escpos.PROCESS_IDS - 1), st.integers(0, escpos.PROCESS_IDS - 1))
def test_process_ids_are_printable_and_differ_when_their_numbers_do(one, other):
    made = escpos.process_id(one)
    assert len(made) == 4
    assert escpos.process_id_request(made)
    assert (made == escpos.process_id(other)) == (one == other)


def test_a_process_id_that_the_printer_would_not_return_is_refused():
    with pytest.raises(ValueError, match="four characters"):
        escpos.process_id_request(b"\x00abc")


@settings(max_examples=10)
@given(st.integers(1, 72), st.integers(1, 300), st.integers(0, 9))
def test_pictures_of_any_size_survive_the_way_through_the_printer(width_bytes, height, seed):
    drawn = dots(seed, 8 * width_bytes, height)
    back = pieces(RasterReader().feed(escpos.job(drawn, b"abcd")))
    assert [(piece.size, piece.tobytes()) for piece in back] == [(drawn.size, drawn.tobytes())]


def test_the_library_leaves_no_folder_and_says_nothing_on_standard_output(capsys, tmp_path, monkeypatch):
    import subprocess
    import sys

    code = (
        "from PIL import Image; from labeling.drivers import escpos; escpos.job(Image.new('1', (576, 8), 1), b'abcd')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"TMPDIR": str(tmp_path)}
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []
