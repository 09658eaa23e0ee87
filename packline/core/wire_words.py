"""Says in the house's words why another end could not be talked to, where a library would say it in its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator

NO_CONNECTION = "no connection"
WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "nobody listens at the address"),
    (ConnectionResetError, "a connection that broke off"),
    (BrokenPipeError, "a connection that broke off"),
    (ConnectionAbortedError, "a connection that broke off"),
    (socket.gaierror, "an address that nobody knows"),
    (TimeoutError, "silence"),
    (OSError, NO_CONNECTION),
)
"""The first that fits is said."""


def no_answer(error: BaseException) -> str:
    """Say why: by the error itself, or by the one of the system that a library wrapped."""
    for cause in _causes(error):
        if isinstance(cause, OSError):
            return next(words for kind, words in WORDS if isinstance(cause, kind))
    return NO_CONNECTION


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
