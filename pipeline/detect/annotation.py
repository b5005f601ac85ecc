"""A data set's own landmarks instead of networks, as PRNet and 3DDFA do it on AFLW2000-3D."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.datasets.base import AnnotationProblem
from pipeline.detect.base import Annotate, Face, Sight, no_landmarks
from pipeline.geometry.boxes import landmark_box
from pipeline.records import FacemillError, Reason
from pipeline.registry import DETECTORS


@DETECTORS.register("annotation")
class AnnotationDetector:
    """One face for each annotation file, with score and peaks 1; a picture without annotation is one face with the
    reason `annotation missing`."""

    uses_annotations = True
    uses_paths = False

    def __init__(self, settings: DetectionSettings, annotate: Annotate | None = None):
        if annotate is None:
            raise FacemillError("detector: annotation needs the data set's reader, found none")
        self.annotate = annotate

    def detect(self, sights: Sequence[Sight]) -> list[list[Face]]:
        """The faces in the order of their annotation files."""
        return [self._faces(sight) for sight in sights]

    def _faces(self, sight: Sight) -> list[Face]:
        height, width = sight.image.shape[:2]
        whole = np.array([-0.5, -0.5, width - 0.5, height - 0.5], np.float32)
        if not sight.annotations:
            return [Face(whole, 0.0, *no_landmarks(), Reason.ANNOTATION_MISSING, None, "no annotation file")]
        faces = []
        for path in sight.annotations:
            try:
                landmarks = np.asarray(self.annotate(path, height), np.float32)[:, :2]
            except AnnotationProblem as problem:
                faces.append(Face(whole, 0.0, *no_landmarks(), problem.reason, None, problem.detail))
                continue
            box = landmark_box(landmarks).astype(np.float32)
            faces.append(Face(box, 1.0, landmarks, np.ones(68, np.float32)))
        return faces
