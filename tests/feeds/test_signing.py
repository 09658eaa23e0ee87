"""Only who knows the secret may speak, and only now."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packline.core.faults import Fault
from packline.feeds.signing import MOST_SIGNATURES, key_of, make_secret, sign, verify

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECRET = make_secret(b"k" * 24)
OTHER = make_secret(b"o" * 32)
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128)
KEYS = st.binary(min_size=16, max_size=256)


def code_of(secrets, headers, body, now=NOW):
    with pytest.raises(Fault) as caught:
        verify(secrets, headers, body, now)
    return caught.value.code


def test_signature_is_the_one_of_the_published_example():
    """Numbers of the Standard Webhooks reference libraries' own test."""
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(KEYS, IDS, st.text(), st.integers(-300, 300))
def test_what_was_signed_is_believed_within_five_minutes(key, message_id, text, skew_s):
    secret, body = make_secret(key), text.encode()

    headers = sign(secret, message_id, NOW + timedelta(seconds=skew_s), body)

    assert verify([secret], headers, body, NOW) == message_id


@given(KEYS, KEYS, st.text())
def test_nobody_else_s_key_will_do(key, other, text):
    if key == other:
        return
    headers = sign(make_secret(other), "m1", NOW, text.encode())

    assert code_of([make_secret(key)], headers, text.encode()) == 4002


@given(st.binary(min_size=1), st.data())
def test_a_changed_byte_is_noticed(body, data):
    place = data.draw(st.integers(0, len(body) - 1))
    changed = bytearray(body)
    changed[place] ^= data.draw(st.integers(1, 255))

    assert code_of([SECRET], sign(SECRET, "m1", NOW, body), bytes(changed)) == 4002


@given(
    st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()), st.binary()
)
def test_garbage_in_the_headers_is_a_fault_and_nothing_else(headers, body):
    assert code_of([SECRET], headers, body) in (4001, 4002)


@pytest.mark.parametrize("skew_s", [-301, 301, -86400, 86400])
def test_message_off_by_more_than_five_minutes_is_refused(skew_s):
    headers = sign(SECRET, "m1", NOW + timedelta(seconds=skew_s), b"{}")

    assert code_of([SECRET], headers, b"{}") == 4003


def test_a_forged_stamp_does_not_make_an_old_message_young():
    headers = sign(SECRET, "m1", NOW - timedelta(hours=1), b"{}")
    headers["webhook-timestamp"] = str(int(NOW.timestamp()))

    assert code_of([SECRET], headers, b"{}") == 4002


def test_body_that_is_not_utf_8_is_malformed_only_when_it_is_really_from_the_sender():
    body = b"\xff\xfe{"

    assert code_of([SECRET], sign(SECRET, "m1", NOW, body), body) == 4001
    assert code_of([SECRET], sign(OTHER, "m1", NOW, body), body) == 4002


def test_both_sides_may_rotate_their_secrets():
    old, new = sign(SECRET, "m1", NOW, b"{}"), sign(OTHER, "m1", NOW, b"{}")
    both = {**old, "webhook-signature": f"v1a,xyz v9,abc {old['webhook-signature']} {new['webhook-signature']}"}

    assert verify([OTHER], both, b"{}", NOW) == "m1"
    assert verify([SECRET], both, b"{}", NOW) == "m1"
    assert verify([OTHER, SECRET], old, b"{}", NOW) == "m1"


def test_signatures_beyond_the_bound_are_not_even_looked_at():
    good = sign(SECRET, "m1", NOW, b"{}")
    flood = {**good, "webhook-signature": "v1,AAAA " * MOST_SIGNATURES + good["webhook-signature"]}

    assert code_of([SECRET], flood, b"{}") == 4002


def test_header_names_are_found_whatever_their_case():
    headers = {name.title(): value for name, value in sign(SECRET, "m1", NOW, b"{}").items()}

    assert verify([SECRET], headers, b"{}", NOW) == "m1"


def test_without_a_secret_nobody_is_believed():
    assert code_of([], sign(SECRET, "m1", NOW, b"{}"), b"{}") == 4002


@pytest.mark.parametrize("message_id", ["", " ", "a b", "x" * 129, "é", "a\n"])
def test_message_id_must_be_short_and_printable(message_id):
    assert code_of([SECRET], {**sign(SECRET, "m1", NOW, b"{}"), "webhook-id": message_id}, b"{}") == 4001


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", "whsec_QUJD", "whsec_é"])
def test_unusable_secret_is_said_without_repeating_it(secret):
    with pytest.raises(Fault) as caught:
        key_of(secret)

    assert caught.value.code == 4201
    assert len(secret) <= len("whsec_") or secret not in caught.value.text()
