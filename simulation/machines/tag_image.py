"""What the tags of a machine show: what its mechanics sense, what was written to them, and what its file says."""

from __future__ import annotations

from collections.abc import Mapping

from plc.links import Value
from plc.machine_file import MachineFile
from plc.tags.model import Tag, TagType


class TagImage:
    """Gives every tag of a file a value. The newest word wins: the machine's own, then what was sensed, then what was written."""

    def __init__(self, file: MachineFile) -> None:
        self._file = file
        self._rest = {name: _at_rest(tag) for name, tag in file.tags.items()}
        for expected in file.expect.values():
            if expected.equals is not None:
                self._rest[expected.tag] = expected.equals
            elif expected.one_of:
                self._rest[expected.tag] = expected.one_of[0]
            else:
                bound = expected.min if expected.min is not None else expected.max
                self._rest[expected.tag] = bound if bound is not None else 0
        self.written: dict[str, Value] = {}
        self.own: dict[str, Value] = {}

    def write(self, name: str, value: Value) -> None:
        """Take what a controller wrote."""
        self.written[name] = value

    def forget(self) -> None:
        """Lose what was written, as outputs do at a power cut."""
        self.written.clear()

    def values(self, sensed: Mapping[str, Value]) -> dict[str, Value]:
        """Give all tags; `sensed` names tags, or the inputs and capabilities that tags play."""
        by_part = {tag: sensed[part] for part, tag in self._file.parts.items() if part in sensed}
        by_name = {name: value for name, value in sensed.items() if name in self._rest}
        return {**self._rest, **self.written, **by_part, **by_name, **self.own}


def _at_rest(tag: Tag) -> Value:
    if tag.safe is not None:
        return tag.safe
    if tag.type is TagType.STRING:
        return ""
    if tag.type is TagType.BOOL:
        return False
    if tag.range is not None and not tag.range[0] <= 0 <= tag.range[1]:
        return tag.range[0]
    return tag.offset if tag.is_scaled else 0
