"""The verdict: only the one right label on the right parcel is a match."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from packline.core.identity import Lpn, Sscc
from scanning.codes import Box, Code, Symbology, apart
from scanning.verify import ExpectedLabel, VerdictKind, judge

OURS = ExpectedLabel(lpn=Lpn.number(1).text, sscc=Sscc.build(0, "6901234", 1).text, print_number=10)
OTHER = ExpectedLabel(lpn=Lpn.number(2).text, sscc=Sscc.build(0, "6901234", 2).text, print_number=11)


def code(text: str, place: int, symbology: Symbology = Symbology.DATA_MATRIX) -> Code:
    return Code(text=text, symbology=symbology, box=Box(left=100 * place, top=0, width=50, height=50))


def plate(label: ExpectedLabel, place: int = 0) -> Code:
    return code(label.lpn, place, Symbology.CODE_128)


def mark(label: ExpectedLabel, place: int = 1) -> Code:
    return code(f"PK1|{label.sscc}|{label.lpn}|{label.print_number}", place)


def bars(label: ExpectedLabel, place: int = 2) -> Code:
    return code(f"00{label.sscc}", place, Symbology.CODE_128)


OLDER = dataclasses.replace(OURS, print_number=9)
NEWER = dataclasses.replace(OURS, print_number=12)
ARTICLE = code("6901234567892", 9, Symbology.EAN_13)

CASES: tuple[tuple[VerdictKind, list[Code]], ...] = (
    (VerdictKind.MATCH, [plate(OURS), mark(OURS), bars(OURS)]),
    (VerdictKind.MATCH, [plate(OURS), mark(OURS), bars(OURS), ARTICLE]),
    (VerdictKind.UNREADABLE, [plate(OURS), mark(OURS), ARTICLE]),
    (VerdictKind.NO_LABEL, [plate(OURS), ARTICLE]),
    (VerdictKind.UNREADABLE, []),
    (VerdictKind.UNREADABLE, [ARTICLE]),
    (VerdictKind.UNREADABLE, [plate(OURS), bars(OURS)]),
    (VerdictKind.NO_LPN, [mark(OURS), bars(OURS)]),
    (VerdictKind.WRONG_PARCEL, [plate(OTHER), mark(OURS), bars(OURS)]),
    (VerdictKind.WRONG_PARCEL, [plate(OURS), plate(OTHER, 3), mark(OURS)]),
    (VerdictKind.WRONG_LABEL, [plate(OURS), mark(OTHER), bars(OTHER)]),
    (VerdictKind.WRONG_LABEL, [plate(OURS), bars(OTHER)]),
    (VerdictKind.WRONG_LABEL, [plate(OURS), mark(OURS), bars(OTHER)]),
    (VerdictKind.WRONG_LABEL, [plate(OURS), mark(NEWER)]),
    (VerdictKind.OLD_LABEL, [plate(OURS), mark(OLDER), bars(OURS)]),
    (VerdictKind.DOUBLED, [plate(OURS), mark(OURS), mark(OLDER, 3)]),
    (VerdictKind.DOUBLED, [plate(OURS), mark(OURS), mark(OTHER, 3)]),
    (VerdictKind.DOUBLED, [plate(OURS), mark(OURS), mark(OURS, 3)]),
    (VerdictKind.DOUBLED, [plate(OURS), mark(OURS), bars(OURS), bars(OURS, 4)]),
    (VerdictKind.DOUBLED, [plate(OURS), mark(OURS), dataclasses.replace(bars(OURS), stretch=0.4)]),
    (VerdictKind.MATCH, [plate(OURS), mark(OURS), dataclasses.replace(bars(OURS), stretch=0.25)]),
    (VerdictKind.WRONG_PARCEL, [plate(OTHER), mark(OURS), bars(OURS), bars(OURS, 4)]),
)


@given(st.sampled_from(CASES), st.randoms(use_true_random=False))
def test_every_picture_has_its_verdict_in_whatever_order_it_was_read(case, rng):
    kind, codes = case
    shuffled = list(codes)
    rng.shuffle(shuffled)
    assert judge(shuffled, OURS).kind is kind


CODES = st.sampled_from(
    [make(label) for make in (plate, mark, bars) for label in (OURS, OTHER, OLDER, NEWER)] + [ARTICLE, code("x", 5)]
)


@given(st.lists(CODES, max_size=6))
def test_only_our_plate_and_exactly_our_label_are_ever_a_match(codes):
    verdict = judge(codes, OURS)
    labels = {c.text for c in codes if c.text.startswith("PK1")}
    plates = {c.text for c in codes if c.text.startswith("PL")}
    sure = labels == {mark(OURS).text} and plates == {OURS.lpn} and bars(OURS) in codes and bars(OTHER) not in codes
    assert verdict.ok == sure


@given(st.lists(CODES, max_size=6))
def test_a_symbol_read_twice_at_its_place_counts_once(codes):
    twice = [*codes, *(dataclasses.replace(c, box=dataclasses.replace(c.box, left=c.box.left + 3)) for c in codes)]
    assert judge(twice, OURS) == judge(codes, OURS)
    assert len(apart(twice)) == len(apart(codes))


def test_what_was_seen_is_kept_as_evidence():
    seen = judge([plate(OURS), mark(OURS)], OURS).seen.as_dict()
    assert seen == {
        "lpns": [OURS.lpn],
        "labels": [{"lpn": OURS.lpn, "sscc": OURS.sscc, "print_number": 10}],
        "ssccs": [],
    }
    assert judge([bars(OURS), bars(OURS, 4)], OURS).seen.as_dict()["has_bars_twice"] is True
