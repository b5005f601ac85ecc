"""Reading points off a position map: the 68 landmarks, and the dense set of face points that all protocols share.

The dense points of a face are those texels of a G x G map that lie inside the chart and on the face without ears, neck
and scalp (PRN's UV face mask). G belongs to the protocol, not to the model, so that networks with maps of different
size, or with vertices instead of a map, are compared at the same points.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from pipeline.geometry.posmap import UVTable, texel_coordinates
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError


class Chart:
    """The UV chart of one face model, and what lies where on a map of it.

    Args:
        model: the face model whose chart the position maps are drawn in.
    """

    def __init__(self, model: MorphableModel) -> None:
        self.model = model
        rows = np.zeros(len(model.mean), dtype=np.int64)
        rows[model.triangles.reshape(-1)[::-1]] = model.uv_triangles.reshape(-1)[::-1]
        self._uv68 = model.uv[rows[model.keypoints]].astype(np.float64)
        self._table = cache(self._make_table)
        self._mask = cache(self._make_mask)
        self._mean = cache(self._make_mean)

    def landmarks(self, position_map: np.ndarray) -> np.ndarray:
        """The 68 landmarks (68, 3) float64 of a map (S, S, 3), read bilinearly at their place in the chart."""
        return read_bilinear(position_map, self._uv68)

    def dense(self, position_map: np.ndarray, grid: int) -> np.ndarray:
        """The dense face points (M, 3) float64 of a map (S, S, 3) of any side, in the map's frame."""
        rows, columns = np.nonzero(self._mask(grid))
        return read_bilinear(position_map, np.stack([columns, grid - 1 - rows], axis=1) / (grid - 1))

    def dense_of(self, vertices: np.ndarray, grid: int) -> np.ndarray:
        """The same points (M, 3) float64 of a mesh with vertices (N, 3), in the vertices' frame."""
        vertices = np.asarray(vertices, dtype=np.float64)
        origin = vertices.mean(axis=0)
        return self._table(grid).gather(vertices - origin)[self._mask(grid)].astype(np.float64) + origin

    def canonical(self, grid: int) -> np.ndarray:
        """The same points (M, 3) float64 of the mean face, model frame."""
        return self._mean(grid)

    def face_mask(self, grid: int) -> np.ndarray:
        """(G, G) bool: the texels that the dense points come from, in row-major order."""
        return self._mask(grid)

    def _make_table(self, grid: int) -> UVTable:
        return UVTable(self.model.uv, self.model.uv_triangles, self.model.triangles, grid)

    def _make_mask(self, grid: int) -> np.ndarray:
        table = self._table(grid)
        share = table.gather(self.model.face_mask.astype(np.float32)[:, None])[..., 0]
        mask = table.inside & (share >= 0.5)
        if not mask.any():
            raise FacemillError(
                f"face model {self.model.name}: no texel of a {grid} x {grid} map lies on the face"
            )
        return mask

    def _make_mean(self, grid: int) -> np.ndarray:
        return self.dense_of(self.model.mean, grid)


def read_bilinear(position_map: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Values (K, C) float64 of a map (S, S, C) at chart positions (K, 2), u right and v up in [0, 1].

    Texels stand in the chart as `UVTable` puts them.
    """
    values = np.asarray(position_map)
    if values.ndim != 3 or values.shape[0] != values.shape[1] or values.shape[0] < 2:
        raise FacemillError(f"position map: expected (S, S, C), found {values.shape}")
    side = values.shape[0]
    column, row = texel_coordinates(np.clip(uv, 0.0, 1.0), side).T
    left = np.minimum(column.astype(np.int64), side - 2)
    top = np.minimum(row.astype(np.int64), side - 2)
    across, down = (column - left)[:, None], (row - top)[:, None]
    upper = values[top, left] * (1 - across) + values[top, left + 1] * across
    lower = values[top + 1, left] * (1 - across) + values[top + 1, left + 1] * across
    return upper * (1 - down) + lower * down
