"""Numbers that are printed on things: check digits catch what hands and scanners get wrong."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.core.identity import Lpn, Sscc, check_digit, has_right_check_digit, is_gtin

DIGITS = st.text("0123456789", min_size=1, max_size=30)


def test_check_digits_of_published_numbers_are_right() -> None:
    # GS1 General Specifications 7.9.1 and the SSCC of section 2.2.1; GTINs from packagings
    for number in ("376104250021234569", "4006381333931", "96385074", "614141999996", "10614141000415"):
        assert has_right_check_digit(number), number


@given(DIGITS)
def test_a_check_digit_is_one_digit_and_is_accepted(body: str) -> None:
    assert 0 <= check_digit(body) <= 9
    assert has_right_check_digit(f"{body}{check_digit(body)}")


@given(DIGITS, st.data())
def test_one_wrong_digit_is_always_found(body: str, data: st.DataObject) -> None:
    number = f"{body}{check_digit(body)}"
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert not has_right_check_digit(number[:place] + other + number[place + 1 :])


@given(DIGITS, st.data())
def test_two_neighbours_swapped_are_found_unless_they_differ_by_five(body: str, data: st.DataObject) -> None:
    number = f"{body}{check_digit(body)}"
    place = data.draw(st.integers(0, len(number) - 2))
    a, b = number[place], number[place + 1]
    assume(a != b and abs(int(a) - int(b)) != 5)
    assert not has_right_check_digit(number[:place] + b + a + number[place + 2 :])


@given(st.text(max_size=20))
def test_what_is_not_digits_has_no_right_check_digit(text: str) -> None:
    if not (text.isascii() and text.isdigit()):
        assert not has_right_check_digit(text) and not is_gtin(text)


@given(st.integers(0, 999_999_999), st.sampled_from(["", " ", "\n", "\t "]))
def test_lpn_round_trips(serial: int, blanks: str) -> None:
    lpn = Lpn.number(serial)
    assert Lpn.parse(blanks + lpn.text + blanks) == lpn and Lpn.is_lpn(str(lpn))
    assert len(lpn.text) == 12


@given(st.integers(0, 999_999_998))
def test_lpns_of_two_serials_differ(serial: int) -> None:
    assert Lpn.number(serial) != Lpn.number(serial + 1)


@pytest.mark.parametrize(
    "text", ["", "PL", "PL0000000010", "pl0000000017", "PL٠٠٠٠٠٠٠٠١٧", "PL00000000170", "XX0000000017"]
)
def test_what_is_no_lpn_is_refused(text: str) -> None:
    assert not Lpn.is_lpn(text)
    with pytest.raises(Fault) as found:
        Lpn.parse(text)
    assert found.value.code == 4101


PREFIX = st.integers(7, 10).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n))


@given(PREFIX, st.integers(0, 9), st.data())
def test_sscc_round_trips_in_every_notation(prefix: str, extension: int, data: st.DataObject) -> None:
    serial = data.draw(st.integers(0, 10 ** (16 - len(prefix)) - 1))
    sscc = Sscc.build(extension, prefix, serial)
    assert len(sscc.text) == 18 and sscc.text.startswith(f"{extension}{prefix}")
    for written in (sscc.text, f"00{sscc.text}", f"(00){sscc.text}", f" {sscc.text}\n"):
        assert Sscc.parse(written) == sscc


@given(PREFIX)
def test_a_serial_that_is_too_long_is_refused_and_never_wraps(prefix: str) -> None:
    with pytest.raises(Fault) as found:
        Sscc.build(3, prefix, 10 ** (16 - len(prefix)))
    assert found.value.code == 4102


@given(st.text(max_size=25))
def test_what_is_no_sscc_is_refused(text: str) -> None:
    digits = text.strip().removeprefix("(00)")
    assume(not (digits.isascii() and digits.isdigit() and len(digits) in (18, 20)))
    with pytest.raises(Fault):
        Sscc.parse(text)


@given(st.sampled_from([7, 11, 12, 13]).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)))
def test_gtins_of_all_four_lengths_are_known(body: str) -> None:
    assert is_gtin(f"{body}{check_digit(body)}")
