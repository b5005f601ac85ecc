"""Position maps: in pixels of the network's input, z from the rearmost vertex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.outputs.base import Answer, mean_over, require_shape
from pipeline.evaluation.surfaces import MapShape
from pipeline.geometry.frames import CropTransform
from pipeline.records import Field
from pipeline.registry import OUTPUTS
from pipeline.targets.base import Target


@OUTPUTS.register("posmap")
class PosmapOutput:
    """Maps (B, 3, S, S) that a network gives as shares of the target's normaliser; see `outputs.base.Output`."""

    fields: ClassVar[Mapping[str, Field]] = {
        "map": Field("float32", ("S", "S", 3), "pixels of the S x S input, z from the rearmost vertex")
    }

    landmarks = "texels of the position map"

    def __init__(self, target: Target, chart: Chart):
        self.target, self.chart = target, chart

    def sizes(self, size: int) -> Mapping[str, int]:
        """S, the side of the map."""
        return {"S": self.target.side}

    def store(self, answer: Answer, size: int) -> Iterator[Mapping[str, np.ndarray]]:
        """`map` (S, S, 3) float32."""
        side = self.target.side
        maps = require_shape(answer, (3, side, side), "maps").float().permute(0, 2, 3, 1)
        for found in (maps * float(self.target.attributes["normaliser"])).cpu().numpy():
            yield {"map": found}

    def shape(self, stored: Mapping[str, np.ndarray], transform: CropTransform) -> MapShape:
        """The map, taken back to pixels of its picture."""
        return MapShape(self.chart, transform.resized(len(stored["map"])).invert(stored["map"]))

    def mean(self, packs: Sequence[Path]) -> tuple[Mapping[str, np.ndarray], int]:
        """The mean map."""
        fields = self.target.fields

        def decoded(file, row: int) -> np.ndarray:
            return self.target.decode({name: file[name][row] for name in fields})

        return {"map": mean_over(packs, decoded, fields)}, self.target.side
