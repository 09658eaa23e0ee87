"""Draws the parcel label and the carton's licence plate as one bitmap at 203 dpi (8 dots per mm)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from labeling import typeface
from labeling.content import LabelContent
from labeling.symbols import bitmaps
from packline.core.identity import Lpn

LABEL_WIDTH_DOTS = 576
LABEL_HEIGHT_DOTS = 640
MODULE_DOTS = 3
"""0.375 mm; a courier's usual width and the most that fits 72 mm with its quiet zones."""
QUIET_MODULES = 10
BAR_HEIGHT_DOTS = 104
"""13 mm; the full GS1 height of 31.75 mm does not fit this small label."""
MARK_MODULE_DOTS = 7
"""The mark is always 22 modules, so 154 dots, wide."""
MARK_QUIET_DOTS = 2 * MARK_MODULE_DOTS
MARGIN_DOTS = 20

PLATE_WIDTH_DOTS = 576
PLATE_HEIGHT_DOTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle of the label in dots."""

    left: int
    top: int
    width: int
    height: int


def draw(content: LabelContent, width_dots: int = LABEL_WIDTH_DOTS) -> Image.Image:
    """Draw the label: mode "1", `width_dots` (>= 576) x 640 dots; the same content gives the same dots."""
    if width_dots < LABEL_WIDTH_DOTS:
        raise ValueError(f"a label of {width_dots} dots has no room for the SSCC; {LABEL_WIDTH_DOTS} are needed")
    label = Image.new("1", (width_dots, LABEL_HEIGHT_DOTS), 1)
    pen = ImageDraw.Draw(label)
    inner = width_dots - 2 * MARGIN_DOTS
    _heading(pen, content, Area(left=MARGIN_DOTS, top=10, width=inner, height=44))
    _rule(pen, 58, width_dots)
    room = Area(left=MARGIN_DOTS, top=62, width=inner, height=238)
    _text_block(pen, _address(content), room, _ADDRESS_SIZES, kept=_PLACE_TEXTS)
    _rule(pen, 306, width_dots)
    mark = bitmaps.data_matrix(content.mark, module_dots=MARK_MODULE_DOTS)
    label.paste(mark, (width_dots - MARGIN_DOTS - mark.width, 318))
    beside = inner - mark.width - 2 * MARK_QUIET_DOTS
    _text_block(pen, _details(content), Area(left=MARGIN_DOTS, top=312, width=beside, height=162), _DETAIL_SIZES)
    _rule(pen, 482, width_dots)
    _sscc(label, pen, content.sscc)
    return label


def draw_plate(lpn: str) -> Image.Image:
    """Draw the licence plate that a carton carries before it is used: Code 128, Data Matrix and text.

    Mode "1", 576 x 200 dots. Raises Fault 4101.
    """
    text = Lpn.parse(lpn).text
    plate = Image.new("1", (PLATE_WIDTH_DOTS, PLATE_HEIGHT_DOTS), 1)
    bars = bitmaps.code_128(text, module_dots=MODULE_DOTS, height_dots=BAR_HEIGHT_DOTS)
    plate.paste(bars, (QUIET_MODULES * MODULE_DOTS, 20))
    mark = bitmaps.data_matrix(text, module_dots=7)
    plate.paste(mark, (PLATE_WIDTH_DOTS - mark.width - 34, 20))
    size = 44
    left = QUIET_MODULES * MODULE_DOTS + (bars.width - typeface.width_dots(text, size)) // 2
    typeface.put(ImageDraw.Draw(plate), (left, 124), text, size)
    return plate


_ADDRESS_SIZES = (40, 36, 32, 28, 25, 22, 19, 16)
_DETAIL_SIZES = (25, 22, 19, 17, 15)
_PLACE_TEXTS = 2
"""Of an address: postcode with city, and country. A street may be cut, but a label that does not say where it goes is none."""
_LINE_PITCH = 1.3
"""Line to line in ems; Chinese characters of this face fill about 1.2."""


def _heading(pen: ImageDraw.ImageDraw, content: LabelContent, area: Area) -> None:
    count = f"{content.parcel_no}/{content.parcel_count}"
    count_width = typeface.width_dots(count, 32)
    typeface.put(pen, (area.left + area.width - count_width, area.top), count, 32)
    room = Area(left=area.left, top=area.top, width=area.width - count_width - 20, height=area.height)
    _text_block(pen, [content.merchant], room, (32, 28, 24, 20, 16))


def _address(content: LabelContent) -> list[str]:
    to = content.ship_to
    place = " ".join(part for part in (to.postcode, to.city) if part)
    return [" ".join(part for part in (to.recipient, to.phone) if part), *to.lines, place, to.country]


def _details(content: LabelContent) -> list[str]:
    return [
        f"{content.order_ref}  {content.date}",
        f"{content.lpn}  No. {content.print_number}",
        *content.contents,
    ]


def _sscc(label: Image.Image, pen: ImageDraw.ImageDraw, sscc: str) -> None:
    bars = bitmaps.gs1_128(sscc, module_dots=MODULE_DOTS, height_dots=BAR_HEIGHT_DOTS)
    label.paste(bars, ((label.width - bars.width) // 2, 494))
    text = f"(00){sscc}"
    typeface.put(pen, ((label.width - typeface.width_dots(text, 28)) // 2, 598), text, 28)


def _rule(pen: ImageDraw.ImageDraw, y: int, width_dots: int) -> None:
    pen.line((MARGIN_DOTS, y, width_dots - MARGIN_DOTS, y), fill=0, width=2)


def _text_block(
    pen: ImageDraw.ImageDraw, texts: Sequence[str], area: Area, sizes: Sequence[int], *, kept: int = 0
) -> None:
    """Set `texts` at the largest of `sizes` that fits `area`; at the smallest, what is too much is cut with an ellipsis.

    The last `kept` texts stay whole, and what is before them is cut.
    """
    for size in sizes:
        lines = _wrapped(texts, size, area)
        if _height(len(lines), size) <= area.height:
            break
    else:
        most, end = int(area.height / (size * _LINE_PITCH)), _wrapped(texts[len(texts) - kept :], size, area)
        begun = _wrapped(texts[: len(texts) - kept], size, area)
        whole, last = (begun, end) if len(end) < most else (lines, [])
        lines = [*_shortened(whole, most - len(last), size, area.width), *last]
    for row, line in enumerate(lines):
        typeface.put(pen, (area.left, area.top + round(row * size * _LINE_PITCH)), line, size)


def _wrapped(texts: Sequence[str], size: int, area: Area) -> list[str]:
    return [line for text in texts for line in typeface.wrap(text, size, area.width)]


def _height(lines: int, size: int) -> int:
    return round(lines * size * _LINE_PITCH)


def _shortened(lines: list[str], most: int, size: int, room_dots: int) -> list[str]:
    kept = lines[:most]
    last = kept[-1]
    while typeface.width_dots(last + "…", size) > room_dots:
        last = last[:-1]
    return [*kept[:-1], last + "…"]
