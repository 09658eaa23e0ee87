"""What tests of the virtual people share."""

import pytest

from tests.people import rig


@pytest.fixture
def hall():
    """Give a hall without machines; needs a running loop only when somebody works."""
    return rig.Floor()


@pytest.fixture
async def stage():
    """Give a hall inside a running loop."""
    return rig.Floor()


@pytest.fixture(scope="session")
def say():
    return rig.say
