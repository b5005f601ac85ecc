"""Pictures that are the frame's square already: nothing is looked for and nothing will be cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.detect.base import Annotate, Face, Sight, no_landmarks
from pipeline.registry import DETECTORS


@DETECTORS.register("whole")
class WholePicture:
    """One face a picture, its box the picture's outer pixel edges, its landmarks unknown (NaN), its score 1."""

    uses_annotations = False
    uses_paths = False

    def __init__(self, settings: DetectionSettings, annotate: Annotate | None = None):
        self.settings = settings

    def detect(self, sights: Sequence[Sight]) -> list[list[Face]]:
        """The whole of each picture."""
        return [[self._face(sight.image)] for sight in sights]

    def _face(self, image: np.ndarray) -> Face:
        height, width = image.shape[:2]
        box = np.array([-0.5, -0.5, width - 0.5, height - 0.5], np.float32)
        return Face(box, 1.0, *no_landmarks())
