"""Slow and silent strangers cost others nothing: neither all threads, nor the one that accepts."""

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from packline.core.clock import ManualClock
from tests.web.test_serve import health, wait_until_it_answers
from web.patience import BODY_S, HEAD_S, LEAST, Patience

STRANGER = "127.0.0.2"
HEAD = b"GET / HTTP/1.1\r\nX-Slow: "
BODY = b"POST /intake/marketplace HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
LAST = b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
MORE_THAN_THREADS = 80


@contextmanager
def served(folder, patience_s: float = 60) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = [sys.executable, "-m", "tests.web.server", str(folder), str(port), "", str(patience_s)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    try:
        wait_until_it_answers(port, process)
        yield port
    finally:
        process.kill()
        process.communicate()


def calling(port, said, address=STRANGER):
    line = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(address, 0))
    line.sendall(said)
    return line


@pytest.mark.wire
@pytest.mark.parametrize("said", [HEAD, BODY, LAST], ids=["slow head", "slow body", "never hangs up"])
def test_a_stranger_with_more_lines_than_threads_keeps_nobody_waiting(tmp_path, said):
    with served(tmp_path) as port, ExitStack() as lines:
        for _ in range(MORE_THAN_THREADS):
            lines.enter_context(calling(port, said))

        assert health(port)["ok"]


@pytest.mark.wire
@pytest.mark.parametrize("said", [HEAD, BODY], ids=["head", "body"])
def test_a_request_that_does_not_arrive_is_cut(tmp_path, said):
    with served(tmp_path, 0.2) as port, calling(port, said) as line:
        heard = b""
        while part := line.recv(1000):
            heard += part

        assert not heard.startswith(b"HTTP/1.1 2")
        assert health(port)["ok"]


@pytest.mark.wire
def test_many_at_once_from_one_address_are_all_answered(tmp_path):
    with served(tmp_path) as port, ExitStack() as lines:
        calls = [lines.enter_context(calling(port, LAST)) for _ in range(MORE_THAN_THREADS)]
        answers = []
        for line in calls:
            answer = http.client.HTTPResponse(line)
            answer.begin()
            answers.append(answer.status)
            answer.read()
            line.close()

        assert answers == [200] * MORE_THAN_THREADS


def test_an_address_has_half_of_the_threads_that_no_stream_has():
    patience: Patience[str] = Patience(20, ManualClock().monotonic)
    begun = [patience.begin(f"slow {n}", "here") for n in range(12)]
    assert begun == [True] * 10 + [False] * 2 and not patience.has_room("here") and patience.has_room("there")

    patience.end("slow 0")
    assert patience.begin("slow 12", "here")
    for n in range(12):
        patience.begin(f"stream {n}", "there")
        patience.has_head(f"stream {n}", has_body=False)
    assert not patience.begin("slow 13", "here") and patience.begin("one more", "there")
    patience.end("slow 13")
    for n in range(20):
        patience.end(f"slow {n}")
    assert [patience.begin(f"again {n}", "here") for n in range(6)] == [True] * LEAST + [False] * 2


def test_a_head_has_less_time_than_a_body_and_an_answer_as_long_as_it_likes():
    clock = ManualClock()
    patience: Patience[str] = Patience(20, clock.monotonic)
    for line in ("head", "body", "answer"):
        patience.begin(line, "here")
    patience.has_head("body", has_body=True)
    patience.has_head("answer", has_body=False)

    assert patience.overdue() == []
    clock.advance(HEAD_S)
    assert patience.overdue() == ["head"]
    clock.advance(BODY_S - HEAD_S)
    assert patience.overdue() == ["head", "body"]
    clock.advance(3600)
    patience.end("head")
    assert patience.overdue() == ["body"]
