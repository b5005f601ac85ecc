"""The default detector: FaceBoxes finds the boxes, FAN the landmarks in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.detect import plausible
from pipeline.detect.base import Annotate, Face, Sight
from pipeline.detect.boxes import BoxFinder
from pipeline.detect.fan import LandmarkFinder
from pipeline.detect.loading import load_faceboxes, load_fan
from pipeline.records import Reason
from pipeline.registry import DETECTORS


@DETECTORS.register("faceboxes")
class FaceBoxesDetector:
    """Networks only: no annotation is looked at. A face whose landmarks are implausible carries that reason."""

    uses_annotations = False

    def __init__(self, settings: DetectionSettings, annotate: Annotate | None = None):
        self.settings = settings
        fan = load_fan(settings.fan_weights)
        self.boxes = BoxFinder(
            load_faceboxes(settings.weights),
            settings.score,
            settings.overlap,
            settings.batch,
            settings.nms,
            settings.plus_one,
        )
        self.landmarks = LandmarkFinder(fan, settings.decode, settings.flip, settings.batch)
        shape = fan.card.get("mean_shape")
        self.mean_shape = None if shape is None else np.asarray(shape, np.float64)

    def detect(self, sights: Sequence[Sight]) -> list[list[Face]]:
        """Boxes of all pictures, then landmarks of all boxes, then doubts."""
        found = self.boxes.find([sight.image for sight in sights])
        owner = [k for k, (boxes, _) in enumerate(found) for _ in boxes]
        boxes = [box for boxes, _ in found for box in boxes]
        landmarks, peaks = self.landmarks.find([sights[k].image for k in owner], boxes)
        faces: list[list[Face]] = []
        first = 0
        for boxes, scores in found:
            rows = slice(first, first + len(boxes))
            first += len(boxes)
            faces.append(self._faces(boxes, scores, landmarks[rows], peaks[rows]))
        return faces

    def _faces(
        self, boxes: np.ndarray, scores: np.ndarray, landmarks: np.ndarray, peaks: np.ndarray
    ) -> list[Face]:
        if not len(boxes):
            return []
        faces = []
        for k in np.flatnonzero(~plausible.found_twice(landmarks, scores)):
            doubt = plausible.doubt(landmarks[k], peaks[k], boxes[k], self.settings.peak, self.mean_shape)
            reason, (value, detail) = (None, (None, "")) if doubt is None else (Reason.IMPLAUSIBLE, doubt)
            faces.append(Face(boxes[k], float(scores[k]), landmarks[k], peaks[k], reason, value, detail))
        return faces
