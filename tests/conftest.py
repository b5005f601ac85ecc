"""Fixtures that several rings share."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real photos, annotations and face models; a test that asks for it skips without."""
    root = os.environ.get("FACEMILL_DATA")
    if not root:
        pytest.skip("FACEMILL_DATA is unset; set it to the folder of the shared data")
    return Path(root)
