"""Tag lists as CSV with Kepware's column names, to and from the tags of a machine file. Pure.

Source of the columns and of the address forms: Kepware, "KEPServerEX: importing and exporting tags", "Modbus TCP/IP Ethernet driver:
addressing" (decimal Modicon numbers; `.n` is a bit, `.nH` and `.nL` a string of n characters, high or low byte first).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from pydantic import ValidationError

from packline.core.faults import Fault
from packline.core.files import FileFaults
from plc.links import Area
from plc.machine_file import MachineFile
from plc.tags.model import AddressBase, Order, Poll, Tag, TagType, Wired

COLUMNS = (
    "Tag Name", "Address", "Data Type", "Respect Data Type", "Client Access", "Scan Rate", "Scaling", "Raw Low", "Raw High",
    "Scaled Low", "Scaled High", "Scaled Data Type", "Clamp Low", "Clamp High", "Eng Units", "Description", "Negate Value",
)  # fmt: skip
DATA_TYPES = {
    "Boolean": TagType.BOOL, "Word": TagType.U16, "Short": TagType.I16, "DWord": TagType.U32, "Long": TagType.I32,
    "QWord": TagType.U64, "LLong": TagType.I64, "Float": TagType.F32, "Double": TagType.F64, "String": TagType.STRING,
}  # fmt: skip
NAMES_OF = {kind: name for name, kind in DATA_TYPES.items()} | {TagType.BITS: "Word"}
ACCESS = {"R/W": "rw", "RO": "r", "WO": "w"}
ACCESS_OF = {ours: theirs for theirs, ours in ACCESS.items()}
FIRST = {Area.COIL: 1, Area.DISCRETE: 100_001, Area.INPUT: 300_001, Area.HOLDING: 400_001}
AREAS = {"0": Area.COIL, "1": Area.DISCRETE, "3": Area.INPUT, "4": Area.HOLDING}
READ_ONLY = (Area.INPUT, Area.DISCRETE)
"""Lists often say R/W of everything."""
FAST_MS = 500
"""A tag that is read more often than this is fast."""
DIGITS, ROUNDED = 60, Decimal("1e-40")
"""Of decimal arithmetic: scale and offset are found again from the four corners to the last bit of a float."""
_ADDRESS = re.compile(r"^([0134])(\d{4,5})(?:\.(\d{1,3})([HL]?))?$")


@dataclass(slots=True, kw_only=True)
class TagList:
    """What a list gave: tags by name, what is wrong with it, and what was left out on purpose."""

    tags: dict[str, Tag] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, raw: Mapping[str, Any], where: str) -> None:
        """Take a tag under a name that no other has; or the fault that it has."""
        try:
            tag = Tag.model_validate(raw)
        except ValidationError as error:
            said = "; ".join(str(item["msg"]).removeprefix("Value error, ") for item in error.errors())
            self.faults.append(Fault(4201, where=where, seen=name, expected=said))
            return
        free = own_name(name)
        if free in self.tags:
            self.faults.append(Fault(4201, where=where, seen=name, expected=f"a name of its own: {free} is taken"))
            return
        self.tags[free] = tag

    def whole(self) -> dict[str, Tag]:
        """Give the tags; raises FileFaults if anything is wrong."""
        if self.faults:
            raise FileFaults(self.faults)
        return self.tags


def own_name(name: str) -> str:
    """Give the name as a machine file may have it: letters, digits and underscores."""
    bare = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "tag"
    return bare if not bare[0].isdigit() else f"t_{bare}"


# -- from CSV ----------------------------------------------------------------------------------------------------------


def read_list(text: str, where: str, base: AddressBase | None) -> TagList:
    """Read a list; `base` is how the machine file counts registers, None for OPC UA."""
    text = text.removeprefix("\ufeff")
    rows = csv.DictReader(io.StringIO(text), delimiter=_separator(text))
    found = TagList()
    if missing := {"Tag Name", "Address"} - set(rows.fieldnames or ()):
        seen = ", ".join(rows.fieldnames or ()) or "nothing"
        found.faults.append(Fault(4201, where=where, seen=seen, expected=f"the columns {', '.join(sorted(missing))}"))
        return found
    for row in rows:
        place = f"{where} line {rows.line_num}"
        try:
            raw = dict(_tag(row, base))
        except ValueError as error:
            found.faults.append(Fault(4201, where=place, seen=row.get("Tag Name") or "no name", expected=str(error)))
        else:
            if not row["Tag Name"].strip():
                found.faults.append(Fault(4201, where=place, seen="no name", expected=f"a name for {row['Address']}"))
                continue
            if raw.get("area") in READ_ONLY and raw["access"] != "r":
                found.notes.append(f"{row['Tag Name']}: read only, nobody can write {row['Address']}")
                raw["access"] = "r"
            found.add(row["Tag Name"], raw, place)
    if not found.tags and not found.faults:
        found.faults.append(Fault(4201, where=where, seen="a head and no tags", expected="a line for each tag"))
    return found


def _separator(text: str) -> str:
    """Tell what parts the columns: where a comma stands in numbers, spreadsheets write semicolons."""
    head = text.partition("\n")[0]
    return ";" if ";" in head and "," not in head else ","


def _tag(row: Mapping[str, str], base: AddressBase | None) -> Iterator[tuple[str, Any]]:
    if None in row or row["Address"] is None:
        raise ValueError("as many columns as the first line has")
    address, said = row["Address"].strip(), (row.get("Data Type") or "Default").strip()
    if base is None:
        yield "node", address
    else:
        yield from _place(address, base)
    kind = DATA_TYPES.get(said) or (_default_type(address) if said == "Default" else None)
    if kind is None:
        raise ValueError(f"a data type of ours, not {said}: {', '.join(DATA_TYPES)}")
    if kind is TagType.BOOL and base is not None and address[:1] in "34" and "." not in address:
        raise ValueError(f"a bit of the register: {address}.0 is its lowest")
    yield "type", kind
    yield "access", _of(ACCESS, row.get("Client Access") or "RO", "Client Access")
    yield "poll", Poll.FAST if _number(row, "Scan Rate", "100") < FAST_MS else Poll.SLOW
    yield "unit", (row.get("Eng Units") or "").strip()[:20]
    yield "description", (row.get("Description") or "").strip()
    yield from _scaling(row)


def _default_type(address: str) -> TagType:
    return TagType.BOOL if address[:1] in "01" else TagType.U16


def _place(address: str, base: AddressBase) -> Iterator[tuple[str, Any]]:
    found = _ADDRESS.match(address)
    if found is None:
        raise ValueError(f"an address like 400001, 300001.5 or 400001.20H, not {address!r}")
    area, number = AREAS[found[1]], int(found[2])
    if number < 1 or number > 65_536:
        raise ValueError(f"a register from 1 to 65536, not {address!r}")
    yield "area", area
    yield "address", FIRST[area] - 1 + number if base == "modicon" else number - 1 + base
    if found[4]:
        yield "length", -(-int(found[3]) // 2)
        yield "order", Order.ABCD if found[4] == "H" else Order.BADC
    elif found[3] is not None:
        yield "bit", int(found[3])


def _scaling(row: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    kind = (row.get("Scaling") or "None").strip()
    if kind not in ("None", "Linear"):
        raise ValueError(f"Scaling None or Linear, not {kind}")
    sign = -1 if _flag(row, "Negate Value") else 1
    if kind == "None":
        yield "scale", float(sign)
        return
    corners = [_number(row, name, default) for name, default in _CORNERS]
    raw_low, raw_high, low, high = corners
    if raw_low == raw_high:
        raise ValueError("Raw High above Raw Low")
    with localcontext() as context:
        context.prec = DIGITS
        scale = (high - low) / (raw_high - raw_low)
        offset = low - raw_low * scale
        if abs(offset) <= abs(low) * ROUNDED:
            offset = Decimal(0)
    yield "scale", sign * float(scale)
    yield "offset", sign * float(offset) + 0.0
    if _flag(row, "Clamp Low") and _flag(row, "Clamp High"):
        ends = sorted((sign * _plain(low), sign * _plain(high)))
        yield "range", (ends[0], ends[1])


_CORNERS = (("Raw Low", "0"), ("Raw High", "1000"), ("Scaled Low", "0"), ("Scaled High", "1000"))


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() and "." not in str(number) else float(number)


def _number(row: Mapping[str, str], column: str, default: str) -> Decimal:
    text = (row.get(column) or default).strip()
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"a number in {column}, not {text!r}") from None
    if not number.is_finite():
        raise ValueError(f"a number in {column}, not {text!r}")
    return number


def _flag(row: Mapping[str, str], column: str) -> bool:
    return _of({"1": "yes", "0": "", "True": "yes", "False": ""}, row.get(column) or "0", column) == "yes"


def _of(known: Mapping[str, str], text: str, column: str) -> str:
    if text.strip() not in known:
        raise ValueError(f"{column}: one of {', '.join(known)}, not {text!r}")
    return known[text.strip()]


# -- to CSV ------------------------------------------------------------------------------------------------------------


def write_list(file: MachineFile) -> tuple[str, list[str]]:
    """Give the list of a machine's tags, and a line for everything that such a list cannot say."""
    text, losses = io.StringIO(), []
    rows = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    rows.writeheader()
    for name, wired in file.wired.items():
        rows.writerow(_row(file, name, wired))
        losses += [f"{name}: {what}" for what in _losses(file, wired)]
    return text.getvalue(), losses


def _row(file: MachineFile, name: str, wired: Wired) -> dict[str, object]:
    tag, head = wired.tag, file.machine
    return {
        "Tag Name": name,
        "Address": _address(wired),
        "Data Type": NAMES_OF[tag.type],
        "Respect Data Type": 1,
        "Client Access": ACCESS_OF[str(tag.access)],
        "Scan Rate": head.poll_ms if tag.poll is Poll.FAST else max(head.slow_poll_ms, FAST_MS),
        **_scaled(tag),
        "Eng Units": tag.unit,
        "Description": tag.description,
    }


def _address(wired: Wired) -> str:
    if wired.node[1]:
        return f"nsu={wired.node[0]};{wired.node[1]}"
    place = f"{FIRST[wired.area] + wired.start:06d}"
    if wired.tag.type is TagType.STRING:
        return f"{place}.{2 * wired.count}{'H' if wired.order is Order.ABCD else 'L'}"
    return place if wired.tag.bit is None else f"{place}.{wired.tag.bit}"


def _scaled(tag: Tag) -> dict[str, object]:
    is_linear = tag.is_scaled or tag.range is not None
    if not is_linear:
        return {"Scaling": "None", "Negate Value": 0}
    with localcontext() as context:
        context.prec = DIGITS
        scale, offset = Decimal(repr(tag.scale)), Decimal(repr(tag.offset))
        if tag.range is not None and tag.range[0] < tag.range[1]:
            low, high = (Decimal(repr(end)) for end in tag.range)
            raw_low, raw_high = (low - offset) / scale, (high - offset) / scale
        else:
            raw_low, raw_high, low, high = Decimal(0), Decimal(1), offset, offset + scale
    clamp = int(tag.range is not None and tag.range[0] < tag.range[1])
    return {
        "Scaling": "Linear",
        "Raw Low": raw_low,
        "Raw High": raw_high,
        "Scaled Low": low,
        "Scaled High": high,
        "Scaled Data Type": "Double",
        "Clamp Low": clamp,
        "Clamp High": clamp,
        "Negate Value": 0,
    }


def _losses(file: MachineFile, wired: Wired) -> Iterator[str]:
    tag, usual = wired.tag, file.machine.word_order
    if tag.bits is not None or tag.type is TagType.BITS:
        yield "a bit field is written as its whole register"
    if wired.count > 1 and tag.type is not TagType.STRING and wired.order is not usual:
        yield f"its order {wired.order} is not the device's {usual}"
    if wired.count == 1 and tag.type is not TagType.STRING and wired.order is Order.BADC:
        yield "its bytes are swapped"
    if tag.range is not None and tag.range[0] == tag.range[1]:
        yield "a range of one value"
    if tag.poll is Poll.ONCE:
        yield "it is read once, here slowly"
    unsayable = {"safe": tag.safe is not None, "sentinels": bool(tag.sentinels), "no_merge": tag.no_merge}
    for what in (name for name, is_said in unsayable.items() if is_said):
        yield f"`{what}` has no column"
