"""The list of points knows at which no run has died yet, and which of them a long campaign may not leave out."""

from pathlib import Path

from tests.crash.campaign import Catalogue
from tests.crash.hall import Run
from tests.crash.nursery import Child

AT = "2026-11-21T09:00:00+00:00"
WAY, RARE, STARTING = "after commit of ParcelPacked", "after commit of ParcelHeld", "before claim of packer-1"


def run_that_passed(folder: Path, number: int, *points: str) -> Run:
    log = folder / f"points-{number}.log"
    log.write_text("".join(f"{AT} {point}\n" for point in points), "utf-8")
    return Run(number=number, child=Child(0, lambda _: None), points=log, begun=0.0)


def test_a_point_that_many_runs_passed_and_none_died_at_is_left_out(tmp_path: Path) -> None:
    catalogue = Catalogue()
    for number in range(3):
        catalogue.learn(run_that_passed(tmp_path, number, STARTING, WAY, WAY))
    catalogue.learn(run_that_passed(tmp_path, 3, STARTING, RARE))

    assert catalogue.left_out(3) == [WAY]
    assert catalogue.left_out(1) == [RARE, WAY]


def test_a_point_at_which_a_run_died_is_not_left_out(tmp_path: Path) -> None:
    catalogue = Catalogue()
    catalogue.learn(run_that_passed(tmp_path, 0, WAY, f"KILLED {WAY}"))

    assert catalogue.left_out(1) == []
