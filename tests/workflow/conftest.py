"""One small run of the whole chain, shared by the tests that look at it or change something in a copy of it."""

import pytest

from tests.project import TARGET, Project, fresh


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Project:
    """The project after ``snakemake results/eval/prn.json`` on a handful of pictures. Copy it before changing it."""
    project = fresh(tmp_path_factory.mktemp("base") / "project")
    done = project.snakemake(TARGET)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def project(base, tmp_path) -> Project:
    """A copy of the base run that a test may change."""
    return base.copy(tmp_path / "project")
