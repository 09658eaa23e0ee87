"""What every test shares: the Hypothesis profiles. Choose one with HYPOTHESIS_PROFILE=ci|dev|deep."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=50,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=60, help="how many processes the crash tests kill (make crash N=...)")
    parser.addoption(
        "--campaign-seeds",
        type=int,
        default=0,
        help="seeds in which a campaign looks for a planted fault (make crash SEEDS=...)",
    )
    parser.addoption(
        "--shifts", type=int, default=0, help="seeds that the controller must pass as it is (make crash SHIFTS=...)"
    )
    parser.addoption(
        "--model-runs",
        type=int,
        default=500,
        help="random runs of the protocol beyond the suite's (make crash RUNS=...)",
    )
