"""Tests on real data: the folder that FACEMILL_DATA names, or a skip that says so."""

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.registry import DATASETS, FACE_MODELS


@pytest.fixture(scope="session")
def data():
    root = os.environ.get("FACEMILL_DATA")
    if not root or not Path(root, "aflw2000-dev").is_dir():
        pytest.skip("FACEMILL_DATA names no folder with the shared real data")
    return Path(root)


@pytest.fixture(scope="session")
def bfm(data):
    return FACE_MODELS["npz"](data / "bfm" / "bfm_sim.npz")


@pytest.fixture(scope="session")
def labels(data):
    return dict(np.load(data / "aflw2000-dev" / "labels.npz"))


@pytest.fixture(scope="session")
def annotations(data):
    """The 400 annotations in sorted order, as the reader gives them."""
    reader = DATASETS["aflw2000_3d"]()
    root = data / "aflw2000-dev"
    return [reader.annotation(root / p.annotations[0], 450) for p in reader.pictures(root)]
