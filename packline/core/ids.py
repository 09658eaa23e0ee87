"""Identifiers and randomness, handed in so that a seed can fix them."""

from __future__ import annotations

import random
import secrets
from typing import Protocol

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Ids(Protocol):
    """Hands out identifiers."""

    def ulid(self, at_ms: int) -> str:
        """Give 26 characters, sortable by `at_ms` (milliseconds since 1970)."""
        ...

    def u32(self) -> int:
        """Give 1..2**32-1; used as OWNER_ID of a controller run."""
        ...

    def token(self) -> str:
        """Give 43 URL-safe characters carrying 256 random bits."""
        ...


class SystemIds:
    """Identifiers from the operating system's randomness."""

    def ulid(self, at_ms: int) -> str:
        return encode_ulid(at_ms, secrets.randbits(80))

    def u32(self) -> int:
        return secrets.randbelow(2**32 - 1) + 1

    def token(self) -> str:
        return secrets.token_urlsafe(32)


class SeededIds:
    """The same identifiers for the same seed; for the twin and tests, never for secrets."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible on purpose

    def ulid(self, at_ms: int) -> str:
        return encode_ulid(at_ms, self._random.getrandbits(80))

    def u32(self) -> int:
        return self._random.randrange(1, 2**32)

    def token(self) -> str:
        return f"{self._random.getrandbits(256):064x}"[:43]


def encode_ulid(at_ms: int, noise: int) -> str:
    """Encode 48 bits of time and 80 of noise in Crockford's base 32."""
    value = (at_ms & (2**48 - 1)) << 80 | (noise & (2**80 - 1))
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))
