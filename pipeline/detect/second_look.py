"""FAN's landmarks beside those of a detector without networks, for networks that see landmarks.

`annotation` would show them the truth, `whole` nothing. FAN looks twice: in the face's box, then in the box of what it
found there, so that little of the first box is left in the answer. What it finds is seen as it is, unsure or not: the
detector has decided that there is a face. Where there is no box to look in, nothing is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.detect.base import Detector, Face, Sight, no_landmarks
from pipeline.detect.fan import LandmarkFinder
from pipeline.detect.loading import load_fan
from pipeline.detect.placing import placed
from pipeline.geometry.boxes import box_centre, box_size, landmark_box, square_box

FACE_OF_SQUARE = 1 / np.sqrt(2)
"""Side of a face's box in a crop that is the frame's square, as in `roi120`."""


class SecondLook:
    """A detector whose faces carry FAN's landmarks as `seen`; all else is the detector's own."""

    def __init__(self, detector: Detector, settings: DetectionSettings):
        self.detector = detector
        self.uses_annotations, self.uses_paths = detector.uses_annotations, detector.uses_paths
        fan = placed(load_fan(settings.fan_weights, settings.landmarks), settings)
        self.landmarks = LandmarkFinder(fan, settings.decode, settings.flip, settings.batch)

    def detect(self, sights: Sequence[Sight]) -> list[list[Face] | str]:
        """The detector's faces, those that go on with what FAN sees of them."""
        found = self.detector.detect(sights)
        places = [
            (k, n)
            for k, faces in enumerate(found)
            if not isinstance(faces, str)
            for n, face in enumerate(faces)
            if face.reason is None
        ]
        images, boxes = [sights[k].image for k, _ in places], [_box(found[k][n]) for k, n in places]
        seen = self._look(images, self._look(images, boxes))
        for (k, n), points in zip(places, seen, strict=True):
            found[k][n] = replace(found[k][n], seen=points)
        return found

    def _look(self, images: list[np.ndarray], boxes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """FAN's landmarks (68, 2) in each picture's box (4,), or in that of landmarks (68, 2); NaN without an area."""
        boxes = [landmark_box(box) if box.ndim == 2 else box for box in boxes]
        seen = [no_landmarks()[0] for _ in boxes]
        there = [k for k, box in enumerate(boxes) if np.isfinite(box).all() and (box[2:] > box[:2]).all()]
        landmarks, *_ = self.landmarks.find([images[k] for k in there], [boxes[k] for k in there])
        for k, points in zip(there, landmarks, strict=True):
            seen[k] = points
        return seen


def _box(face: Face) -> np.ndarray:
    """Where to look first: the face's box; of a picture that is the crop already its middle."""
    if not np.isnan(face.landmarks).all():
        return face.box
    return square_box(box_centre(face.box), FACE_OF_SQUARE * box_size(face.box).max())
