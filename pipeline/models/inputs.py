"""From a stored crop to what a network sees: the same in training and afterwards."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import sample
from pipeline.records import FacemillError


def require_channels(network: object, found: int, where: str) -> None:
    """`FacemillError` unless the crops at `where` have the channels that the network takes: its `channels`, else 3."""
    expected = getattr(network, "channels", 3)
    if found != expected:
        kind = {1: "gray"}.get(found, "RGB")
        raise FacemillError(
            f"{where}: expected crops of {expected} channels for {type(network).__name__}, found {found} ({kind}); set "
            "the model's frame to one with the colour that the network takes"
        )


def network_input(image: np.ndarray, size: int) -> np.ndarray:
    """A crop (F, F, C) uint8 as the network sees it: (C, S, S) float32 in [0, 1], its pixel edges on the crop's."""
    side = image.shape[0]
    if side == size:
        scaled = image.astype(np.float32)
    else:
        middle = (side - 1) / 2
        scaled = sample(image, CropTransform(size / side, middle, middle, size), "edge")
    return np.ascontiguousarray(np.clip(scaled / 255.0, 0.0, 1.0).transpose(2, 0, 1), dtype=np.float32)
