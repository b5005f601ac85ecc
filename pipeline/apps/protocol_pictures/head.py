"""The head that the pictures of protocols show: a face model's mean, placed in a picture at any pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.chart import Chart
from pipeline.evaluation.surfaces import MeshShape
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.mesh import Raster, interpolate, rasterize, shade, vertex_normals, visible_vertices

SIDE = 400
"""px of the square picture."""
SHARE = 0.42
"""Of the picture's side that the 68 landmarks take."""
CLAY, OTHER = (0.74, 0.70, 0.66), (0.55, 0.66, 0.82)
AMBIENT, LIGHT = (0.42, 0.42, 0.42), ((-0.3, 0.4, 1.0), (0.55, 0.55, 0.55))
LEVELS = 24
"""Grey levels of the shading: fewer make smaller files."""


@dataclass(frozen=True, eq=False)
class Head:
    """Vertices (N, 3) float64 in px of a picture of side ``SIDE``: 0-based, y down, z towards the viewer."""

    chart: Chart
    vertices: np.ndarray

    @property
    def landmarks(self) -> np.ndarray:
        """(68, 3), same frame."""
        return self.vertices[self.chart.model.keypoints]

    @property
    def shape(self) -> MeshShape:
        """The head as the evaluator takes it."""
        return MeshShape(self.chart, self.vertices)

    def raster(self) -> Raster:
        """What is in front at each pixel of its picture."""
        return rasterize(self.vertices, self.chart.model.triangles, SIDE, SIDE, cull=True)

    def visible(self) -> np.ndarray:
        """(N,) bool: the picture shows the vertex."""
        return visible_vertices(self.raster(), self.vertices, self.chart.model.triangles, 3.0)

    def picture(self, *, parts: bool = False) -> np.ndarray:
        """The head in clay on white, (SIDE, SIDE, 3) in 0..1; ``parts``: ears, neck and scalp in blue."""
        model = self.chart.model
        colours = np.broadcast_to(CLAY, self.vertices.shape)
        if parts:
            colours = np.where(model.face_mask[:, None], CLAY, OTHER)
        upright = self.vertices * (1.0, -1.0, 1.0)
        lit = shade(vertex_normals(upright, model.triangles), colours, AMBIENT, [LIGHT])
        raster = self.raster()
        drawn = np.clip(interpolate(raster, model.triangles, lit), 0, 1)
        drawn = np.round(drawn * LEVELS) / LEVELS
        return np.where(raster.mask[..., None], drawn, 1.0)


def posed(
    chart: Chart, pitch: float = 0.0, yaw: float = 0.0, roll: float = 0.0, share: float = SHARE
) -> Head:
    """The mean face turned by angles in degrees, 300W-LP's convention, its landmarks in the middle of the picture.

    The scale is the same for every pose: that of the frontal face.
    """
    model = chart.model
    landmarks = model.mean[model.keypoints].astype(np.float64)
    scale = share * SIDE / np.ptp(landmarks, axis=0)[:2].max()
    rotation = rotation_from_angles(*np.radians([pitch, yaw, roll]))
    turned = scale * (model.mean.astype(np.float64) - landmarks.mean(axis=0)) @ rotation.T
    corners = turned[model.keypoints]
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    return Head(chart, (turned - middle * (1, 1, 0)) * (1.0, -1.0, 1.0) + (SIDE / 2, SIDE / 2, 0.0))
