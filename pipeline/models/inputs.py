"""From a stored crop to what a network sees: the same in training and afterwards."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import sample


def network_input(image: np.ndarray, size: int) -> np.ndarray:
    """A crop (F, F, 3) uint8 as the network sees it: (3, S, S) float32 in [0, 1], its pixel edges on the crop's."""
    side = image.shape[0]
    if side == size:
        scaled = image.astype(np.float32)
    else:
        middle = (side - 1) / 2
        scaled = sample(image, CropTransform(size / side, middle, middle, size), "edge")
    return np.ascontiguousarray(np.clip(scaled / 255.0, 0.0, 1.0).transpose(2, 0, 1), dtype=np.float32)
