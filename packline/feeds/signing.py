"""Signs and checks messages by Standard Webhooks 1.0, with the clock that it is given."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from packline.core.faults import Fault

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

TOLERANCE_S = 300
MOST_ID_CHARS = 128
MOST_SIGNATURES = 16
LEAST_KEY_BYTES = 16
MOST_KEY_BYTES = 256
_PREFIX = "whsec_"
_VERSION = "v1"


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Give the message id when one of `secrets` signed `body` within 5 minutes of `now`.

    Several signatures in the header and several secrets are allowed: both sides may rotate. Header names are looked up
    without regard to case. Raises Fault 4001 (malformed id, body not UTF-8), 4002 (no valid signature) or 4003 (too
    old or from the future); the time is judged only after the signature, so a forger learns nothing of our clock.
    Source: Standard Webhooks 1.0, "Webhook signatures".
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    message_id, stamp = _message_id(lowered), lowered.get(TIMESTAMP_HEADER, "")
    text = _signed_text(message_id, stamp, body)
    expected = [_signature(key_of(secret), text) for secret in secrets]
    if not _any_matches(expected, _signatures(lowered.get(SIGNATURE_HEADER, ""))):
        raise Fault(4002, where=f"message {message_id}", seen="no signature of ours", expected="v1 HMAC-SHA256")
    _check_age(message_id, stamp, now)
    _check_text(message_id, body)
    return message_id


def sign(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Give the three headers that make `body` a signed message sent `at` (aware)."""
    stamp = str(int(at.timestamp()))
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: stamp,
        SIGNATURE_HEADER: f"{_VERSION},{_signature(key_of(secret), _signed_text(message_id, stamp, body))}",
    }


def key_of(secret: str) -> bytes:
    """Decode `whsec_<base64>` to 16..256 bytes of key; raises Fault 4201 and never repeats the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not LEAST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES:
        raise Fault(4201, where="webhook secret", seen="no usable key", expected="whsec_ + base64 of 16 to 256 bytes")
    return key


def make_secret(key: bytes) -> str:
    """Give `key` (16..256 random bytes) in the form that both sides are told."""
    return _PREFIX + base64.b64encode(key).decode("ascii")


def _message_id(headers: Mapping[str, str]) -> str:
    text = headers.get(ID_HEADER, "")
    if not 1 <= len(text) <= MOST_ID_CHARS or not text.isascii() or not text.isprintable() or " " in text:
        raise Fault(4001, where=ID_HEADER, seen=repr(text[:40]), expected=f"1 to {MOST_ID_CHARS} printable characters")
    return text


def _signed_text(message_id: str, stamp: str, body: bytes) -> bytes:
    return f"{message_id}.{stamp}.".encode("utf-8", "surrogateescape") + body


def _signature(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode("ascii")


def _signatures(header: str) -> Iterator[str]:
    for part in header.split()[:MOST_SIGNATURES]:
        version, _, value = part.partition(",")
        if version == _VERSION:
            yield value


def _any_matches(expected: Sequence[str], given: Iterable[str]) -> bool:
    """Compare every pair, so that the time taken does not tell which one failed."""
    matches = [
        hmac.compare_digest(ours.encode("ascii"), theirs.encode("utf-8", "replace"))
        for theirs in given
        for ours in expected
    ]
    return any(matches)


def _check_age(message_id: str, stamp: str, now: datetime) -> None:
    plain = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    age_s = now.timestamp() - int(stamp) if plain else None
    if age_s is None or abs(age_s) > TOLERANCE_S:
        seen = repr(stamp[:20]) if age_s is None else f"{age_s:.0f} s old"
        raise Fault(4003, where=f"message {message_id}", seen=seen, expected=f"at most {TOLERANCE_S} s off")


def _check_text(message_id: str, body: bytes) -> None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(4001, where=f"message {message_id}", seen=str(error.reason), expected="UTF-8") from error
