"""Draws code symbols in whole dots per module; scaled bars are what scanners fail on."""

from __future__ import annotations

import numpy as np
import zxingcpp
from PIL import Image

from packline.core.identity import Sscc


def gs1_128(sscc: str, *, module_dots: int, height_dots: int) -> Image.Image:
    """Draw the SSCC as GS1-128 with AI (00), mode "1", without quiet zones.

    156 modules wide. Raises Fault 4102: the encoder itself checks no check digit.
    """
    return _bars(f"(00){Sscc.parse(sscc)}", module_dots, height_dots, gs1=True)


def code_128(text: str, *, module_dots: int, height_dots: int) -> Image.Image:
    """Draw `text` (ASCII) as Code 128, mode "1", without quiet zones."""
    return _bars(text, module_dots, height_dots, gs1=False)


def data_matrix(text: str, *, module_dots: int) -> Image.Image:
    """Draw `text` as a square Data Matrix ECC 200, mode "1", without quiet zones."""
    # left to itself the encoder makes an 8 x 64 rectangle of some lengths, which few readers know
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    return _image(np.array(code.to_image(scale=module_dots, add_quiet_zones=False)))


def _bars(text: str, module_dots: int, height_dots: int, *, gs1: bool) -> Image.Image:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128, gs1=gs1)
    pixels = np.array(code.to_image(scale=module_dots, add_quiet_zones=False))
    return _image(np.repeat(pixels[:1], height_dots, axis=0))


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.astype(np.uint8)).convert("1", dither=Image.Dither.NONE)
