"""The page: one file that opens anywhere, says all that it should, and lets nothing in."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from simulation.recording.rows import FaultRow, Recording
from simulation.report.gantt import MOST, sample
from simulation.report.markup import tag
from simulation.report.page import page
from simulation.report.sides import side_of
from simulation.report.words import change, number, seconds
from tests.report.shifts import recording

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "br", "hr", "col"}


class Reader(HTMLParser):
    """Counts elements, keeps what refers to something, and wants every element closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.names, self.ids, self.links, self.wrong = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        known = dict(attrs)
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known[name] for name in ("href", "src", "xlink:href") if name in known]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def one(**how):
    return page([side_of("demo", [recording(**how)])], "packline sim report")


def both():
    return page([side_of("a", [recording()]), side_of("b", [recording(flow_s=150, scenario="two")])], "again")


@pytest.mark.parametrize("text", [one(), both(), page([side_of("e", [Recording(head=recording().head)])], "x")])
def test_every_element_is_closed_and_every_link_leads_somewhere_on_the_page(text):
    read = Reader(text)

    assert read.wrong == [] and read.open == []
    assert len(set(read.ids)) == len(read.ids)
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)


def test_nothing_on_the_page_comes_from_elsewhere():
    read = Reader(both())

    assert "script" not in read.names and "link" not in read.names and "img" not in read.names
    assert not re.search(r"url\(|@import|https?://", both())
    assert "default-src 'none'" in both().replace("&#x27;", "'")


def test_what_a_recording_says_is_never_markup():
    text = page([side_of(EVIL, [recording(site=EVIL, lpn=EVIL, broken=(EVIL,), is_well=False, command=EVIL)])], EVIL)

    assert "<script" not in text
    assert Reader(text).wrong == []
    assert "&lt;script&gt;" in text


def test_a_shift_that_was_not_well_says_why_at_the_top():
    text = one(is_well=False, broken=("label: PL1 left with 2 labels",))

    assert "NOT well" in text and "All is well" not in text
    assert text.index("left with 2 labels") < text.index("Figures and intervals")


@pytest.mark.parametrize(
    "words",
    [
        "throughput, parcels per hour", "p99", "Overall equipment effectiveness", "availability", "Bottleneck", "longest active",
        "Little", "3001 no-read", "labels right at the first pass", "Faults over time", "jam", "packline sim run --seed 1", "seed 1",
        "batch means", "MSER-5", "longest", "sum", "parcels_per_hour of sim run from the first carton on",
    ],
)  # fmt: skip
def test_the_page_says(words):
    assert words in one()


def test_the_shares_that_are_drawn_fill_their_bar():
    widths = re.findall(r'aria-label="packer-1: [^"]*">(.*?)</svg>', one())[0]

    assert sum(float(w) for w in re.findall(r'width="([\d.]+)%"', widths)) == pytest.approx(100, abs=0.01)


def test_two_sides_stand_beside_each_other_with_what_differs():
    text = both()

    assert "b − a" in text
    assert "+50 s" in text
    assert "Machines: what differs" in text


def test_of_many_parcels_a_sample_is_shown_and_said():
    parcels = recording(count=500).parcels
    chosen = sample(parcels)

    assert len(chosen) == MOST
    assert parcels[-1] in chosen and parcels[0] in chosen
    assert f"{MOST} of 500 parcels" in one(count=500)


def test_a_text_is_escaped_also_in_attributes():
    assert tag("a", EVIL, title=EVIL) == (
        '<a title="&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;">'
        "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;</a>"
    )


@pytest.mark.parametrize(
    "fault, said",
    [
        ({"fault": "killed", "at_s": 49, "until_s": 49}, ["killed, at once at 0:49 min", "at once", "once"]),
        ({"fault": "jam", "at_s": 9, "until_s": 49, "strikes": (49,)}, ["jam, struck at 0:49 min", "once"]),
        ({"fault": "jam", "at_s": 9, "until_s": 49, "strikes": (19, 29, 39, 49)}, ["0:39 min and 1 more", "4 strikes"]),
        ({"fault": "jam", "at_s": 9, "until_s": 49}, ["jam, 0:09 min to 0:49 min", "40 s"]),
        ({"fault": "jam", "at_s": 9}, ["to the end"]),
    ],
)
def test_a_fault_is_told_by_when_it_struck_and_how_long_it_lasted(fault, said):
    text = page([side_of("demo", [replace(recording(), faults=(FaultRow(device="arm-1", **fault),))])], "again")

    assert all(words in text for words in said)
    assert ("to the end" in text) == (said == ["to the end"])


def test_a_fault_that_struck_once_is_drawn_as_a_tick():
    row = FaultRow(device="arm-1", fault="killed", at_s=500, until_s=500)
    text = page([side_of("demo", [replace(recording(), faults=(row,))])], "again")
    (tick,) = re.findall(r'<rect[^>]*class="strike"', re.sub(r'<rect width="12".*?/>', "", text))

    assert 'x="50.000%"' in tick and 'width="0.600%"' in tick


def test_the_page_says_whose_seconds_it_shows_and_gives_faults_in_both():
    text = one()

    assert "20 times the line&#x27;s" in text and text.index("20 times the line") < text.index("Figures and intervals")
    assert "<td>0:20 min</td><td>1.0 s</td>" in text
    assert "speed 1 is life" in one(speed=1.0) and "on at, line" not in one(speed=1.0)


def test_what_differs_says_whether_the_seeds_are_the_same():
    first = side_of("a", [recording(seed=3), recording(seed=4)])
    same = page([first, side_of("b", [recording(seed=3), recording(seed=4)])], "again")
    other = page([first, side_of("b", [recording(seed=5), recording(seed=6)])], "again")

    assert "common random numbers" in same and "if independent" in same
    assert "The seeds differ (3, 4 against 5, 6)" in other
    assert "common random numbers" not in other and "if independent" not in other


def test_numbers_are_said_in_digits_that_mean_something():
    assert [number(value) for value in (0.00696, 3.14159, 32.22, 120.04)] == ["0.01", "3.14", "32.2", "120.0"]
    assert [seconds(value) for value in (0, 0.25, 3.86, 52.4, 245)] == ["0 s", "0.25 s", "3.9 s", "52 s", "4:05 min"]
    assert change("packer-1.oee", -0.032).endswith("3.2 pp") and change("wip", 0.00696) == "+0.01"


@pytest.mark.parametrize("section", ["states", "faults"])
def test_two_shifts_of_different_length_stand_on_one_scale_of_time(section):
    short = recording()
    long = recording(ended_s=4000.0)
    text = page([side_of("short", [short]), side_of("long", [long])], "again")

    body = text.partition(f'<h2 id="{section}">')[2].partition("</section>")[0]
    axes = re.findall(r'<div class="xs".*?</div>', body)
    assert len(axes) == 2
    assert axes[0] == axes[1]
