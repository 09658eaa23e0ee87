"""The real server under the real signal."""

import http.client
import json
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from controller.supervisor import answers_http
from controller.tls import own_trust
from tests.waiting import wait_for
from tests.web.certificate import make_pem
from tests.web.stage import PASSWORD
from web.tls import Tls

pytestmark = pytest.mark.wire


@pytest.fixture
def server(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.web.server", str(tmp_path), str(port)], stderr=subprocess.PIPE
    )
    try:
        wait_until_it_answers(port, process)
        yield port, process
    finally:
        process.kill()
        process.communicate()


def test_sigterm_ends_open_streams_and_the_process_cleanly(server):
    port, process = server
    cookie = sign_in(port)
    streams = [open_stream(port, cookie) for _ in range(40)]
    assert all(answer.status == 200 for _, answer in streams)
    assert ask(port, "GET", "/api/line", cookie)[0] == 200  # pages are served beside forty streams
    assert ask(port, "GET", "/live?view=page", cookie)[0] == 503

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=30) == 0
    for line, answer in streams:
        answer.read()
        line.close()


def test_a_reader_that_leaves_gives_its_place_back(server):
    port, _ = server
    cookie = sign_in(port)
    for _ in range(45):
        line, answer = open_stream(port, cookie)
        assert answer.status in (200, 503)
        line.sock.close()
        line.close()

    wait_for(lambda: health(port)["streams"] == 0)


def test_with_a_certificate_the_dashboard_speaks_tls_and_its_cookie_never_travels_plain(tmp_path):
    pem = make_pem(tmp_path / "own.pem")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "tests.web.server", str(tmp_path), str(port), str(pem)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    tls = Tls(certificate=pem, key=pem)
    is_alive = answers_http("127.0.0.1", port, "/api/health", is_https=True)
    try:
        wait_for(lambda: process.poll() is not None or is_alive())
        assert not answers_http("127.0.0.1", port, "/api/health")()
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=own_trust(tls), trust_env=False) as client:
            answer = client.post("/api/login", json={"user": "viewer", "password": PASSWORD})
            assert answer.status_code == 200 and "Secure" in answer.headers["Set-Cookie"]
        other = Tls(certificate=make_pem(tmp_path / "other.pem"), key=pem)
        with httpx.Client(verify=own_trust(other), trust_env=False) as client, pytest.raises(httpx.ConnectError):
            client.get(f"https://127.0.0.1:{port}/api/health")
    finally:
        process.kill()
        process.communicate()


def test_a_browser_of_today_is_told_the_length_or_chunks_of_everything(server):
    port, _ = server
    status, headers = ask(port, "GET", "/login", "")

    assert status == 200 and ("Content-Length" in headers or headers.get("Transfer-Encoding") == "chunked")


def sign_in(port):
    body = json.dumps({"user": "viewer", "password": PASSWORD})
    status, headers = ask(port, "POST", "/api/login", "", body)
    assert status == 200
    return headers["Set-Cookie"].split(";")[0]


def ask(port, method, path, cookie, body=None):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request(method, path, body, {"Cookie": cookie, "Content-Type": "application/json"})
    answer = line.getresponse()
    answer.read() if answer.headers.get_content_type() != "text/event-stream" else None
    line.close()
    return answer.status, answer.headers


def open_stream(port, cookie):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", "/live?view=page", headers={"Cookie": cookie})
    return line, line.getresponse()


def health(port):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", "/api/health")
    said = json.loads(line.getresponse().read())
    line.close()
    return said


def wait_until_it_answers(port, process):
    def answers():
        assert process.poll() is None, process.stderr.read()
        try:
            return health(port)["ok"]
        except OSError:
            return False

    wait_for(answers)
