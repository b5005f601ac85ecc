"""A face of 70 vertices with 40 and 10 modes, parameters that place it in a crop, and packs of them."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from stage_world import model as dome

from pipeline.config import TargetSettings
from pipeline.geometry.camera import pose_matrix
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.morphable import MorphableModel
from pipeline.morphable.params62 import crop_camera, crop_points, join
from pipeline.records import PACK
from pipeline.registry import TARGETS


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


def save_pack(path: Path, samples: int, seed: int, side: int = 32, crop: int = 48) -> None:
    """A pack of noise with the true parameters of a crop of this side, and detections a pixel from the truth."""
    target = TARGETS["params"](TargetSettings(kind="params", size=side))
    contract = PACK.extended(**target.fields)
    dims = {"F": crop, "C": 3, "Ks": 40, "Ke": 10}
    with hdf5.create(path, contract, samples, dims, target.attributes) as file:
        for k, truth in enumerate(parameters(samples, side, seed)):
            random = np.random.default_rng([seed, k])
            coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            landmarks = crop_points(truth, face(), side, keypoints=True)
            landmarks[:, :2] = (landmarks[:, :2] + 0.5) * crop / side - 0.5
            transform = CropTransform(0.5, 40, 40, crop)
            file["face"][k], file["picture"][k], file["group"][k] = f"p{k}#0", f"p{k}", f"g{k}"
            file["image"][k] = cv2.resize(coarse, (crop, crop))
            file["params"][k] = truth
            file["transform"][k] = transform.to_array()
            file["landmarks68"][k] = transform.invert(landmarks)
            file["detected68"][k] = file["landmarks68"][k][:, :2] + random.normal(0, 1, (68, 2))
