"""What a station asks of its machine: jobs to give it, and inputs to look at before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from controller.site import StationPart
from packline.core.effects import KINDS
from packline.core.faults import Fault
from plc.machine_file import MachineFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The jobs of a station's machine, and its inputs by their names or as parts; those of lanes once for each lane N."""

    jobs: Sequence[str]
    inputs: Sequence[str]
    of_lanes: Sequence[str] = ()


MACHINE_NEEDS: Mapping[str, Needs] = {
    "turntable": Needs(jobs=("turn",), inputs=("item_present",)),
    "pack": Needs(jobs=("seal",), inputs=("carton_present", "outfeed_full")),
    "print_apply": Needs(
        jobs=("apply", "eject", "discard"),
        inputs=("parcel_present", "label_at_peel", "label_on_pad"),
        of_lanes=("laneN_full",),
    ),
    "courier_gate": Needs(jobs=("release", "light"), inputs=("parcel_present",)),
}


def need_faults(where: str, place: StationPart, machine: str, file: MachineFile) -> Iterator[Fault]:
    """Say of each job and each input that a station needs and its machine's file lacks."""
    needs = MACHINE_NEEDS.get(place.kind)
    if needs is None:
        return
    expected = f"jobs {', '.join(needs.jobs)} (of {', '.join(sorted(KINDS))})"
    for job in needs.jobs:
        if job not in file.jobs:
            yield Fault(4201, where=where, seen=f"{machine} without job {job}", expected=expected)
    if file.machine.kind:  # a class of its own may show inputs that no file names
        return
    lanes = sorted(set(place.lanes.values()))
    inputs = (*needs.inputs, *(name.replace("N", str(lane)) for name in needs.of_lanes for lane in lanes))
    for name in inputs:
        if name not in file.inputs and name not in file.capability:
            remedy = f'Say in its machine file which tag or input plays it: [capability], {name} = "NAME".'
            seen = f"{machine} without input {name}"
            yield Fault(4201, where=where, seen=seen, expected=f"inputs {', '.join(inputs)}", remedy=remedy)
