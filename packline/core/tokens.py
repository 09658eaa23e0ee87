"""Signed, expiring tokens for links that leave the house (buyer pages, camera streams)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def sign(secret: bytes, claims: Mapping[str, Any], until: datetime) -> str:
    """Give a URL-safe token carrying JSON `claims`, valid until `until` (aware)."""
    body = json.dumps({**claims, "exp": int(until.timestamp())}, sort_keys=True, separators=(",", ":")).encode()
    text = _b64(body)
    return f"{text}.{_b64(_mac(secret, text))}"


def verify(secret: bytes, token: str, now: datetime) -> dict[str, Any] | None:
    """Give the claims of a token that is genuine and not expired; None otherwise. Never raises."""
    text, _, mac = token.partition(".")
    try:
        genuine = hmac.compare_digest(_unb64(mac), _mac(secret, text))
        claims = json.loads(_unb64(text)) if genuine else None
    except (ValueError, UnicodeEncodeError):
        return None
    until = claims.get("exp") if isinstance(claims, dict) else None
    if not isinstance(claims, dict) or not isinstance(until, int) or until < now.timestamp():
        return None
    return claims


def _mac(secret: bytes, text: str) -> bytes:
    return hmac.new(secret, text.encode("ascii"), hashlib.sha256).digest()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
