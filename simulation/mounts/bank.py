"""The four tables of a Modbus device, filled from the tags of a machine file. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from plc.links import Area, Value
from plc.machine_file import MachineFile
from plc.tags.codec import decode, put
from plc.tags.model import Wired
from simulation.mounts.blocks import TagDevice

LEAST = 256
"""Foreign clients like to read round numbers; addresses without a meaning read 0."""


class TagBank:
    """Shows a device's tags as registers and bits, and hands over what is written to them."""

    def __init__(self, file: MachineFile, device: TagDevice) -> None:
        self._device = device
        self._tags: dict[Area, list[Wired]] = {area: [] for area in Area}
        for wired in file.wired.values():
            self._tags[wired.area].append(wired)
        self.sizes = {area: max([LEAST, *(w.end for w in tags)]) for area, tags in self._tags.items()}
        self._words: dict[Area, list[int]] = {area: [0] * size for area, size in self.sizes.items()}

    def has(self, area: Area) -> bool:
        """Tell whether any tag lies in a table."""
        return bool(self._tags[area])

    def read(self, area: Area, start: int, count: int) -> list[int] | None:
        """Give registers, or bits as 0 and 1; None beyond the end of the table."""
        words = self._words[area]
        if start + count > len(words):
            return None
        values = self._device.tag_values()
        for wired in self._tags[area]:
            if wired.start < start + count and start < wired.end and wired.name in values:
                self._show(wired, values[wired.name])
        return words[start : start + count]

    def write(self, area: Area, start: int, values: Sequence[int]) -> bool:
        """Put words or bits where tags may be written; False, and nothing written, anywhere else."""
        end = start + len(values)
        hit = [w for w in self._tags[area] if w.tag.is_written and w.start < end and start < w.end]
        covered = {address for wired in hit for address in range(wired.start, wired.end)}
        if not hit or not covered.issuperset(range(start, end)):
            return False
        self.read(area, start, len(values))
        self._words[area][start:end] = [int(value) for value in values]
        for wired in hit:
            try:
                value = decode(wired, self._words[area][wired.start : wired.end])
            except ValueError:
                continue  # it keeps the raw word and makes nothing of it
            self._device.write_tag(wired.name, value)
        return True

    def _show(self, wired: Wired, value: Value) -> None:
        words = self._words[wired.area]
        words[wired.start : wired.end] = put(wired, value, words[wired.start : wired.end])
