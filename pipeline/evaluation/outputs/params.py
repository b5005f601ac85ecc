"""The 62 parameters of a face model, raw, of the network's S px crop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.outputs.base import Answer, mean_over, require_shape
from pipeline.evaluation.surfaces import CropParamsShape
from pipeline.geometry.frames import CropTransform
from pipeline.morphable.params62 import COUNT
from pipeline.records import Field
from pipeline.registry import OUTPUTS
from pipeline.targets.base import Target


@OUTPUTS.register("params")
class ParamsOutput:
    """Parameters (B, 62); see `outputs.base.Output`."""

    fields: ClassVar[Mapping[str, Field]] = {
        "params": Field(
            "float64", (COUNT,), "raw; the camera gives the y-up 1-based frame of the S x S input"
        )
    }

    landmarks = "vertices of the face model"

    def __init__(self, target: Target, chart: Chart):
        self.target, self.chart = target, chart

    def sizes(self, size: int) -> Mapping[str, int]:
        """None is open."""
        return {}

    def store(self, answer: Answer, size: int) -> Iterator[Mapping[str, np.ndarray]]:
        """`params` (62,) float64."""
        for found in require_shape(answer, (COUNT,), "parameters").double().cpu().numpy():
            yield {"params": found}

    def shape(self, stored: Mapping[str, np.ndarray], transform: CropTransform) -> CropParamsShape:
        """The face model under the parameters, in pixels of the picture."""
        return CropParamsShape(self.chart, stored["params"], transform)

    def mean(self, packs: Sequence[Path]) -> tuple[Mapping[str, np.ndarray], int]:
        """The mean parameters."""
        return {
            "params": mean_over(packs, lambda file, row: file["params"][row], self.target.fields)
        }, self.target.side
