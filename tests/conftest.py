"""What holds for every test: numpy and torch compute with one thread, set before either is imported."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from tests.project import Project, fresh


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Project:
    """The project after ``snakemake`` on a handful of pictures. Copy it before changing it."""
    project = fresh(tmp_path_factory.mktemp("base") / "project")
    done = project.snakemake()
    assert done.returncode == 0, done.stdout + done.stderr
    return project
