"""A face of 70 vertices with 40 and 10 modes, and parameters that place it in a crop."""

from dataclasses import replace

import numpy as np
from stage_world import model as dome

from pipeline.geometry.camera import pose_matrix
from pipeline.geometry.frames import CropTransform
from pipeline.morphable import MorphableModel
from pipeline.morphable.params62 import crop_camera, join


def face(shape: int = 40, expression: int = 10) -> MorphableModel:
    """The dome, its keypoints in another order, with modes drawn at random that move vertices by about 900."""
    rng = np.random.default_rng(2)
    return replace(
        dome(),
        keypoints=rng.permutation(70)[:68].astype(np.int32),
        shape_basis=rng.normal(0, 900, (70, 3, shape)).astype(np.float32),
        shape_sigma=np.ones(shape),
        expression_basis=rng.normal(0, 900, (70, 3, expression)).astype(np.float32),
        expression_sigma=np.ones(expression),
    )


def parameters(count: int = 3, side: int = 120, seed: int = 3) -> np.ndarray:
    """Raw (count, 62) of faces that fill about half of a crop with this side."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        pose = np.r_[
            rng.uniform(-0.7, 0.7, 3), rng.normal(222, 4, 2), rng.normal(0, 50), rng.normal(1.1e-3, 5e-5)
        ]
        camera = crop_camera(pose_matrix(pose), 450, CropTransform(0.55 * side / 120, 224, 221, side))
        rows.append(join(camera, rng.normal(0, 2, 40), rng.normal(0, 1, 10)))
    return np.array(rows)
