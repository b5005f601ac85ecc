"""A copy of the small base run for each test that changes something in it."""

import pytest

from tests.project import Project


@pytest.fixture
def project(base, tmp_path) -> Project:
    """A copy of the base run that a test may change."""
    return base.copy(tmp_path / "project")
