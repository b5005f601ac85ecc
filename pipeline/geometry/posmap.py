"""Maps over a UV chart: a table made once per chart and size, then one gather per face.

Texel (row r, column c) of an S x S map stands at u = c / (S - 1), v = 1 - r / (S - 1), so the corner texels' centres
are the corners of the chart (PRN; spec prn_vrn_3ddfa B.2, B.4).
"""

import numpy as np

from pipeline._kernels import mesh_render
from pipeline.geometry.arrays import indices, numbers, size
from pipeline.geometry.mesh import rasterize
from pipeline.records import FacemillError

CODE_SCALE = 128
CODE_OFFSET = 128
"""A stored map holds round(value CODE_SCALE) + CODE_OFFSET CODE_SCALE: steps of 1/128 px from -128 px to 383.99."""


class UVTable:
    """Which vertices, with which weights, give each texel of an S x S map.

    A texel that no triangle of the chart covers takes the nearest point of the chart (weights stay within the
    triangle), so the map has no empty border and nothing is extrapolated. Where triangles overlap the first wins.

    Attributes:
        size: S.
        corners: (S S, 3) int32 vertex numbers.
        weights: (S S, 2) float32 weights of corners 1 and 2; corner 0 has the rest.
        triangle: (S, S) int32 row of `triangles`.
        inside: (S, S) bool: covered by the chart, not merely near it.

    Raises:
        FacemillError: wrong shapes, a number out of range, or a chart without area.
    """

    def __init__(self, uv, uv_triangles, triangles, size_: int) -> None:
        self.size = size("size", size_)
        uv = numbers("uv", uv, (None, 2))
        uv_triangles = indices("uv_triangles", uv_triangles, 3, len(uv), "chart points")
        count = int(np.max(triangles, initial=-1)) + 1
        triangles = indices("triangles", triangles, 3, count)
        if len(triangles) != len(uv_triangles):
            raise FacemillError(
                f"uv_triangles: expected one row per triangle ({len(triangles)}), found {len(uv_triangles)}"
            )
        self.vertices = count
        plane = texel_coordinates(uv, self.size)
        raster = rasterize(np.column_stack([plane, np.zeros(len(plane))]), uv_triangles, self.size, self.size)
        self.inside = raster.mask
        if not self.inside.any():
            raise FacemillError(f"uv: expected a chart that covers texels of a {self.size} map, found none")
        self.triangle = raster.triangle
        weights = raster.barycentric
        bare = np.argwhere(~self.inside)
        self.triangle[~self.inside], weights[~self.inside] = _nearest(
            plane, uv_triangles, bare[:, ::-1].astype(np.float64)
        )
        self.corners = np.ascontiguousarray(triangles[self.triangle.ravel()])
        self.weights = np.ascontiguousarray(weights.reshape(-1, 3)[:, 1:])
        last = (self.corners == count - 1).any(axis=1)
        last[-1] = True
        self._slow = np.flatnonzero(last).astype(np.int32)

    def gather(self, values) -> np.ndarray:
        """Vertex values (N, C) as a map (S, S, C) float32."""
        values = self._values(values, None)
        out = np.empty((self.size * self.size, values.shape[1]), np.float32)
        mesh_render.gather(self.corners, self.weights, self._slow, values, out)
        return out.reshape(self.size, self.size, -1)

    def gather_codes(self, values) -> tuple[np.ndarray, int]:
        """Vertex values (N, 3) in px as a stored map (S, S, 3) uint16, rounded half to even; read it with `decode`.

        Also how many of the values do not fit; those are held at the nearer end, never wrapped.
        """
        values = self._values(values, 3)
        out = np.empty((self.size * self.size, 3), np.uint16)
        outside = mesh_render.gather_codes(
            self.corners, self.weights, self._slow, values, CODE_SCALE, CODE_OFFSET * CODE_SCALE, out
        )
        return out.reshape(self.size, self.size, 3), outside

    def _values(self, values, columns: int | None) -> np.ndarray:
        values = numbers("values", values, (None, columns), np.float32)
        if len(values) < self.vertices or values.shape[1] == 0:
            raise FacemillError(
                f"values: expected a row for each of {self.vertices} vertices, found shape {values.shape}"
            )
        return values


def texel_coordinates(uv, size_: int) -> np.ndarray:
    """(M, 2) float64 column and row in an S x S map of chart points (M, 2), u right and v up in 0..1."""
    uv = numbers("uv", uv, (None, 2))
    return np.column_stack([uv[:, 0], 1.0 - uv[:, 1]]) * (size("size", size_) - 1)


def nearest_texels(uv, size_: int) -> np.ndarray:
    """(M, 2) int64 column and row of the texels nearest to chart points (M, 2); PRN's uv_kpt_ind for its keypoints."""
    return np.clip(np.rint(texel_coordinates(uv, size_)), 0, size_ - 1).astype(np.int64)


def decode(codes) -> np.ndarray:
    """A stored map (..., 3) uint16 as float32 px, exactly."""
    codes = np.asarray(codes)
    if codes.dtype != np.uint16:
        raise FacemillError(f"stored map: expected uint16, found {codes.dtype}")
    return codes.astype(np.float32) / np.float32(CODE_SCALE) - np.float32(CODE_OFFSET)


def _nearest(plane: np.ndarray, triangles: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For points (K, 2) outside the chart: triangle row (K,) and barycentric weights (K, 3) of the nearest point."""
    owner, start = _rim(plane, triangles)
    end = (start + 1) % 3
    segments = np.hstack([plane[triangles[owner, start]], plane[triangles[owner, end]]])
    which, where = np.zeros(len(points), np.int32), np.zeros(len(points))
    mesh_render.nearest(np.ascontiguousarray(points), np.ascontiguousarray(segments), which, where)
    weights, row = np.zeros((len(points), 3)), np.arange(len(points))
    weights[row, start[which]] = 1.0 - where
    weights[row, end[which]] = where
    return owner[which], weights


def _rim(plane: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangle row (E,) and first corner (E,) of the edges on which the chart may end.

    These are the edges with one triangle, and those where the chart folds back: their triangles turn opposite ways.
    """
    corner = plane[triangles]
    first, second = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    turn = np.sign(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    ends = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2).astype(np.int64)
    key = ends.min(axis=1) * len(plane) + ends.max(axis=1)
    _, index, inverse, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    balance = np.bincount(inverse, np.repeat(turn, 3), minlength=len(index))
    edge = index[(count != 2) | (np.abs(balance) != 2)]
    return edge // 3, edge % 3
