"""Detectors in two steps: boxes from wherever they come, 68 landmarks in each from FAN, then doubts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.detect import plausible
from pipeline.detect.base import Face, Sight, no_landmarks
from pipeline.detect.depth import DepthFinder
from pipeline.detect.fan import LandmarkFinder
from pipeline.detect.loading import load_depth, load_fan
from pipeline.detect.placing import placed
from pipeline.records import Reason

Boxes = tuple[np.ndarray, np.ndarray]
"""Boxes (n, 4) x1, y1, x2, y2 in pixels of a picture, 0-based, best first, and their scores (n,)."""


class BoxedDetector(ABC):
    """A detector whose subclass finds the boxes. No annotation is looked at.

    `reference` is face-alignment's normaliser for boxes of this kind, where it is another than the landmark network's
    own. A face whose box or landmarks are implausible carries that reason; of two boxes on the same landmarks the
    worse is dropped, unless `repeats`.
    """

    uses_annotations = False
    uses_paths = False
    repeats = False

    def __init__(self, settings: DetectionSettings, reference: float | None = None):
        self.settings = settings
        fan = load_fan(settings.fan_weights, settings.landmarks)
        depth = None
        if settings.landmarks == "3d":
            depth = DepthFinder(placed(load_depth(settings.depth_weights), settings), settings.batch)
        self.landmarks = LandmarkFinder(
            placed(fan, settings), settings.decode, settings.flip, settings.batch, reference, depth
        )
        self.passes = 2 if settings.decode == "library" and settings.flip else 1  # whose peaks are added up
        shape = fan.card.get("mean_shape")
        self.mean_shape = None if shape is None else np.asarray(shape, np.float64)

    @abstractmethod
    def find_boxes(self, sights: Sequence[Sight]) -> list[Boxes | str]:
        """The boxes of each picture, or why there are none."""

    def detect(self, sights: Sequence[Sight]) -> list[list[Face] | str]:
        """Boxes of all pictures, then landmarks of all boxes, then doubts."""
        found = self.find_boxes(sights)
        faces = [
            [] if isinstance(each, str) else _faces(*each, sight)
            for each, sight in zip(found, sights, strict=True)
        ]
        places = [
            (k, n) for k, each in enumerate(faces) for n, face in enumerate(each) if face.reason is None
        ]
        located = self.landmarks.find(
            [sights[k].image for k, _ in places], [found[k][0][n] for k, n in places]
        )
        for (k, n), landmarks, peaks, depth in zip(places, *located, strict=True):
            faces[k][n] = self._doubted(faces[k][n], landmarks, peaks, depth)
        return [each if isinstance(each, str) else self._once(faces[k]) for k, each in enumerate(found)]

    def _doubted(self, face: Face, landmarks: np.ndarray, peaks: np.ndarray, depth: np.ndarray) -> Face:
        """The face with its landmarks, and with the reason where they are implausible."""
        doubt = plausible.doubt(landmarks, peaks / self.passes, face.box, self.settings.peak, self.mean_shape)
        reason, (value, detail) = (None, (None, "")) if doubt is None else (Reason.IMPLAUSIBLE, doubt)
        return Face(face.box, face.score, landmarks, peaks, reason, value, detail, depth)

    def _once(self, faces: list[Face]) -> list[Face]:
        """The faces of a picture, each once."""
        located = [face for face in faces if np.isfinite(face.landmarks).all()]
        if self.repeats or len(located) < 2:
            return faces
        landmarks, scores = (np.stack([getattr(f, n) for f in located]) for n in ("landmarks", "score"))
        twice = {id(located[k]) for k in np.flatnonzero(plausible.found_twice(landmarks, scores))}
        return [face for face in faces if id(face) not in twice]


def _faces(boxes: np.ndarray, scores: np.ndarray, sight: Sight) -> list[Face]:
    """The boxes of a picture as faces without landmarks, those that can hold no face with the reason."""
    faces = []
    for box, score in zip(boxes, scores, strict=True):
        doubt = plausible.box_doubt(box, *sight.image.shape[:2])
        reason, (value, detail) = (None, (None, "")) if doubt is None else (Reason.IMPLAUSIBLE, doubt)
        faces.append(Face(np.asarray(box, np.float32), float(score), *no_landmarks(), reason, value, detail))
    return faces
