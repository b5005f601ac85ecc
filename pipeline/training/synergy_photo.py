"""What SynergyNet's training does to its pictures: colours that vary, and now and then most of the face blacked out.

Source: the public training code (github.com/choyingw/SynergyNet, MIT; spec landmarks 3.4), written anew.
"""

from __future__ import annotations

import numpy as np

from pipeline.geometry.resample import LUMA

REGIONS = ("upper left", "upper right", "lower left", "lower right", "left", "right", "centre")


def jittered(
    image: np.ndarray, brightness: float, contrast: float, saturation: float, random: np.random.Generator
) -> np.ndarray:
    """A picture (3, S, S) float32 RGB in [0, 1] with other brightness, contrast and saturation, in random order.

    Each is a factor drawn uniformly from 1 +- the value given: on the picture, on what differs from its mean luma, and
    on what differs from each pixel's luma. After each the picture is cut to [0, 1].
    """
    factors = {
        name: random.uniform(1 - spread, 1 + spread)
        for name, spread in (("brightness", brightness), ("contrast", contrast), ("saturation", saturation))
    }
    for name in random.permutation(list(factors)):
        base = np.zeros(1, np.float32)
        if name != "brightness":
            base = np.tensordot(LUMA, image, axes=1)
        if name == "contrast":
            base = base.mean()
        image = np.clip(base + np.float32(factors[name]) * (image - base), 0, 1)
    return image


def only_a_region(image: np.ndarray, region: str, legacy_lower_right: bool = False) -> np.ndarray:
    """A picture (3, S, S) that is black outside one of REGIONS: a quarter, a half, or the middle half of both sides.

    legacy_lower_right: as the public code, which keeps the upper left quarter for the lower right one.
    """
    side, half, quarter = image.shape[-1], image.shape[-1] // 2, image.shape[-1] // 4
    if legacy_lower_right and region == "lower right":
        region = "upper left"
    rows = columns = slice(0, side)
    if region == "centre":
        rows = columns = slice(quarter, side - quarter)
    if region.startswith(("upper", "lower")):
        rows = slice(0, half) if region.startswith("upper") else slice(half, side)
    if region.endswith(("left", "right")):
        columns = slice(0, half) if region.endswith("left") else slice(half, side)
    out = np.zeros_like(image)
    out[:, rows, columns] = image[:, rows, columns]
    return out
