"""Packs of 68 landmarks on a small dome, and the setup of a task on them."""

from pathlib import Path

import cv2
import numpy as np
from target_cases import model as dome

from pipeline.config import TargetSettings, TrainingSettings
from pipeline.io import hdf5
from pipeline.records import PACK
from pipeline.registry import TARGETS
from pipeline.seeding import rng
from pipeline.training.batches import Packs
from pipeline.training.task import Setup

SIDE, CROP = 64, 96
TARGET = TARGETS["landmarks"](TargetSettings(kind="landmarks", size=SIDE))
QUIET = {"rotation": 0, "translation": 0, "scale": [1, 1], "colour": [1, 1], "occlusion": 0, "flip": 0}
TRAINING = {"batch_size": 4, "threads": 1, "precision": "fp32"}


def shape() -> np.ndarray:
    """68 landmarks (68, 3) of a face without a name, about the origin, px."""
    return rng("shape").normal(0, [10, 10, 4], (68, 3))


def save_pack(path: Path, samples: int, seed: int) -> None:
    """Crops with a bright patch where the landmarks' mean lies; detected points are a little off the true ones."""
    contract = PACK.extended(**TARGET.fields)
    with hdf5.create(
        path, contract, samples, {"F": CROP, "C": 3, "Ks": 2, "Ke": 1}, TARGET.attributes
    ) as file:
        for k in range(samples):
            random = rng("landmarks", seed, k)
            points = shape() + np.array([*random.uniform(24, 40, 2), 0])
            points[:, 2] -= points[:, 2].min()
            crop = (points[:, :2] + 0.5) * (CROP / SIDE) - 0.5
            image = np.full((CROP, CROP, 3), 40, np.uint8)
            cv2.circle(image, crop.mean(0).astype(int).tolist(), 12, (220, 180, 160), -1)
            file["face"][k], file["picture"][k], file["group"][k] = f"p{k}#0", f"p{k}", f"g{k}"
            file["image"][k], file["landmarks"][k] = image, points
            file["transform"][k] = [1.0, 200 + (CROP - 1) / 2, 100 + (CROP - 1) / 2, CROP]
            file["detected68"][k] = crop + np.array([200, 100]) + random.normal(0, 0.5, (68, 2))


def setup(path: Path, samples: int = 8, points: bool = False, channels: int = 1, **training) -> Setup:
    """The setup of a task whose training and held-out faces are those of one pack, made where it is missing."""
    if not path.exists():
        save_pack(path, samples, 0)
    packs = Packs([path], TARGET, 100)
    settings = TrainingSettings.model_validate({**TRAINING, **training})
    return Setup(packs, packs, None, dome(), TARGET, settings, 0, SIDE, "edge", channels, points)
