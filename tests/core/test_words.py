"""Tokens, back-off, identifiers, faults, effects: small words that everything rests on."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core import tokens
from packline.core.backoff import Backoff
from packline.core.effects import EFFECT_TABLE, KINDS, OPEN_STATES, EffectState
from packline.core.faults import FAULTS, Fault
from packline.core.ids import SeededIds, SystemIds, encode_ulid

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRETS = st.binary(min_size=16, max_size=32)
CLAIMS = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda k: k != "exp"), st.text(max_size=20) | st.integers(), max_size=4
)


@given(SECRETS, CLAIMS, st.integers(0, 10**8))
def test_a_token_carries_its_claims_until_it_expires(secret: bytes, claims: dict, seconds: int) -> None:
    token = tokens.sign(secret, claims, NOW + timedelta(seconds=seconds))
    read = tokens.verify(secret, token, NOW)
    assert read is not None and {k: v for k, v in read.items() if k != "exp"} == claims
    assert tokens.verify(secret, token, NOW + timedelta(seconds=seconds + 1)) is None
    assert all(c.isalnum() or c in "-_." for c in token)


@given(SECRETS, CLAIMS, st.data())
def test_a_tampered_token_is_worth_nothing(secret: bytes, claims: dict, data: st.DataObject) -> None:
    token = tokens.sign(secret, claims, NOW + timedelta(days=1))
    body = token.partition(".")[0]
    place = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.sampled_from([c for c in "abcXYZ019-_" if c != token[place]]))
    assert tokens.verify(secret, token[:place] + other + token[place + 1 :], NOW) is None


@given(SECRETS, SECRETS, CLAIMS)
def test_a_token_of_another_secret_is_worth_nothing(mine: bytes, theirs: bytes, claims: dict) -> None:
    if mine != theirs:
        assert tokens.verify(mine, tokens.sign(theirs, claims, NOW + timedelta(days=1)), NOW) is None


@given(st.text(max_size=80))
def test_nonsense_is_no_token_and_raises_nothing(text: str) -> None:
    assert tokens.verify(b"s" * 32, text, NOW) is None


@pytest.mark.parametrize("claims", ["null", "[]", '"x"', "{}", '{"exp":"soon"}', '{"exp":null}', '{"exp":true}'])
def test_signed_nonsense_is_no_token(claims: str) -> None:
    text = tokens._b64(claims.encode())
    assert tokens.verify(b"s" * 32, f"{text}.{tokens._b64(tokens._mac(b's' * 32, text))}", NOW) is None


@given(st.floats(0.01, 10), st.floats(0.01, 100), st.integers(0, 100), st.integers())
def test_backoff_stays_within_its_bounds(first: float, most: float, failures: int, seed: int) -> None:
    backoff = Backoff(first_s=first, most_s=most, rng=random.Random(seed))
    pauses = [backoff.next_s() for _ in range(failures + 1)]
    assert all(0 < pause <= 1.25 * most for pause in pauses)
    assert pauses[0] >= 0.75 * min(first, most)
    backoff.reset()
    assert backoff.next_s() <= 1.25 * min(first, most)


def test_backoff_doubles_and_survives_a_very_long_outage() -> None:
    class Middle(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return (a + b) / 2

    backoff = Backoff(first_s=0.2, most_s=5.0, rng=Middle())
    assert [round(backoff.next_s(), 3) for _ in range(6)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert [backoff.next_s() for _ in range(3000)][-1] == 5.0


MOMENT = st.integers(0, 2**48 - 1)
NOISE = st.integers(0, 2**80 - 1)


@given(MOMENT, MOMENT, NOISE, NOISE)
def test_ulids_sort_by_their_time(one: int, two: int, a: int, b: int) -> None:
    first, second = encode_ulid(one, a), encode_ulid(two, b)
    assert len(first) == 26 and set(first) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    if one != two:
        assert (first < second) == (one < two)


@given(MOMENT, NOISE)
def test_ulids_keep_time_and_noise(at_ms: int, noise: int) -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = 0
    for character in encode_ulid(at_ms, noise):
        value = value << 5 | alphabet.index(character)
    assert (value >> 80, value & (2**80 - 1)) == (at_ms, noise)


def test_seeded_identifiers_repeat_and_system_ones_do_not() -> None:
    one, same, other = SeededIds("a"), SeededIds("a"), SeededIds("b")
    made = [one.ulid(5), one.token(), one.u32()]
    assert made == [same.ulid(5), same.token(), same.u32()]
    assert made[0] != other.ulid(5)
    system = SystemIds()
    assert len({system.token() for _ in range(50)}) == 50 and len(system.token()) == 43
    assert all(1 <= n.u32() < 2**32 for n in (system, one) for _ in range(200))


def test_every_fault_belongs_to_a_family_and_says_what_to_do() -> None:
    assert list(FAULTS) == sorted(FAULTS)
    for code, kind in FAULTS.items():
        assert code == kind.code and 1 <= code // 1000 <= 5
        assert kind.name and kind.meaning.endswith(".") and kind.remedy.endswith((".", "docs.")), code


def test_a_fault_says_code_where_seen_expected_and_remedy() -> None:
    fault = Fault(2104, where="label-1 parcel 42", seen="nothing", expected="print 7", remedy="Look.")
    assert fault.text() == "2104 label not on parcel: label-1 parcel 42, saw nothing, expected print 7. Look."
    assert Fault(2104, where="x").as_dict()["remedy"] == FAULTS[2104].remedy
    with pytest.raises(KeyError):
        Fault(9999, where="nowhere")


def test_nothing_that_is_settled_opens_again_but_a_failure_by_a_persons_word() -> None:
    settled = set(EffectState) - OPEN_STATES
    for state in settled:
        assert not EFFECT_TABLE[state] & OPEN_STATES, state
    assert EFFECT_TABLE[EffectState.VOIDED] == frozenset()
    assert EFFECT_TABLE[EffectState.NOT_EXECUTED] == {EffectState.CONFIRMED}
    assert EFFECT_TABLE[EffectState.CONFIRMED] == {EffectState.VOIDED}


def test_every_state_of_an_effect_is_reached_from_the_intent_and_every_doubt_can_be_settled() -> None:
    reached, todo = set(), {EffectState.INTENDED}
    while todo:
        reached |= todo
        todo = set().union(*(EFFECT_TABLE[state] for state in todo)) - reached
    assert reached == set(EffectState)
    for state in OPEN_STATES:
        assert {EffectState.CONFIRMED, EffectState.NOT_EXECUTED, EffectState.FAILED} <= EFFECT_TABLE[state]


def test_only_turning_lighting_and_weighing_may_be_repeated() -> None:
    assert {name for name, kind in KINDS.items() if not kind.once} == {"turn", "light", "weigh"}
