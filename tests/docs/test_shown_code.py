"""Code that pages show for others to copy really signs and checks as Packline does."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import pytest

from packline.feeds.marketplace import read_order
from packline.feeds.signing import make_secret, sign, verify

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
SECRET = make_secret(bytes(range(32)))


def shown(page: str, language: str, holding: str) -> str:
    """Give the first block of a page that has `holding` in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (HOW_TO / page).read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if holding in block)


@contextmanager
def door() -> Iterator[tuple[str, Queue]]:
    """Take posts on a loopback port."""
    taken: Queue = Queue()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.put((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format, *args):  # noqa: A002 - the library's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/intake/shop", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_subscribers_check_takes_our_signature_and_no_other():
    space: dict = {}
    exec(shown("subscribe-to-tracking.md", "python", "def is_genuine"), space)
    is_genuine = space["is_genuine"]
    headers = sign(SECRET, "evt-1", datetime.now(UTC), b"{}")
    assert is_genuine(SECRET, headers, b"{}")
    assert not is_genuine(SECRET, headers, b"{ }")
    assert not is_genuine(make_secret(bytes(32)), headers, b"{}")
    assert not is_genuine(SECRET, sign(SECRET, "evt-1", datetime(2026, 1, 1, tzinfo=UTC), b"{}"), b"{}")


def test_shown_order_is_one_that_is_taken():
    body = shown("wire-a-feed.md", "json", "order.changed").encode()
    assert read_order("shop", body).order_id == "shop-TEST-1"


def test_shown_order_has_a_sku_of_the_demo():
    order = json.loads(shown("wire-a-feed.md", "json", "order.changed"))
    items = (Path(__file__).parents[2] / "sites" / "demo-items.csv").read_text("utf-8")
    assert all(f"\n{line['sku']}," in items for line in order["data"]["lines"])


@pytest.mark.wire
def test_shown_sender_signs_as_the_intake_wants(tmp_path):
    (tmp_path / "send.py").write_text(shown("wire-a-feed.md", "python", "send.py"), "utf-8")
    (tmp_path / "order.json").write_text(shown("wire-a-feed.md", "json", "order.changed"), "utf-8")
    with door() as (url, taken):
        words = [sys.executable, "send.py", url, SECRET, "order.json", "msg-7"]
        said = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        headers, body = taken.get()
    assert said.startswith("202")
    assert verify([SECRET], headers, body, datetime.now(UTC)) == "msg-7"


@pytest.mark.wire
@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="curl or openssl is not installed")
def test_shown_curl_line_signs_as_the_intake_wants(tmp_path):
    script = shown("wire-a-feed.md", "sh", "openssl")
    (tmp_path / "order.json").write_text(shown("wire-a-feed.md", "json", "order.changed"), "utf-8")
    with door() as (url, taken):
        script = re.sub(r"^URL=.*$", f"URL={url}", script, flags=re.MULTILINE)
        script = re.sub(r"^SECRET=.*$", f"SECRET={SECRET}", script, flags=re.MULTILINE)
        subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, check=True)
        headers, body = taken.get()
    assert verify([SECRET], headers, body, datetime.now(UTC)) == "msg_1"
