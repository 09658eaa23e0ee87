"""Labels and pictures as content: what can be read, without the dots it is read from. Drawn and decoded for a share of parcels only.

A job of content runs through the same printer as a drawn one: it has as many rows, each one byte wide, and so takes the same
time. The rows carry what the drawn label has in those places, so that half a label shows half of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from sys import intern
from typing import Any

from PIL import Image

from labeling.content import LabelContent
from labeling.drawing import LABEL_HEIGHT_DOTS
from labeling.drivers import escpos
from labeling.printer import whole_job
from scanning.codes import Box, Code, Symbology
from scanning.sight import PixelSight
from simulation.pictures.render import render
from simulation.pictures.scenes import CartonScene, ItemScene, Scene, SceneLabel
from simulation.plant.papers import Legible
from simulation.reading import read_label

WIDTH_DOTS = 8
TO_ROW, MARK_ROW, BARS_ROW = 62, 320, 500
"""Where address, matrix mark and bars of the drawn label begin; a row carries one byte, read from the top."""
TO_CHARACTERS = 8
MAGIC = b"\xff\xd8packline content "
_PRINTED = re.compile(
    rb"(?<![^\0])(?:(?P<mark>PK1\|\d*\|[^|\0]*\|\d+)|(?P<bars>00\d{18})|(?P<to>TO\|[0-9a-f]{8}))(?![^\0])",
)
"""A mark or bars as rows have them, with nothing directly above or below: what is left of a label may begin at any row."""
_PITCH_PX, _SIZE_PX = 100, 40
_ROWS_OF_A_FRAGMENT = escpos.FRAGMENT_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Which parcels get real pixels: every `one_in`-th plate; 1 is all, 0 none.

    It is the one in the middle of so many: the first would be drawn in each of a campaign's many short shifts, and cost a third.
    """

    one_in: int = 500

    def has(self, lpn: str) -> bool:
        """Tell whether a carton's labels and pictures are drawn."""
        return self.one_in == 1 or (self.one_in > 1 and bool(lpn) and int(lpn[2:11]) % self.one_in == self.one_in // 2)

    @property
    def is_all(self) -> bool:
        """Tell whether everything is drawn."""
        return self.one_in == 1


class Press:
    """Sets labels and takes pictures, as content or drawn."""

    def __init__(self, share: Share) -> None:
        self._share = share

    def typeset(self, content: LabelContent, process_id: bytes) -> bytes:
        """Give a printer's job."""
        if self._share.has(content.lpn):
            return whole_job(content, process_id)
        rows = bytearray(LABEL_HEIGHT_DOTS)
        to = f"TO|{address_word(content.ship_to.as_dict())}"
        for first, text in ((TO_ROW, to), (MARK_ROW, content.mark), (BARS_ROW, f"00{content.sscc}")):
            rows[first : first + len(text)] = text.encode("ascii")
        head, tail, header = _template()
        fragments = (
            header + bytes(rows[at : at + _ROWS_OF_A_FRAGMENT]) for at in range(0, len(rows), _ROWS_OF_A_FRAGMENT)
        )
        return b"".join((head, *fragments, tail, escpos.process_id_request(process_id)))

    def picture(self, scene: Scene) -> bytes:
        """Give the bytes of a picture of what is before a camera."""
        if isinstance(scene, ItemScene):
            return render(scene) if self._share.is_all else _as_content([], is_dark=scene.dark)
        is_drawn = all(not _is_content(label.bitmap) for label in scene.labels)
        if self._share.is_all or (self._share.has(scene.lpn) and is_drawn):
            return render(scene)
        return _as_content([] if scene.dark or scene.blurred else _codes_on(scene), is_dark=scene.dark)


class ContentSight:
    """Reads pictures of both kinds; what is content is read without a reader."""

    def __init__(self) -> None:
        self._pixels = PixelSight()

    def read(self, jpeg: bytes) -> list[Code]:
        seen = _content(jpeg)
        return self._pixels.read(jpeg) if seen is None else _codes_of(seen)

    def read_with_label(self, jpeg: bytes) -> list[Code]:
        seen = _content(jpeg)
        return self._pixels.read_with_label(jpeg) if seen is None else _codes_of(seen)

    def is_dark(self, jpeg: bytes) -> bool:
        seen = _content(jpeg)
        return self._pixels.is_dark(jpeg) if seen is None else bool(seen["dark"])


def read_paper(bitmap: Image.Image) -> Legible:
    """Read a piece of label paper of either kind."""
    if not _is_content(bitmap):
        return read_label(bitmap)
    mark, sscc = _texts_of(bitmap)
    to = _found_in(bitmap, "to", MARK_ROW - TO_ROW).removeprefix("TO|")
    if mark:
        _, code, lpn, number = mark.split("|")
        return Legible(sscc=code, lpn=intern(lpn), print_number=int(number), to=to)
    return Legible(sscc=sscc, to=to)


def address_word(ship_to: Mapping[str, Any]) -> str:
    """Give a word of eight letters for an address, the same for host and label; a label has its phone number in part only."""
    said = [ship_to.get(name, "") for name in ("recipient", "lines", "city", "postcode", "country")]
    parts = [part for each in said for part in ([each] if isinstance(each, str) else each)]
    return sha256("\n".join(parts).encode()).hexdigest()[:TO_CHARACTERS]


@cache
def _template() -> tuple[bytes, bytes, bytes]:
    """Give what stands before the rows of a job, what stands behind them, and the header of a fragment."""
    blank = escpos.job(Image.new("1", (WIDTH_DOTS, LABEL_HEIGHT_DOTS), 1), escpos.process_id(0))
    first, last = blank.index(b"\x1dv0"), blank.rindex(b"\x1dv0")
    header = blank[first : first + 8]
    ends = last + len(header) + _ROWS_OF_A_FRAGMENT
    return blank[:first], blank[ends : -len(escpos.process_id_request(escpos.process_id(0)))], header


def _is_content(bitmap: Image.Image) -> bool:
    return bitmap.width == WIDTH_DOTS


def _texts_of(bitmap: Image.Image) -> tuple[str, str]:
    """Give mark and SSCC, wherever on the paper they are; each "" where the paper does not show it from top to bottom."""
    mark, bars = (("mark", BARS_ROW - MARK_ROW), ("bars", LABEL_HEIGHT_DOTS - BARS_ROW))
    return _found_in(bitmap, *mark), _found_in(bitmap, *bars)[2:]


def _found_in(bitmap: Image.Image, group: str, height: int) -> str:
    rows = bytes(0xFF ^ byte for byte in bitmap.tobytes())
    found = {wanted.lastgroup: wanted for wanted in _PRINTED.finditer(rows)}.get(group)
    return found[0].decode("ascii") if found and len(found.string) - found.start() >= height else ""


def _codes_on(scene: CartonScene) -> list[tuple[str, str, str]]:
    if not scene.lpn:
        return []
    codes = [(scene.lpn, Symbology.CODE_128.value, "]C0")]
    for label in scene.labels:
        mark, sscc = _legible(label)
        codes += [(mark, Symbology.DATA_MATRIX.value, "]d1")] if mark else []
        codes += [(f"00{sscc}", Symbology.CODE_128.value, "]C1")] if sscc else []
    return codes


def _legible(label: SceneLabel) -> tuple[str, str]:
    if _is_content(label.bitmap):
        return _texts_of(label.bitmap)
    read = read_label(label.bitmap)
    return f"PK1|{read.sscc}|{read.lpn}|{read.print_number}" if read.lpn else "", read.sscc


def _as_content(codes: list[tuple[str, str, str]], *, is_dark: bool) -> bytes:
    return MAGIC + json.dumps({"dark": is_dark, "codes": codes}).encode()


def _content(jpeg: bytes) -> dict[str, Any] | None:
    if not jpeg.startswith(MAGIC):
        return None
    seen: dict[str, Any] = json.loads(jpeg[len(MAGIC) :])
    return seen


def _codes_of(seen: dict[str, Any]) -> list[Code]:
    """Give the codes, each at a place of its own: two labels with one text are two."""
    return [
        Code(
            text=text,
            symbology=Symbology(symbology),
            box=Box(left=n * _PITCH_PX, top=0, width=_SIZE_PX, height=_SIZE_PX),
            aim=aim,
        )
        for n, (text, symbology, aim) in enumerate(seen["codes"])
    ]
