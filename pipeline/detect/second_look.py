"""FAN's landmarks beside those of a detector without networks, for networks that see landmarks.

`annotation` would show them the truth, `whole` nothing. FAN looks twice: in the face's box, then in the box of what it
found there, so that little of the first box is left in the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.detect.base import Detector, Face, Sight
from pipeline.detect.fan import LandmarkFinder
from pipeline.detect.loading import load_fan
from pipeline.detect.placing import placed
from pipeline.geometry.boxes import box_centre, landmark_box

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
        images = [sights[k].image for k, _ in places]
        first, *_ = self.landmarks.find(images, [_box(found[k][n]) for k, n in places])
        seen, *_ = self.landmarks.find(images, [landmark_box(points) for points in first])
        for (k, n), points in zip(places, seen, strict=True):
            found[k][n] = replace(found[k][n], seen=points)
        return found


def _box(face: Face) -> np.ndarray:
    """Where to look first: the face's box; of a picture that is the crop already its middle."""
    if np.isfinite(face.landmarks).all():
        return face.box
    half = (face.box[2:] - face.box[:2]) * FACE_OF_SQUARE / 2
    centre = box_centre(face.box)
    return np.concatenate([centre - half, centre + half])
