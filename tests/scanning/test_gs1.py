"""What a scanned text is: every valid code is known, and nothing half right is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.identity import Lpn, check_digit
from scanning.gs1 import ACTIONS, Kind, parse

lpns = st.integers(0, 999_999_999).map(lambda n: Lpn.number(n).text)
ssccs = st.integers(0, 10**17 - 1).map(lambda n: f"{n:017d}{check_digit(f'{n:017d}')}")
blanks = st.sampled_from(["", " ", "\r\n", "\t", "\x02", "\x00"])


@given(lpns, blanks, st.sampled_from(["", "]C0", "]d1", "]Q1"]))
def test_a_licence_plate_is_known_in_any_symbology(lpn, blank, prefix):
    assert parse(f"{blank}{prefix}{lpn}{blank}") == parse(lpn)
    assert (parse(lpn).kind, parse(lpn).value) == (Kind.LPN, lpn)


@given(ssccs)
def test_an_sscc_is_known_however_the_scanner_writes_it(sscc):
    forms = (f"]C100{sscc}", f"00{sscc}", f"(00){sscc}", f"]d200{sscc}", f"https://id.gs1.org/00/{sscc}")
    for text in forms:
        assert (parse(text).kind, parse(text).value) == (Kind.SSCC, sscc), text
    assert parse(f"00{sscc}", "]C1").kind is Kind.SSCC
    assert parse(f"HTTPS://ID.GS1.ORG/00/{sscc}").value == sscc
    assert parse(f"]Q1https://id.gs1.org/00/{sscc}").value == sscc


@given(ssccs)
def test_an_sscc_needs_its_application_identifier(sscc):
    assert parse(sscc).kind is Kind.TEXT
    assert parse(f"]C000{sscc}").kind is Kind.TEXT, "a plain Code 128 with the same digits is no GS1-128"


@given(ssccs, lpns, st.integers(1, 999_999_999))
def test_our_label_is_known_by_its_mark(sscc, lpn, number):
    read = parse(f"PK1|{sscc}|{lpn}|{number}")
    assert (read.kind, read.value) == (Kind.LABEL, lpn)
    assert read.extra == {"sscc": sscc, "lpn": lpn, "print_number": number}


@given(st.one_of(lpns, ssccs.map(lambda s: f"00{s}"), st.just("6901234567892")), st.integers(1, 9), st.data())
def test_one_wrong_digit_makes_it_plain_text(text, change, data):
    digits = [place for place, character in enumerate(text) if character.isdigit()]
    place = data.draw(st.sampled_from(digits[2:]))
    wrong = text[:place] + str((int(text[place]) + change) % 10) + text[place + 1 :]
    assert parse(wrong).kind is Kind.TEXT


@given(ssccs, lpns)
def test_a_mark_with_anything_wrong_is_plain_text(sscc, lpn):
    good = f"PK1|{sscc}|{lpn}|12"
    bad = sscc[:-1] + str((int(sscc[-1]) + 1) % 10)
    for text in (
        f"PK1|{bad}|{lpn}|12",
        f"PK2|{sscc}|{lpn}|12",
        good + "x",
        f"PK1|{sscc}|{lpn}|0",
        f"PK1|{sscc}|{lpn}|",
    ):
        assert parse(text).kind is Kind.TEXT, text


@pytest.mark.parametrize("text", ["6901234567892", "96385074", "012345678905", "06901234567892", "]E06901234567892"])
def test_an_article_number_is_known(text):
    assert (parse(text).kind, parse(text).value) == (Kind.GTIN, text.removeprefix("]E0"))


def test_a_gs1_message_gives_its_parts():
    read = parse("]d201069012345678921012\x1d10A")
    assert (read.kind, read.value) == (Kind.GTIN, "06901234567892")
    assert read.extra["01"] == "06901234567892"


def test_slots_and_actions_are_known_only_when_written_whole():
    assert (parse("SLOT:H3").kind, parse("SLOT:H3").value) == (Kind.SLOT, "H3")
    for word in ACTIONS:
        assert (parse(f"DO:{word}").kind, parse(f"DO:{word}").value) == (Kind.ACTION, word)
    for text in ("SLOT:", "SLOT:h3", "SLOT:H 3", "DO:", "DO:ok", "OK", "DO:OK!", "do:OK"):
        assert parse(text).kind is Kind.TEXT, text


GS1_LIKE = st.text(alphabet="0123456789()]CdQe|PLKSOT:/\x1d .-", max_size=60)


@given(
    st.one_of(
        st.text(max_size=700), GS1_LIKE, GS1_LIKE.map(lambda t: f"]C1{t}"), GS1_LIKE.map(lambda t: f"https://{t}")
    )
)
def test_no_text_makes_it_raise(text):
    read = parse(text)
    assert read.kind is Kind.TEXT or read.value


@given(st.text(max_size=700), st.text(max_size=5))
def test_no_prefix_makes_it_raise(text, prefix):
    parse(text, prefix)
