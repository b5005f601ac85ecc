"""The shape of a face whose volume was predicted."""

from __future__ import annotations

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import Filled
from pipeline.evaluation.surfaces import MeshShape
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.volume import Volume


class VolumeShape(MeshShape):
    """A voxel volume, and the face model's mesh as it was registered to the volume's surface.

    Args:
        chart: of the face model.
        vertices: (N, 3) of the registered mesh in pixels of the picture.
        landmarks: (68, 3) in pixels of the picture.
        bits: (D, H, W / 8) packed voxels.
        transform: from the picture to the volume's x and y.
        variant, depth_scale: how the volumes were filled that the network learnt.
    """

    what = "a volume"

    def __init__(
        self,
        chart: Chart,
        vertices: np.ndarray,
        landmarks: np.ndarray,
        bits: np.ndarray,
        transform: CropTransform,
        variant: str,
        depth_scale: float,
    ) -> None:
        super().__init__(chart, vertices, landmarks=landmarks)
        self._bits, self._transform = bits, transform
        self._filling = (variant, depth_scale)

    def volume(self) -> Filled:
        voxels = Volume(self._bits, self._transform.size).dense()
        return Filled(voxels, self._transform, *self._filling)
