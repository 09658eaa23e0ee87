"""The scene of an old picture works in the same folders as the crash campaigns."""

from tests.crash.conftest import folder, pytest_runtest_makereport

__all__ = ["folder", "pytest_runtest_makereport"]
