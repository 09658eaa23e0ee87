"""What a station reads in a still picture, behind one door: the readers of this room, or whatever else gives codes."""

from __future__ import annotations

from typing import Protocol

from scanning.codes import Code
from scanning.decode import decode
from scanning.light import is_dark
from scanning.verify import shows_plate_and_label


class Sight(Protocol):
    """Reads stills, bytes of a picture file each. Pure and heavy: to be run off the loop."""

    def read(self, jpeg: bytes) -> list[Code]:
        """Give every code in a picture."""
        ...

    def read_with_label(self, jpeg: bytes) -> list[Code]:
        """Give every code in a picture, looking harder while a parcel's plate or its label is not among them."""
        ...

    def is_dark(self, jpeg: bytes) -> bool:
        """Tell whether there was no light."""
        ...


class PixelSight:
    """The readers of this room."""

    def read(self, jpeg: bytes) -> list[Code]:
        return decode(jpeg)

    def read_with_label(self, jpeg: bytes) -> list[Code]:
        return decode(jpeg, is_enough=shows_plate_and_label)

    def is_dark(self, jpeg: bytes) -> bool:
        return is_dark(jpeg)
