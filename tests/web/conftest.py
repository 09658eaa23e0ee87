"""A dashboard on a temporary database, empty or furnished."""

import pytest

from tests.web.stage import Stage, furnished_stage


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.close()


@pytest.fixture
def furnished(tmp_path):
    made = furnished_stage(tmp_path)
    yield made
    made.close()
