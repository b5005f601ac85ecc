"""FAN at work: from a box to 68 landmarks, with face-alignment's cropping in floats or, to compare, in its integers.

A box of width w and height h gives a square of side 200 (w + h) / 195 about a centre 0.12 h above the box's own
(spec landmarks 2.5). The square is resampled once to the network's side; what lies outside the picture is black.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from pipeline.detect import heatmaps
from pipeline.detect.loading import LoadedNetwork
from pipeline.geometry.frames import CropTransform, Fan256
from pipeline.geometry.resample import crop_image
from pipeline.models.fan import DOWNSCALE

LIFT = 0.12  # of the box's height
SQUARE = 200.0
REFERENCE = 195.0
LIBRARY_SIDE = 256


def crop_transform(box: np.ndarray, side: int, reference: float = REFERENCE) -> CropTransform:
    """The square of a box (4,) x1, y1, x2, y2 in picture pixels, as the transform to a crop of `side` pixels: the
    frame fan256 at another size, and for detectors whose boxes are tighter another `reference`."""
    square = Fan256.from_detection(None, np.asarray(box, np.float64)).resized(side)
    return CropTransform(square.scale * reference / REFERENCE, square.cx, square.cy, side)


def to_cells(points: np.ndarray) -> np.ndarray:
    """Points of a crop in pixels -> the same in heat-map cells."""
    return (points + 0.5) / DOWNSCALE - 0.5


def from_cells(points: np.ndarray) -> np.ndarray:
    """Inverse of `to_cells`."""
    return (points + 0.5) * DOWNSCALE - 0.5


class LandmarkFinder:
    """The network with its settings.

    `network` from `loading.load_fan`; `decode` "subpixel", "quarter" or "library"; `flip` adds a pass over the
    mirrored crop (the mean of both, the sum in "library" as there); `batch` crops go through at once.
    """

    def __init__(self, network: LoadedNetwork, decode: str = "subpixel", flip: bool = False, batch: int = 16):
        self.network = network.module.to(memory_format=torch.channels_last).eval()
        self.side = int(network.card["side"])
        self.reference = float(network.card.get("reference", REFERENCE))
        self.activation = network.card.get("activation")
        self.decode, self.flip, self.batch = decode, flip, batch

    def find(
        self, pictures: Sequence[np.ndarray], boxes: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """A picture (h, w, 3) uint8 RGB and a box (4,) for each face -> landmarks (n, 68, 2) float32 in pixels of
        the pictures, 0-based, and heat-map peaks (n, 68) float32."""
        landmarks = np.zeros((len(boxes), 68, 2), np.float32)
        scores = np.zeros((len(boxes), 68), np.float32)
        for start in range(0, len(boxes), self.batch):
            rows = slice(start, start + self.batch)
            landmarks[rows], scores[rows] = self._pass(pictures[rows], boxes[rows])
        return landmarks, scores

    def _pass(
        self, pictures: Sequence[np.ndarray], boxes: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.decode == "library":
            squares = [library_square(box, self.reference) for box in boxes]
            crops = [library_crop(p, *square, self.side) for p, square in zip(pictures, squares, strict=True)]
            return library_decode(self._heatmaps(np.stack(crops)), squares)
        transforms = [crop_transform(box, self.side, self.reference) for box in boxes]
        crops = [crop_image(p, t, "zero") for p, t in zip(pictures, transforms, strict=True)]
        cells, scores = heatmaps.decode(self._heatmaps(np.stack(crops)), self.decode)
        points = from_cells(cells)
        return np.stack([t.invert(p) for t, p in zip(transforms, points, strict=True)]), scores

    @torch.inference_mode()
    def _heatmaps(self, crops: np.ndarray) -> np.ndarray:
        """Crops (B, S, S, 3) uint8 -> heat-maps (B, 68, S/4, S/4) float32."""
        x = torch.from_numpy(crops).permute(0, 3, 1, 2).float().div_(255)
        maps = self._activated(x)
        if not self.flip:
            return maps
        total = maps + heatmaps.mirrored(self._activated(x.flip(-1)))
        return total if self.decode == "library" else total / 2

    def _activated(self, x: torch.Tensor) -> np.ndarray:
        maps = self.network(x.contiguous(memory_format=torch.channels_last))[-1].float()
        if self.activation is not None:
            maps = activate(maps, float(self.activation["sigma"]))
        return maps.contiguous().numpy()


def activate(maps: torch.Tensor, sigma: float) -> torch.Tensor:
    """Network outputs (B, K, h, w) trained by cross entropy -> heat-maps in which a certain answer is the Gaussian
    of `sigma` cells and peak 1 that face-alignment's networks paint: the softmax over all cells times
    2 pi sigma^2."""
    return maps.float().flatten(2).softmax(-1).view(maps.shape) * (2 * np.pi * sigma**2)


def library_square(box: np.ndarray, reference: float = REFERENCE) -> tuple[np.ndarray, float]:
    """Centre (2,) and scale of a box, as face-alignment computes them."""
    x1, y1, x2, y2 = (float(value) for value in box)
    centre = np.array([x2 - (x2 - x1) / 2, y2 - (y2 - y1) / 2 - LIFT * (y2 - y1)])
    return centre, (x2 - x1 + y2 - y1) / reference


def _library_corner(value: float, centre: np.ndarray, scale: float, side: int) -> np.ndarray:
    """The crop point (value, value) as a picture point, in single precision and cut to whole pixels."""
    square = SQUARE * scale
    forward = torch.eye(3)
    forward[0, 0] = forward[1, 1] = side / square
    forward[:2, 2] = torch.from_numpy(side * (-centre / square + 0.5))
    point = torch.linalg.inv(forward) @ torch.tensor([value, value, 1.0])
    return point[:2].int().numpy()


def library_crop(
    picture: np.ndarray, centre: np.ndarray, scale: float, side: int = LIBRARY_SIDE
) -> np.ndarray:
    """face-alignment's crop (S, S, 3), at the `side` that the network was trained at (the published ones at 256): its
    corners cut to whole pixels, black outside, OpenCV's bilinear."""
    left, top = _library_corner(1.0, centre, scale, side)
    right, bottom = _library_corner(float(side), centre, scale, side)
    height, width = picture.shape[:2]
    patch = np.zeros((bottom - top, right - left, 3), np.uint8)
    x0, x1, y0, y1 = max(left, 0), min(right, width), max(top, 0), min(bottom, height)
    if x1 > x0 and y1 > y0:
        patch[y0 - top : y1 - top, x0 - left : x1 - left] = picture[y0:y1, x0:x1]
    return cv2.resize(patch, (side, side), interpolation=cv2.INTER_LINEAR)


def library_decode(
    maps: np.ndarray, squares: Sequence[tuple[np.ndarray, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Heat-maps (B, 68, h, w) and the squares they were cut from -> landmarks (B, 68, 2), whole pixels as in
    face-alignment, and peaks (B, 68)."""
    cells, scores = heatmaps.decode(maps, "quarter")
    side = maps.shape[-1]
    points = []
    for cell, (centre, scale) in zip(cells + 0.5, squares, strict=True):
        square = SQUARE * scale
        points.append(np.trunc((cell / side - 0.5) * square + centre))
    return np.stack(points), scores
