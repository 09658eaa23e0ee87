"""Recordings for tests: small, and right by hand."""

from simulation.recording.rows import (
    ExceptionRow,
    FaultRow,
    Head,
    Jobs,
    MachineRow,
    OrderRow,
    ParcelRow,
    Recording,
    ScannerRow,
)

END_S = 1000.0


def recording(seed=1, count=4, flow_s=100.0, scenario="one", site="demo", lpn="PL", **head):
    """A shift whose parcels come every 200 s and take `flow_s` and 10 s more each."""
    ways = [(200.0 * n, 200.0 * n + flow_s + 10.0 * n) for n in range(count)]
    end_s = max([END_S, *(end for _, end in ways)])
    return Recording(
        head=Head(
            **{
                "site": site,
                "scenario": scenario,
                "seed": seed,
                "orders": count,
                "speed": 20.0,
                "command": f"packline sim run --seed {seed}",
                "ended_s": end_s,
                "is_well": True,
                **head,
            }
        ),
        machines=(
            machine("packer-1", (0, "setup"), (100, "starved"), (400, "busy"), (900, "blocked")),
            machine("arm-1", (0, "down"), (500, "waiting"), (600, "busy"), (800, "held"), (900, "starved")),
        ),
        parcels=tuple(parcel(f"{lpn}{n}", begun, end, n) for n, (begun, end) in enumerate(ways)),
        orders=tuple(OrderRow(id=f"o{n}", came_s=b, ended_s=e, ended="closed") for n, (b, e) in enumerate(ways)),
        exceptions=(
            ExceptionRow(
                code=3001, fault="no-read", station="pack-1", subject="x", opened_s=10, closed_s=70, action="retry"
            ),
            ExceptionRow(code=3001, fault="no-read", station="pack-1", subject="y", opened_s=100),
        ),
        faults=(FaultRow(at_s=20, device="packer-1", fault="jam", until_s=60),),
        scanners=(ScannerRow(name="scan-pack", first=8, read=6, again=2),),
    )


def machine(name, *states):
    jobs = {"seal": Jobs(well=8, failed=2, took_s=400.0, planned_s=40.0)}
    return MachineRow(name=name, model="m", station="pack-1", states=states, jobs=jobs, undone=1)


def parcel(lpn, begun, ended, n):
    return ParcelRow(
        lpn=lpn,
        order=f"o{n}",
        begun_s=begun,
        ended_s=ended,
        ended="left",
        visits=((begun, "hands"), (begun + 10, "infeed:pack-1"), (begun + 20, "pack-1")),
        marks=((begun + 30, "sealed"), (ended, "left")),
        labels=1 + (n == 0),
        is_verified=True,
    )
