"""Frames: named crop recipes, always from the same 68 landmarks (DESIGN 2; spec prn_vrn B.1, E.2, E.7, F.2).

A frame turns the landmarks of one face (image px, 0-based, floats) into a `CropTransform`: a similarity without
rotation from the picture to a square crop. Nothing is truncated to whole pixels; `legacy=True` gives the peers' own
arithmetic, with its truncations, for comparisons with their outputs.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.geometry.boxes import box_centre, box_size, landmark_box
from pipeline.records import FacemillError
from pipeline.registry import FRAMES


@dataclass(frozen=True)
class CropTransform:
    """Picture -> crop: x' = k (x - cx) + (size - 1) / 2, y' likewise, z' = k z; (cx, cy) lands in the middle.

    scale: k, crop pixels per picture pixel; cx, cy: image px (0-based); size: side of the square crop in pixels.
    """

    scale: float
    cx: float
    cy: float
    size: int

    @property
    def offset(self) -> np.ndarray:
        """(2,) translation b of x' = k x + b."""
        return (self.size - 1) / 2 - self.scale * np.array([self.cx, self.cy])

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2|3) of the picture in crop px, float64; a third coordinate is scaled only."""
        out = np.asarray(points, np.float64) * self.scale
        out[..., :2] += self.offset
        return out

    def invert(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2|3) of the crop in px of the picture, float64: the inverse of `apply`."""
        out = np.array(points, np.float64)
        out[..., :2] -= self.offset
        return out / self.scale

    def resized(self, size: int) -> "CropTransform":
        """The same square at another side: pixel edges coincide, x'' = (x' + 0.5) S / size - 0.5."""
        return CropTransform(self.scale * size / self.size, self.cx, self.cy, size)

    def window(self) -> np.ndarray:
        """(4,) x1, y1, x2, y2: the outer pixel edges of the crop in image px."""
        half = self.size / (2 * self.scale)
        return np.array([self.cx - half, self.cy - half, self.cx + half, self.cy + half])

    def to_array(self) -> np.ndarray:
        """(4,) float64 k, cx, cy, size, as the HDF5 files hold it."""
        return np.array([self.scale, self.cx, self.cy, self.size], np.float64)

    @classmethod
    def from_array(cls, values: np.ndarray) -> "CropTransform":
        """The transform that `to_array` wrote."""
        k, cx, cy, size = (float(value) for value in values)
        return cls(k, cx, cy, int(size))

    @classmethod
    def whole(cls, height: int, width: int, size: int) -> "CropTransform":
        """A picture that is the crop's square already: its longer side fills the crop, nothing is cut."""
        return cls(size / max(height, width), (width - 1) / 2, (height - 1) / 2, size)


class Frame:
    """A named recipe. Subclasses state the square; `from_landmarks` makes the transform.

    size: side in px; padding: what lies outside the picture ('reflect', 'zero' or 'edge'); colour: 'rgb' or 'gray';
    peer_interpolation: what the peers resampled with ('linear' or 'cubic'), for `resample: cv2_uint8`.
    """

    name: ClassVar[str]
    size: ClassVar[int]
    padding: ClassVar[str] = "zero"
    colour: ClassVar[str] = "rgb"
    peer_interpolation: ClassVar[str] = "linear"

    @classmethod
    def from_landmarks(
        cls,
        landmarks: np.ndarray,
        *,
        inference: bool = False,
        legacy: bool = False,
        picture: tuple[int, int] | None = None,
    ) -> CropTransform:
        """The crop of a face.

        landmarks: (K, 2|3) image px; inference: the rule a paper uses at test time where it differs from the one for
        its ground truth; legacy: the peers' truncations; picture: (height, width), which legacy `gray224` needs.
        `FacemillError` when the landmarks are not finite or span no area.
        """
        points = np.asarray(landmarks, np.float64)[..., :2]
        if points.ndim != 2 or not np.isfinite(points).all() or not (np.ptp(points, axis=0) > 0).all():
            raise FacemillError(
                f"expected finite landmarks (K, 2) that span an area, found {points.tolist()}"
            )
        k, centre = (cls.legacy if legacy else cls.exact)(points, inference, picture)
        return CropTransform(float(k), float(centre[0]), float(centre[1]), cls.size)

    @classmethod
    def from_detection(
        cls,
        landmarks: np.ndarray,
        box: np.ndarray,
        *,
        inference: bool = False,
        legacy: bool = False,
        picture: tuple[int, int] | None = None,
    ) -> CropTransform:
        """The crop of a detected face: from its landmarks, unless the frame says that it is made from the box."""
        return cls.from_landmarks(landmarks, inference=inference, legacy=legacy, picture=picture)

    @classmethod
    def exact(cls, points: np.ndarray, inference: bool, picture: tuple[int, int] | None):
        """Scale k and centre (2,) in floats."""
        raise FacemillError(f"the frame {cls.name} is not made from landmarks alone; use from_detection")

    @classmethod
    def legacy(cls, points: np.ndarray, inference: bool, picture: tuple[int, int] | None):
        """Scale k and centre (2,) as the peers' code has them."""
        return cls.exact(points, inference, picture)


def _geometric_scale(points: np.ndarray) -> float:
    return 90.0 / np.sqrt(np.prod(box_size(landmark_box(points))))


def _sides(box: np.ndarray) -> np.ndarray:
    sides = box_size(box)
    if not (np.isfinite(sides).all() and (sides > 0).all()):
        raise FacemillError(f"expected a box x1 y1 x2 y2 with an area, found {np.asarray(box).tolist()}")
    return sides


@FRAMES.register("fan192")
class Fan192(Frame):
    """The crop of the VRN project's cropper.py: box centre, scale 90 / sqrt(w h), 192, reflected borders (E.7)."""

    name, size, padding, peer_interpolation = "fan192", 192, "reflect", "cubic"

    @classmethod
    def exact(cls, points, inference, picture):
        """The box centre lands in the middle."""
        return _geometric_scale(points), box_centre(landmark_box(points))

    @classmethod
    def legacy(cls, points, inference, picture):
        """Resized first, then cut at the truncated centre: a shift of up to one crop pixel."""
        k = _geometric_scale(points)
        return k, np.trunc(box_centre(landmark_box(points)) * k) / k - 0.5


@FRAMES.register("vrn192")
class Vrn192(Frame):
    """VRN's run.m: mean landmark, scale 90 / sqrt(w h), 192 (E.2). The reflected border is ours."""

    name, size, padding, peer_interpolation = "vrn192", 192, "reflect", "cubic"

    @classmethod
    def exact(cls, points, inference, picture):
        """The mean landmark lands in the middle."""
        return _geometric_scale(points), points.mean(axis=0)

    @classmethod
    def legacy(cls, points, inference, picture):
        """run.sh: the corner lies half a landmark box beyond the box, which leaves the face off the middle."""
        k = _geometric_scale(points)
        box = landmark_box(points)
        return k, box[:2] - box_size(box) / 2 + (cls.size - 1) / (2 * k)


@FRAMES.register("prn256")
class Prn256(Frame):
    """PRN: box centre, side 1.5 (w + h) / 2 for ground truth, 1.6 at inference, corners on pixel 0 and 255 (B.1)."""

    name, size = "prn256", 256

    @classmethod
    def exact(cls, points, inference, picture):
        """k = 255 / side, so that the square's corners are the centres of the corner pixels."""
        box = landmark_box(points)
        return (cls.size - 1) / ((1.6 if inference else 1.5) * box_size(box).mean()), box_centre(box)

    @classmethod
    def legacy(cls, points, inference, picture):
        """face3d and PRN: landmarks and side truncated to whole pixels."""
        box = landmark_box(np.trunc(points))
        side = int((1.6 if inference else 1.5) * box_size(box).mean())
        return (cls.size - 1) / max(side, 1), box_centre(box)


@FRAMES.register("roi120")
class Roi120(Frame):
    """3DDFA and 3DDFA_V2: box centre, side sqrt(2) max(w, h), 120 (F.2)."""

    name, size = "roi120", 120

    @classmethod
    def exact(cls, points, inference, picture):
        """The square about the landmarks, its side the diagonal of the longer side's square."""
        box = landmark_box(points)
        return cls.size / (np.sqrt(2.0) * box_size(box).max()), box_centre(box)

    @classmethod
    def legacy(cls, points, inference, picture):
        """The square's corners rounded to whole pixels before the cut."""
        box = landmark_box(points)
        half = box_size(box).max() / np.sqrt(2.0)
        return cls._rounded(np.concatenate([box_centre(box) - half, box_centre(box) + half]))

    @classmethod
    def from_box(cls, box: np.ndarray, *, legacy: bool = False) -> CropTransform:
        """From a detector's box (4,) instead: side 1.58 (w + h) / 2, its centre 0.14 (w + h) / 2 lower."""
        mean = _sides(box).mean()
        centre = box_centre(box) + np.array([0.0, 0.14 * mean])
        k, side = cls.size / (1.58 * mean), 1.58 * mean
        if legacy:
            corner = centre - int(side) / 2
            k, centre = cls._rounded(np.concatenate([corner, corner + int(side)]))
        return CropTransform(float(k), float(centre[0]), float(centre[1]), cls.size)

    @classmethod
    def _rounded(cls, square: np.ndarray):
        whole = np.round(square)
        k = cls.size / max(whole[2] - whole[0], 1.0)
        return k, whole[:2] - 0.5 + cls.size / (2 * k)


@FRAMES.register("gray224")
class Gray224(Frame):
    """The direct-3D networks: box centre, side 1.6 (w + h) / 2, 224, one grey channel (landmarks 1)."""

    name, size, colour = "gray224", 224, "gray"

    @classmethod
    def exact(cls, points, inference, picture):
        """The square about the landmarks."""
        box = landmark_box(points)
        return cls.size / (1.6 * box_size(box).mean()), box_centre(box)

    @classmethod
    def legacy(cls, points, inference, picture):
        """The picture's short side to 250, then its middle 224: the face is not looked at."""
        if picture is None:
            raise FacemillError(
                "legacy gray224 cuts the middle of the picture: expected its height and width"
            )
        height, width = picture
        return 250.0 / min(height, width), np.array([width - 1, height - 1]) / 2


@FRAMES.register("fan256")
class Fan256(Frame):
    """face-alignment's own square: side 200 (w + h) / 195 of the detector's box, its centre 0.12 h higher, 256
    (landmarks 2.5)."""

    name, size = "fan256", 256

    @classmethod
    def from_detection(cls, landmarks, box, *, inference=False, legacy=False, picture=None):
        """From the box (4,) alone; the landmarks are not looked at."""
        width, height = _sides(box)
        centre = box_centre(box) - np.array([0.0, 0.12 * height])
        return CropTransform(float(cls.size * 195 / (200 * (width + height))), *map(float, centre), cls.size)
