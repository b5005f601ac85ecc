"""68 landmarks: in pixels of the network's input, nearer z larger, from any origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.outputs.base import Answer, mean_landmarks, require_shape
from pipeline.evaluation.shapes import PointsShape
from pipeline.geometry.frames import CropTransform
from pipeline.records import Field
from pipeline.registry import OUTPUTS
from pipeline.targets.base import Target


@OUTPUTS.register("landmarks")
class LandmarksOutput:
    """Points (B, 68, 3); see `outputs.base.Output`."""

    fields: ClassVar[Mapping[str, Field]] = {
        "landmarks": Field("float32", (68, 3), "pixels of the S x S input, nearer z larger, arbitrary zero")
    }

    landmarks = "the network's answer"

    def __init__(self, target: Target, chart: Chart):
        self.target, self.chart = target, chart

    def sizes(self, size: int) -> Mapping[str, int]:
        """None is open."""
        return {}

    def store(self, answer: Answer, size: int) -> Iterator[Mapping[str, np.ndarray]]:
        """`landmarks` (68, 3) float32."""
        for found in require_shape(answer, (68, 3), "landmarks").float().cpu().numpy():
            yield {"landmarks": found}

    def shape(self, stored: Mapping[str, np.ndarray], transform: CropTransform) -> PointsShape:
        """The points, taken back to pixels of their picture."""
        model = self.chart.model
        return PointsShape(transform.invert(stored["landmarks"]), model.mean[model.keypoints])

    def mean(self, packs: Sequence[Path]) -> tuple[Mapping[str, np.ndarray], int]:
        """The mean of the true landmarks."""
        return {"landmarks": mean_landmarks(packs, self.target.side)}, self.target.side
