"""The names of the slots of a rack; a file of its own, because who reads a site file needs no camera."""

from __future__ import annotations


def slot_names(slots: int) -> list[str]:
    """Give the names of so many slots: H01, H02, and on."""
    return [f"H{n:02d}" for n in range(1, slots + 1)]
