"""Says which values a tag can show at all, by its type, scale and range. Pure."""

from __future__ import annotations

from plc.tags.model import BITS_A_WORD, Condition, Scalar, Tag, TagType

FLOATS = (TagType.F32, TagType.F64)


def raw_bounds(tag: Tag) -> tuple[int, int]:
    """Give the least and the greatest raw number of a whole-number tag."""
    if tag.bits is not None:
        return 0, (1 << (tag.bits[1] - tag.bits[0] + 1)) - 1
    bits = BITS_A_WORD * tag.words
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if tag.type.startswith("i") else (0, (1 << bits) - 1)


def scaled_bounds(tag: Tag) -> tuple[float, float]:
    """Give the least and the greatest value of a whole-number tag, before its range is looked at."""
    low, high = (raw * tag.scale + tag.offset for raw in raw_bounds(tag))
    return min(low, high), max(low, high)


def never_holds(condition: Condition, tag: Tag) -> str:
    """Say what a condition should have asked for; "" when the tag can show it."""
    if condition.equals is not None or condition.one_of is not None:
        asked = condition.one_of or (condition.equals,)
        wrong = [_unfit(value, tag) for value in asked if value is not None]
        return wrong[0] if wrong and all(wrong) else ""
    if tag.type is TagType.STRING:
        return "equals or one_of: the tag is a text"
    low, high = condition.min, condition.max
    if low is not None and high is not None and low > high:
        return f"min at most max, not {low:g} to {high:g}"
    ends = _ends(tag)
    if ends is not None and ((low is not None and low > ends[1]) or (high is not None and high < ends[0])):
        return f"what the tag can show: {ends[0]:g} to {ends[1]:g}"
    return ""


def _unfit(value: Scalar, tag: Tag) -> str:
    if isinstance(value, str) != (tag.type is TagType.STRING):
        return f"a value of tag type {tag.type}"
    if isinstance(value, str):
        return ""
    ends = _ends(tag)
    return "" if ends is None or ends[0] <= value <= ends[1] else f"what the tag can show: {ends[0]:g} to {ends[1]:g}"


def _ends(tag: Tag) -> tuple[float, float] | None:
    """Give the ends of what a number tag may show, None for any."""
    if tag.type is TagType.BOOL:
        return 0, 1
    if tag.type in FLOATS:
        return tag.range
    low, high = scaled_bounds(tag)
    return (max(low, tag.range[0]), min(high, tag.range[1])) if tag.range is not None else (low, high)
