"""Depth of landmarks: the crop and a Gaussian for each landmark through the depth network (spec landmarks 2.5, step 6).

The published network knows Gaussians whose peak lies half a pixel above and left of the landmark, at pixel p - 1 for a
landmark p pixels from the crop's edge. Both paths keep that: `library_planes` in face-alignment's whole pixels,
`planes` in floats, equal where p is whole and the window lies inside the crop.
"""

from __future__ import annotations

import numpy as np
import torch

from pipeline.detect.loading import LoadedNetwork

SIDE = 256
RADIUS = 6  # of the window, pixels
SPREAD = 0.25 * (2 * RADIUS + 1)  # standard deviation, pixels


class DepthFinder:
    """The network with its settings: `network` from `loading.load_depth`, `batch` crops at once (each takes about
    20 MB)."""

    def __init__(self, network: LoadedNetwork, batch: int = 16):
        self.network = network.module.eval()
        self.batch = batch

    @torch.inference_mode()
    def find(self, crops: np.ndarray, points: np.ndarray, library: bool = False) -> np.ndarray:
        """Crops (n, 256, 256, 3) uint8 RGB and landmarks (n, 68, 2) in pixels from the crop's outer edge -> depths
        (n, 68) float32 in pixels of the crop, nearer is larger. `library` paints as face-alignment does."""
        depths = np.zeros(points.shape[:2], np.float32)
        for start in range(0, len(crops), self.batch):
            rows = slice(start, start + self.batch)
            heat = library_planes(points[rows]) if library else planes(points[rows])
            rgb = torch.from_numpy(crops[rows]).permute(0, 3, 1, 2).float().div_(255)
            depths[rows] = self.network(torch.cat((rgb, torch.from_numpy(heat)), dim=1)).float().numpy()
        return depths


def planes(points: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Landmarks (B, K, 2) in pixels from the crop's outer edge -> Gaussians (B, K, side, side) float32 of peak 1, cut
    at 6.5 pixels; empty for a landmark that is not within the crop's upper and left edge."""
    pixels = np.arange(side)

    def profile(centre: np.ndarray) -> np.ndarray:
        away = pixels - centre[..., None]
        values = np.exp(-0.5 * (away / SPREAD) ** 2)
        return np.where((away > -RADIUS - 0.5) & (away <= RADIUS + 0.5), values, 0).astype(np.float32)

    inside = (points > 0).all(axis=-1)[..., None]
    columns, rows = profile(points[..., 0] - 1) * inside, profile(points[..., 1] - 1)
    return rows[..., :, None] * columns[..., None, :]


def library_planes(points: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The same as face-alignment paints it: a 13 x 13 kernel at whole pixels, which at the crop's upper and left
    border is cut two rows or columns too late, so that its peak moves inwards."""
    span = np.arange(-RADIUS, RADIUS + 1)
    squares = (span / SPREAD) ** 2 / 2
    kernel = np.exp(-(squares[None, :] + squares[:, None])).astype(np.float32)
    heat = np.zeros((*points.shape[:2], side, side), np.float32)
    first = np.floor(points - RADIUS).astype(np.int64)
    last = np.minimum(np.floor(points + RADIUS).astype(np.int64), side)
    for face, landmark in np.argwhere((points > 0).all(axis=-1)):
        # 1-based and inclusive, as the original counts
        start, stop = np.maximum(first[face, landmark], 1), last[face, landmark]
        if (stop < start).any():
            continue
        skipped = np.maximum(-first[face, landmark], 1) - 1
        size = stop - start + 1
        heat[face, landmark, start[1] - 1 : stop[1], start[0] - 1 : stop[0]] = kernel[
            skipped[1] : skipped[1] + size[1], skipped[0] : skipped[0] + size[0]
        ]
    return heat
