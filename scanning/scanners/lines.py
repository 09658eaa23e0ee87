"""Cuts a scanner's byte stream into lines and lines into reads; pure."""

from __future__ import annotations

from scanning.gs1 import split_aim

MOST_LINE_BYTES = 512
"""A longer line is noise or a wrong terminator; it is dropped whole."""
_BEGIN, _ENDS = 0x02, frozenset(b"\r\n\x03")
_BLANKS = " \t\0\x02\x03"


class LineSplitter:
    """Gives whole lines from pieces of any size. CR, LF, CR LF and ETX all end a line, and STX begins one, whatever was before.

    Many fixed scanners send STX, text, ETX and nothing else. Never raises.
    """

    def __init__(self) -> None:
        self._begun = bytearray()
        self._is_too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take `data` and give the lines that are now complete, without their ends; empty ones are left out."""
        lines: list[bytes] = []
        for byte in data:
            if byte in _ENDS:
                if self._begun and not self._is_too_long:
                    lines.append(bytes(self._begun))
                self.reset()
            elif byte == _BEGIN:
                self.reset()
            elif not self._is_too_long:
                self._begun.append(byte)
                self._is_too_long = len(self._begun) > MOST_LINE_BYTES
        return lines

    def reset(self) -> None:
        """Forget a begun line: what comes over a new connection is no continuation of it."""
        self._begun.clear()
        self._is_too_long = False


def read_line(line: bytes) -> tuple[str, str] | None:
    """Give (`text`, `AIM prefix`) of one line; None if nothing is left of it.

    UTF-8, else GB 18030, which Chinese scanners send; what is neither keeps replacement characters.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("gb18030", "replace")
    text, prefix = split_aim(text.strip(_BLANKS))
    return (text, prefix) if text else None
