"""FAN at work: from a box to 68 landmarks, with face-alignment's cropping in floats or, to compare, in its integers.

A box of width w and height h gives a square of side 200 (w + h) / 195 about a centre 0.12 h above the box's own
(spec landmarks 2.5). The square is resampled once to the network's side; what lies outside the picture is black.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from scipy.linalg import blas, lapack

from pipeline.detect import heatmaps
from pipeline.detect.depth import SIDE, DepthFinder
from pipeline.detect.loading import LoadedNetwork
from pipeline.geometry.frames import CropTransform, Fan256
from pipeline.geometry.resample import crop_image
from pipeline.io.images import as_rgb
from pipeline.losses.heatmaps import activate
from pipeline.models.fan import DOWNSCALE
from pipeline.models.heatmaps import from_cells

LIFT = 0.12  # of the box's height
SQUARE = 200.0
REFERENCE = 195.0
LIBRARY_SIDE = 256


def crop_transform(box: np.ndarray, side: int, reference: float = REFERENCE) -> CropTransform:
    """The square of a box (4,) x1, y1, x2, y2 in picture pixels, as the transform to a crop of `side` pixels: the
    frame fan256 at another size, and for detectors whose boxes are tighter another `reference`."""
    square = Fan256.from_detection(None, np.asarray(box, np.float64)).resized(side)
    return CropTransform(square.scale * reference / REFERENCE, square.cx, square.cy, side)


class LandmarkFinder:
    """The network with its settings.

    `network` from `loading.load_fan`; `decode` "subpixel", "quarter" or "library"; `flip` adds a pass over the
    mirrored crop (the mean of both, the sum in "library" as there); `batch` crops go through at once. `reference`
    is that of the boxes, where they are others than the network's card says; `depth` finds the third coordinate.
    """

    def __init__(
        self,
        network: LoadedNetwork,
        decode: str = "subpixel",
        flip: bool = False,
        batch: int = 16,
        reference: float | None = None,
        depth: DepthFinder | None = None,
    ):
        self.network = network.module.to(memory_format=torch.channels_last).eval()
        self.side = int(network.card["side"])
        self.reference = reference or float(network.card.get("reference", REFERENCE))
        self.activation = network.card.get("activation")
        self.decode, self.flip, self.batch, self.depth = decode, flip, batch, depth

    def find(
        self, pictures: Sequence[np.ndarray], boxes: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A picture (h, w, 3) uint8 RGB (grey and RGBA are converted) and a box (4,) for each face -> landmarks
        (n, 68, 2) float32 in pixels of the pictures, 0-based; heat-map peaks (n, 68) float32; depths (n, 68) float32
        in pixels of the pictures, nearer is larger, the zero arbitrary, NaN without a depth network."""
        landmarks = np.zeros((len(boxes), 68, 2), np.float32)
        scores = np.zeros((len(boxes), 68), np.float32)
        depths = np.full((len(boxes), 68), np.nan, np.float32)
        find = self._library if self.decode == "library" else self._exact
        for start in range(0, len(boxes), self.batch):
            rows = slice(start, start + self.batch)
            landmarks[rows], scores[rows], found = find([as_rgb(p) for p in pictures[rows]], boxes[rows])
            if found is not None:
                depths[rows] = found
        return landmarks, scores, depths

    def _exact(
        self, pictures: Sequence[np.ndarray], boxes: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        transforms = [crop_transform(box, self.side, self.reference) for box in boxes]
        crops = _crops(pictures, transforms)
        cells, scores = heatmaps.decode(self._heatmaps(crops), self.decode)
        points = from_cells(cells, DOWNSCALE)
        landmarks = np.stack([t.invert(p) for t, p in zip(transforms, points, strict=True)])
        if self.depth is None:
            return landmarks, scores, None
        squares = [t.resized(SIDE) for t in transforms]
        crops = crops if self.side == SIDE else _crops(pictures, squares)
        depths = self.depth.find(crops, (points + 0.5) * (SIDE / self.side))
        return landmarks, scores, depths / np.array([[square.scale] for square in squares])

    def _library(
        self, pictures: Sequence[np.ndarray], boxes: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        squares = [library_square(box, self.reference) for box in boxes]
        crops = _library_crops(pictures, squares, self.side)
        maps = self._heatmaps(crops)
        cells, scores = library_cells(maps)
        landmarks = library_points(cells, squares, maps.shape[-1])
        if self.depth is None:
            return landmarks, scores, None
        crops = crops if self.side == SIDE else _library_crops(pictures, squares, SIDE)
        depths = self.depth.find(crops, cells * np.float32(SIDE / maps.shape[-1]), library=True)
        return (
            landmarks,
            scores,
            depths * np.float32([[1 / (SIDE / (SQUARE * scale))] for _, scale in squares]),
        )

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
    patch = np.zeros((max(bottom - top, 1), max(right - left, 1), 3), np.uint8)
    x0, x1, y0, y1 = max(left, 0), min(right, width), max(top, 0), min(bottom, height)
    if x1 > x0 and y1 > y0:
        patch[y0 - top : y1 - top, x0 - left : x1 - left] = picture[y0:y1, x0:x1]
    return cv2.resize(patch, (side, side), interpolation=cv2.INTER_LINEAR)


def library_cells(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heat-maps (B, 68, h, w) -> places (B, 68, 2) float32 in cells from the map's outer edge, and peaks (B, 68)."""
    cells, scores = heatmaps.decode(maps, "quarter")
    return (cells + 0.5).astype(np.float32), scores


def library_points(cells: np.ndarray, squares: Sequence[tuple[np.ndarray, float]], side: int) -> np.ndarray:
    """Places (B, 68, 2) in maps of `side` cells and the squares they were cut from -> landmarks (B, 68, 2), cut to
    whole pixels. A landmark on a whole pixel falls to either side by the last bit, so that every step is the
    original's: a pseudo-inverse by singular values, through the same LAPACK and BLAS."""
    points = np.zeros(cells.shape, np.float64)
    for k, (centre, scale) in enumerate(squares):
        square = SQUARE * scale
        forward = np.eye(3)
        forward[0, 0] = forward[1, 1] = side / square
        forward[:2, 2] = side * (-centre / square + 0.5)
        left, values, right, _ = lapack.dgesdd(forward, full_matrices=0)
        scaled = np.asfortranarray(right * (1 / values)[:, None])
        inverse = np.ascontiguousarray(blas.dgemm(1.0, scaled, left, trans_a=1, trans_b=1))
        for j, (x, y) in enumerate(cells[k].astype(np.float64)):
            points[k, j] = blas.dgemv(1.0, inverse.T, np.array([x, y, 1.0]), trans=1)[:2]
    return np.trunc(points)


def _library_crops(
    pictures: Sequence[np.ndarray], squares: Sequence[tuple[np.ndarray, float]], side: int
) -> np.ndarray:
    crops = [library_crop(picture, *square, side) for picture, square in zip(pictures, squares, strict=True)]
    return np.stack(crops)


def _crops(pictures: Sequence[np.ndarray], transforms: Sequence[CropTransform]) -> np.ndarray:
    return np.stack([crop_image(p, t, "zero") for p, t in zip(pictures, transforms, strict=True)])
