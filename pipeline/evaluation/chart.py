"""Reading points off a position map: the 68 landmarks, and the dense set of face points that all protocols share.

The dense points of a face are those texels of a G x G map that lie inside the chart and on the face without ears, neck
and scalp (PRN's UV face mask). G belongs to the protocol, not to the model, so that networks with maps of different
size, or with vertices instead of a map, are compared at the same points.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path

import numpy as np

from pipeline.geometry.posmap import UVTable, nearest_texels, texel_coordinates
from pipeline.io.arrays import read_npz
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError


class Chart:
    """The UV chart of one face model, and what lies where on a map of it.

    Args:
        model: the face model whose chart the position maps are drawn in.
        texels: numbers, row by row, of the texels of a 256 x 256 map that are the face, as PRNet's face_ind (43,867:
            the papers' "45K"); None: those on the face model's own face.
    """

    texel_grid = 256

    def __init__(self, model: MorphableModel, texels: np.ndarray | None = None) -> None:
        self.model = model
        self._texels = None if texels is None else _checked_texels(texels, self.texel_grid)
        rows = np.zeros(len(model.mean), dtype=np.int64)
        rows[model.triangles.reshape(-1)[::-1]] = model.uv_triangles.reshape(-1)[::-1]
        self._uv = model.uv[rows].astype(np.float64)
        self._uv68 = self._uv[model.keypoints]
        self._table = cache(self._make_table)
        self._mask = cache(self._make_mask)
        self._mean = cache(self._make_mean)

    def landmarks(self, position_map: np.ndarray) -> np.ndarray:
        """The 68 landmarks (68, 3) float64 of a map (S, S, 3), read bilinearly at their place in the chart."""
        return read_bilinear(position_map, self._uv68)

    def vertices(self, position_map: np.ndarray, part: str) -> np.ndarray:
        """Vertices of the mesh, read bilinearly off a map (S, S, 3): "all" (N, 3), or "face" without ears, neck and
        scalp, float64."""
        return read_bilinear(position_map, self._uv[self.model.face_mask] if part == "face" else self._uv)

    @cached_property
    def face_keypoints(self) -> np.ndarray:
        """(68,) rows of the landmarks among the vertices without ears, neck and scalp."""
        if not self.model.face_mask[self.model.keypoints].all():
            raise FacemillError(
                f"face model {self.model.name}: some landmarks lie on its ears, neck or scalp"
            )
        return (np.cumsum(self.model.face_mask) - 1)[self.model.keypoints]

    @cached_property
    def texels_of_landmarks(self) -> np.ndarray | None:
        """(68,) rows among the dense points of a 256 map of the texels nearest to the landmarks (PRNet's uv_kpt_ind);
        None where one of them is no dense point."""
        column, row = nearest_texels(self._uv68, self.texel_grid).T
        mask = self._mask(self.texel_grid)
        if not mask[row, column].all():
            return None
        return (np.cumsum(mask) - 1)[row * self.texel_grid + column]

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

    def on_whole_triangles(self, grid: int) -> np.ndarray:
        """(M,) bool: the dense points that lie on triangles all of whose corners are on the face, not at its rim."""
        corners = self._table(grid).corners.reshape(grid, grid, 3)
        return self.model.face_mask[corners].all(axis=-1)[self._mask(grid)]

    def face_mask(self, grid: int) -> np.ndarray:
        """(G, G) bool: the texels that the dense points come from, in row-major order."""
        return self._mask(grid)

    def _make_table(self, grid: int) -> UVTable:
        return UVTable(self.model.uv, self.model.uv_triangles, self.model.triangles, grid)

    def _make_mask(self, grid: int) -> np.ndarray:
        if self._texels is not None and grid == self.texel_grid:
            return self._texels
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


def read_texels(path: str | Path) -> np.ndarray:
    """The numbers of the face's texels in a 256 x 256 map: PRNet's face_ind.txt, or ``face_ind`` of an .npz."""
    if str(path).endswith(".npz"):
        return read_npz(path, ("face_ind",))["face_ind"]
    try:
        return np.loadtxt(path, ndmin=1)
    except (OSError, ValueError) as error:
        raise FacemillError(
            f"{path}: expected the numbers of texels, as PRNet's face_ind.txt: {error}"
        ) from error


def _checked_texels(texels: np.ndarray, grid: int) -> np.ndarray:
    numbers = np.asarray(texels)
    flat = numbers.astype(np.int64).ravel()
    if not len(flat) or (flat != numbers.ravel()).any() or flat.min() < 0 or flat.max() >= grid * grid:
        raise FacemillError(
            f"texels of the face: expected whole numbers from 0 to {grid * grid - 1}, found "
            f"{len(flat)} numbers" + (f" from {numbers.min():g} to {numbers.max():g}" if len(flat) else "")
        )
    mask = np.zeros(grid * grid, bool)
    mask[flat] = True
    return mask.reshape(grid, grid)


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
