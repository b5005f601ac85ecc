"""The default detector: FaceBoxes finds the boxes, FAN the landmarks in each."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config import DetectionSettings
from pipeline.detect.base import Annotate, Sight
from pipeline.detect.boxed import BoxedDetector, Boxes
from pipeline.detect.boxes import BoxFinder
from pipeline.detect.loading import load_faceboxes
from pipeline.detect.placing import placed
from pipeline.io.images import as_rgb
from pipeline.registry import DETECTORS


@DETECTORS.register("faceboxes")
class FaceBoxesDetector(BoxedDetector):
    """Networks only: no annotation is looked at."""

    def __init__(self, settings: DetectionSettings, annotate: Annotate | None = None):
        super().__init__(settings)
        self.boxes = BoxFinder(
            placed(load_faceboxes(settings.weights), settings),
            settings.score,
            settings.overlap,
            settings.batch,
            settings.nms,
            settings.plus_one,
        )

    def find_boxes(self, sights: Sequence[Sight]) -> list[Boxes | str]:
        """The boxes of the network, after non-maximum suppression."""
        return list(self.boxes.find([as_rgb(sight.image) for sight in sights]))
