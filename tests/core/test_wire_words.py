"""Why nobody answered is said in our words, however a library wraps it."""

import errno
import socket

import httpx
import pytest

from packline.core.wire_words import no_answer


@pytest.mark.parametrize(
    "error, words",
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 15021)"), "nobody listens at the address"),
        (ConnectionResetError("Connection reset by peer"), "a connection that broke off"),
        (BrokenPipeError(), "a connection that broke off"),
        (socket.gaierror(-2, "Name or service not known"), "an address that nobody knows"),
        (TimeoutError(), "silence"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no connection"),
        (httpx.RemoteProtocolError("peer closed"), "no connection"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_an_error_of_the_wire_has_words_of_the_house(error, words):
    assert no_answer(error) == words


def test_the_systems_own_error_is_found_below_a_librarys():
    wrapped = httpx.ConnectError("All connection attempts failed")
    wrapped.__cause__ = OSError("Multiple exceptions")
    wrapped.__cause__.__context__ = ConnectionRefusedError()

    assert no_answer(wrapped) == "no connection"
    wrapped.__cause__ = ConnectionRefusedError()
    assert no_answer(wrapped) == "nobody listens at the address"
