"""Landmarks out of heat-maps.

A heat-map cell (column i, row j) has its centre at (i, j); a crop of side S and its heat-map of side S / 4 share
their outer pixel edges, so a point x of the crop lies at (x + 1/2) / 4 - 1/2 in cells.
"""

from __future__ import annotations

import numpy as np

MIRRORED = np.concatenate(
    [
        np.arange(16, -1, -1),  # jaw
        np.arange(26, 16, -1),  # brows
        np.arange(27, 31),  # bridge
        np.arange(35, 30, -1),  # nostrils
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],  # eyes
        [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55],  # outer lips
        [64, 63, 62, 61, 60, 67, 66, 65],  # inner lips
    ]
)
"""(68,) the iBUG landmark that each landmark becomes in a mirrored picture."""

_WINDOW = 2


def peaks(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heat-maps (..., h, w) -> cells (..., 2) int of the largest value (column, row; the first of equals) and the
    value (...)."""
    height, width = heatmaps.shape[-2:]
    flat = heatmaps.reshape(*heatmaps.shape[:-2], height * width)
    best = flat.argmax(axis=-1)
    value = np.take_along_axis(flat, best[..., None], axis=-1)[..., 0]
    return np.stack([best % width, best // width], axis=-1), value


def _around(heatmaps: np.ndarray, cells: np.ndarray, radius: int) -> np.ndarray:
    """Windows (..., 2 r + 1, 2 r + 1) about cells (..., 2), zero outside the map."""
    lead = heatmaps.shape[:-2]
    maps = heatmaps.reshape(-1, *heatmaps.shape[-2:])
    padded = np.pad(maps, ((0, 0), (radius, radius), (radius, radius)))
    span = np.arange(2 * radius + 1)
    columns = cells.reshape(-1, 2)[:, 0, None, None] + span[None, None, :]
    rows = cells.reshape(-1, 2)[:, 1, None, None] + span[None, :, None]
    windows = padded[np.arange(len(maps))[:, None, None], rows, columns]
    return windows.reshape(*lead, 2 * radius + 1, 2 * radius + 1)


def decode(heatmaps: np.ndarray, mode: str = "subpixel") -> tuple[np.ndarray, np.ndarray]:
    """Heat-maps (B, K, h, w) -> points (B, K, 2) float64 in cells, and the peaks (B, K).

    `subpixel`: the centre of mass of the positive values within two cells of the peak. `quarter`: the peak moved
    by a quarter of a cell towards the larger neighbour on each axis, as FAN's authors do, where the peak is not on
    the map's border.
    """
    cells, value = peaks(heatmaps)
    points = cells.astype(np.float64)
    if mode == "quarter":
        side = np.array([heatmaps.shape[-1], heatmaps.shape[-2]])
        inside = ((cells > 0) & (cells < side - 1)).all(axis=-1)
        window = _around(heatmaps, cells, 1)
        step = np.stack(
            [window[..., 1, 2] - window[..., 1, 0], window[..., 2, 1] - window[..., 0, 1]], axis=-1
        )
        return points + 0.25 * np.sign(step) * inside[..., None], value
    window = np.maximum(_around(heatmaps, cells, _WINDOW), 0).astype(np.float64)
    span = np.arange(-_WINDOW, _WINDOW + 1)
    total = window.sum(axis=(-2, -1))
    shift = np.stack([(window.sum(axis=-2) * span).sum(-1), (window.sum(axis=-1) * span).sum(-1)], axis=-1)
    return points + np.divide(
        shift, total[..., None], out=np.zeros_like(shift), where=total[..., None] > 0
    ), value


def mirrored(heatmaps: np.ndarray) -> np.ndarray:
    """Heat-maps (..., 68, h, w) of a mirrored crop as those of the crop itself."""
    return heatmaps[..., MIRRORED, :, ::-1]
