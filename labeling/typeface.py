"""Sets text in the vendored Chinese and Latin face; a letter with a mark that it lacks loses the mark, all else becomes a visible box."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_FONTS = Path(__file__).parent / "fonts"
_NO_CHARACTER = "\U0010ffff"
_PROBE_DOTS = 32
MOST_CHARACTERS = 600
"""Longer texts are cut before setting; no label shows more."""


def clean(text: str) -> str:
    """Give `text` on one line without control, joining or variation characters, at most 600 characters.

    A letter whose mark the face lacks is given without it, as carriers write it: `Łódź` as `Lodz`, which is better than boxes.
    """
    flat = unicodedata.normalize("NFC", " ".join(text[: 4 * MOST_CHARACTERS].split()))
    return "".join(_shown(c) for c in flat if unicodedata.category(c) not in _UNSEEN)[:MOST_CHARACTERS]


# control, format, surrogate, combining marks that NFC could not join: none of them has a place of its own on paper
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Me"})


# letters that Unicode does not take apart, though their stroke is a mark
_STROKED = {
    "Ł": "L",
    "ł": "l",
    "Đ": "D",
    "đ": "d",
    "Ħ": "H",
    "ħ": "h",
    "Ŧ": "T",
    "ŧ": "t",
    "ı": "i",
    "Ŋ": "N",
    "ŋ": "n",
}


@lru_cache(maxsize=16384)
def _shown(character: str) -> str:
    """Give what is set for a character: itself if the face has it or nothing simpler stands for it."""
    if is_drawn(character):
        return character
    bare = _STROKED.get(character) or unicodedata.normalize("NFD", character)[0]
    return bare if bare.isascii() and bare.isalpha() else character


def width_dots(text: str, size: int) -> int:
    """Give the advance of `text` in dots at `size` dots per em."""
    return sum(_advance(c, size) for c in text)


def wrap(text: str, size: int, room_dots: int) -> list[str]:
    """Break `text` into lines of at most `room_dots`: at spaces where there are, else between any two characters."""
    lines: list[str] = []
    rest = clean(text)
    while rest:
        cut = _cut(rest, size, room_dots)
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return lines


def put(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int) -> None:
    """Write `text` in black with its top left corner at `at`."""
    x, y = at
    for character in text:
        if is_drawn(character):
            pen.text((x, y), character, font=_face(size), fill=0)
        else:
            _box(pen, x, y, size)
        x += _advance(character, size)


@lru_cache(maxsize=16384)
def is_drawn(character: str) -> bool:
    """Tell whether the face has a shape for `character` (a space counts)."""
    return character.isspace() or _shape(character) != _shape(_NO_CHARACTER)


def _cut(text: str, size: int, room_dots: int) -> int:
    used = 0
    for place, character in enumerate(text):
        used += _advance(character, size)
        if used > room_dots:
            return _last_break(text, place) or max(place, 1)
    return len(text)


def _last_break(text: str, place: int) -> int:
    """Give the place after the last space before `place`, unless that wastes half of the line."""
    space = text.rfind(" ", 0, place + 1)
    return space + 1 if space > place // 2 else 0


def _box(pen: ImageDraw.ImageDraw, x: int, y: int, size: int) -> None:
    # as high as a Chinese character, which this face sets about a quarter of an em below the top
    pen.rectangle((x + 2, y + size // 4, x + size - 3, y + size + size // 8), outline=0, width=max(1, size // 14))


@lru_cache(maxsize=16384)
def _advance(character: str, size: int) -> int:
    return round(_face(size).getlength(character)) if is_drawn(character) else size


@lru_cache(maxsize=8192)
def _shape(character: str) -> tuple[tuple[int, int], bytes]:
    cell = Image.new("1", (2 * _PROBE_DOTS, 2 * _PROBE_DOTS), 1)
    ImageDraw.Draw(cell).text((0, 0), character, font=_face(_PROBE_DOTS), fill=0)
    return cell.size, cell.tobytes()


@lru_cache(maxsize=64)
def _face(size: int) -> ImageFont.FreeTypeFont:
    found = sorted(_FONTS.glob("NotoSansSC-Subset.*"))[0]
    # the basic layout gives the same dots whether or not libraqm is installed
    return ImageFont.truetype(str(found), size, layout_engine=ImageFont.Layout.BASIC)
