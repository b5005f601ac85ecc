"""Where the labeller cuts a face out, and where the coordinates of that crop lie in the picture.

3DDFA_V2 rounds the square to whole pixels, stretches what it cut (rounding can leave it a pixel off a square) to 120 x
120, and takes its results back to the picture by the corner and the scale of the square before rounding, without the
half pixel by which resizing moves a pixel's centre. `resample: cv2_uint8` cuts so, and so does `linear`, in floats that
are not rounded; `pixels: 3ddfa_v2` goes back so. `exact` cuts the square itself, without aliasing, and goes by pixel
edges. Spec prn_vrn F.2, F.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.config import TddfaSettings
from pipeline.geometry.boxes import box_centre, box_size
from pipeline.geometry.frames import CropTransform, Roi120
from pipeline.geometry.resample import crop_image, sample, stretch
from pipeline.records import FacemillError

LEAST = 4.0
"""px: no face that one can see is cut by a smaller square."""
MOST = 10.0
"""Longer sides of the picture: no face in it needs a larger square."""


@dataclass(frozen=True)
class Roi:
    """The square of one face. cut: the pixels; frame: picture px -> px of the crop as the network means them; mode:
    how the pixels are resampled; edges: the peers' rectangle of whole pixels (first and one beyond the last), if any,
    in place of `cut`."""

    cut: CropTransform
    frame: CropTransform
    mode: str = "exact"
    edges: tuple[int, int, int, int] | None = None

    def crop(self, image: np.ndarray) -> np.ndarray:
        """The network's crop (120, 120, 3) of a picture (h, w, 3) uint8, black outside it: uint8 as the peers have it,
        else float32 in 0..255, not rounded, so that a hair's breadth between two squares stays one in the result."""
        if self.edges is not None:
            return _stretched(image, self.edges, self.cut.size, self.mode)
        if self.mode != "cv2_uint8":
            return sample(image, self.cut, "zero", 1.0 if self.mode == "linear" else None)
        return crop_image(image, self.cut, "zero", self.mode)


def first_roi(
    box: np.ndarray,
    landmarks: np.ndarray,
    whole: bool,
    picture: tuple[int, int],
    settings: TddfaSettings,
) -> Roi:
    """The square of a detected face: the picture (height, width) itself where it is a crop already, else about the
    landmarks (68, 2), else (`roi: box`, or landmarks that are NaN) about the box (4,).

    FacemillError for a box or landmarks without area, or of an impossible size.
    """
    if whole:
        cut = CropTransform.whole(*picture, Roi120.size)
        return Roi(cut, _frame(cut, cut.window() + 0.5, settings), settings.resample)
    if settings.roi == "landmarks" and np.isfinite(landmarks).all():
        return roi_of_landmarks(landmarks, picture, settings)
    cut = Roi120.from_box(box, legacy=settings.resample != "exact")
    square = Roi120.from_box(box).window()
    if settings.resample != "exact":
        half = int(1.58 * box_size(box).mean()) / 2
        square = np.concatenate([box_centre(square) - half, box_centre(square) + half])
    return _roi(cut, square, picture, settings)


def roi_of_landmarks(landmarks: np.ndarray, picture: tuple[int, int], settings: TddfaSettings) -> Roi:
    """The square about landmarks (68, 2|3) in px of a picture (height, width)."""
    cut = Roi120.from_landmarks(landmarks, legacy=settings.resample != "exact")
    return _roi(cut, Roi120.from_landmarks(landmarks).window(), picture, settings)


def _roi(cut: CropTransform, square: np.ndarray, picture: tuple[int, int], settings: TddfaSettings) -> Roi:
    side = float(square[2] - square[0])
    if not LEAST <= side <= MOST * max(picture):
        raise FacemillError(
            f"expected a square of {LEAST:g} px to {MOST:g} times the picture's side, found {side:.4g}"
        )
    if settings.resample == "exact":
        return Roi(cut, _frame(cut, square + 0.5, settings))
    edges = None
    if settings.pixels == "3ddfa_v2":
        edges = tuple(int(edge) for edge in np.round(square))
    # the peers count pixels from the first edge: the corner's numbers are the place of the first pixel's centre
    return Roi(cut, _frame(cut, square, settings), settings.resample, edges)


def _frame(cut: CropTransform, corner: np.ndarray, settings: TddfaSettings) -> CropTransform:
    """The crop's coordinates: of `cut` itself, or with pixel (0, 0) at the corner x1, y1, x2, y2."""
    if settings.pixels == "exact":
        return cut
    scale = cut.size / (corner[2] - corner[0])
    centre = corner[:2] + (cut.size - 1) / (2 * scale)
    return CropTransform(float(scale), float(centre[0]), float(centre[1]), cut.size)


def _stretched(image: np.ndarray, edges: tuple[int, int, int, int], size: int, mode: str) -> np.ndarray:
    left, top, right, bottom = edges
    height, width = image.shape[:2]
    patch = np.zeros((bottom - top, right - left, 3), np.uint8)
    x1, x2, y1, y2 = max(left, 0), min(right, width), max(top, 0), min(bottom, height)
    if x2 > x1 and y2 > y1:
        patch[y1 - top : y2 - top, x1 - left : x2 - left] = image[y1:y2, x1:x2]
    if mode == "linear":
        return stretch(patch, size)
    import cv2

    return cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR)
