"""Volumes: 200 x 192 x 192 voxels in the 192 px crop, with the face model's mesh registered to their surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.outputs.base import Answer, mean_landmarks, mean_over
from pipeline.evaluation.register import METHOD, registered
from pipeline.evaluation.volumes import VolumeShape
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.surface import enlarged
from pipeline.geometry.volume import SHAPE, Volume
from pipeline.records import FacemillError, Field
from pipeline.registry import OUTPUTS
from pipeline.targets.base import Target

DEPTH, HEIGHT, WIDTH = SHAPE
INSIDE = 0.5
"""The probability from which a voxel is inside."""


@OUTPUTS.register("volume")
class VolumeOutput:
    """Logits "volume" (B, D, S, S) of a grid as fine as the paper's or coarser, and "landmarks" (B, 68, 2) of networks
    with heat-maps; see `outputs.base.Output`.

    The landmarks of networks without heat-maps are those of the registered mesh, and so is every depth.
    """

    def __init__(self, target: Target, chart: Chart):
        self.target, self.chart = target, chart
        self.landmarks = METHOD
        self.fields: Mapping[str, Field] = {
            "volume": Field(
                "uint8", (DEPTH, HEIGHT, WIDTH // 8), "8 voxels a byte, left first, of the 192 px crop"
            ),
            "vertices": Field("float32", (len(chart.model.mean), 3), "pixels of the 192 px crop, registered"),
            "landmarks": Field("float32", (68, 3), "pixels of the 192 px crop"),
        }

    def sizes(self, size: int) -> Mapping[str, int]:
        """None is open."""
        return {}

    def store(self, answer: Answer, size: int) -> Iterator[Mapping[str, np.ndarray]]:
        """`volume` packed, `vertices` (N, 3) and `landmarks` (68, 3) float32."""
        slices = DEPTH * size // WIDTH
        logits = answer["volume"] if isinstance(answer, Mapping) else answer
        if logits.shape[1:] != (slices, size, size):
            raise FacemillError(
                f"expected volumes of shape {('B', slices, size, size)} from the network, found {tuple(logits.shape)}"
            )
        painted = isinstance(answer, Mapping) and "landmarks" in answer
        if painted:
            self.landmarks = f"heat-maps; their depth: {METHOD}"
        for row, face in enumerate(logits):
            probability = face.float().sigmoid().cpu().numpy()
            vertices, landmarks = registered(probability, self.chart.model, self.target.depth_scale)
            if painted:
                points = answer["landmarks"][row].float().cpu().numpy()
                landmarks[:, :2] = (points + 0.5) * (WIDTH / size) - 0.5
            yield {
                "volume": np.packbits(enlarged(probability) >= INSIDE, axis=-1),
                "vertices": vertices,
                "landmarks": landmarks,
            }

    def shape(self, stored: Mapping[str, np.ndarray], transform: CropTransform) -> VolumeShape:
        """The volume with its registered mesh, in pixels of the picture."""
        crop = transform.resized(WIDTH)
        return VolumeShape(
            self.chart,
            crop.invert(stored["vertices"]),
            crop.invert(stored["landmarks"]),
            stored["volume"],
            crop,
            self.target.variant,
            self.target.depth_scale,
        )

    def mean(self, packs: Sequence[Path]) -> tuple[Mapping[str, np.ndarray], int]:
        """What is inside most of the training volumes, and the means of their landmarks; its mesh is the face model's
        mean, registered to that volume."""
        fields = self.target.fields

        def decoded(file, row: int) -> np.ndarray:
            return self.target.decode({name: file[name][row] for name in fields})

        share = mean_over(packs, decoded, fields)
        vertices, _ = registered(share.astype(np.float32), self.chart.model, self.target.depth_scale)
        stored = {
            "volume": Volume.from_dense(share >= INSIDE).bits,
            "vertices": vertices,
            "landmarks": mean_landmarks(packs, WIDTH),
        }
        return stored, WIDTH
