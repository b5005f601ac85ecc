"""From a stored crop to what a network sees: the same in training and afterwards."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import sample, to_gray
from pipeline.records import FacemillError


def require_channels(network: object, found: int, where: str) -> None:
    """`FacemillError` where the crops at `where` are gray and the network takes colour: its `channels`, else 3."""
    expected = getattr(network, "channels", 3)
    if found < expected:
        raise FacemillError(
            f"{where}: expected crops of {expected} channels for {type(network).__name__}, found {found} (gray); set "
            "the model's frame to one with the colour that the network takes"
        )


def network_points(points: np.ndarray, side: int, size: int) -> np.ndarray:
    """Detected landmarks (68, 2) px of a crop with this side as the network sees them: float32 px of its S x S input.

    `FacemillError` where the detector looked for none.
    """
    if not np.isfinite(points).all():
        raise FacemillError(
            "expected the detected landmarks of every face, which this network takes as its input; found faces "
            "without; set detection.detector to one that looks for landmarks"
        )
    return ((np.asarray(points, np.float64) + 0.5) * (size / side) - 0.5).astype(np.float32)


def network_input(image: np.ndarray, size: int, channels: int = 3) -> np.ndarray:
    """A crop (F, F, C) uint8 as the network sees it: (C, S, S) float32 in [0, 1], its pixel edges on the crop's.

    channels: that the network takes; of a crop in colour a network with one sees the luma.
    """
    if channels == 1 and image.shape[2] == 3:
        image = to_gray(image)
    side = image.shape[0]
    if side == size:
        scaled = image.astype(np.float32)
    else:
        middle = (side - 1) / 2
        scaled = sample(image, CropTransform(size / side, middle, middle, size), "edge")
    return np.ascontiguousarray(np.clip(scaled / 255.0, 0.0, 1.0).transpose(2, 0, 1), dtype=np.float32)
