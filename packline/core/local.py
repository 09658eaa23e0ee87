"""Asks the controller process over its local socket: the snapshot, or a nudge that a request waits."""

from __future__ import annotations

import json
import socket
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

MOST_PATH_BYTES = 100
MOST_ANSWER_BYTES = 4_000_000


def socket_path(data: Path) -> Path:
    """Give where the controller of data folder `data` listens (Unix socket names are limited to about 108 bytes)."""
    path = data.resolve() / "controller.sock"
    if len(str(path).encode()) <= MOST_PATH_BYTES:
        return path
    return Path(tempfile.gettempdir()) / f"packline-{sha256(str(path).encode()).hexdigest()[:16]}.sock"


def ask(data: Path, request: dict[str, Any], timeout_s: float = 1.0) -> dict[str, Any]:
    """Send one JSON line, read one JSON line; raises OSError or ValueError when nobody answers sensibly."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(timeout_s)
        line.connect(str(socket_path(data)))
        line.sendall(json.dumps(request).encode() + b"\n")
        answer = _read_line(line)
    result = json.loads(answer)
    if not isinstance(result, dict):
        raise ValueError("the controller answered no object")
    return result


def _read_line(line: socket.socket) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < MOST_ANSWER_BYTES:
        part = line.recv(65536)
        parts.append(part)
        size += len(part)
        if not part or part.endswith(b"\n"):
            return b"".join(parts)
    raise ValueError("the controller's answer is too long")
