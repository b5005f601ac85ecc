"""A triangle mesh as its file has it, and the checks that all mesh formats share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.records import FacemillError


@dataclass(frozen=True, eq=False)
class Mesh:
    """Vertices (N, 3) float64 in the file's own unit and axes, triangles (T, 3) int32, 0-based, as wound in the file.

    colours: (N, 3) uint8 RGB. uv: (M, 2) float64, u to the right and v up in the picture ``texture``, whose lower left
    corner is (0, 0); uv_triangles: (T, 3) int32, the corners of the same triangles in uv. Each is None where the file
    has none. texture: path of the picture; it need not exist.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    colours: np.ndarray | None = None
    uv: np.ndarray | None = None
    uv_triangles: np.ndarray | None = None
    texture: Path | None = None


def fan(polygon: Sequence[int]) -> list[tuple[int, int, int]]:
    """The triangles of a polygon, all from its first corner: of a quad (a, b, c) and (a, c, d)."""
    return [(polygon[0], polygon[k], polygon[k + 1]) for k in range(1, len(polygon) - 1)]


def fan_all(polygons: Sequence[Sequence[int]]) -> np.ndarray:
    """The triangles (T, 3) int32 of polygons in their order."""
    if all(len(polygon) == 3 for polygon in polygons):
        return np.array(polygons, np.int32).reshape(-1, 3)
    return np.array([triangle for polygon in polygons for triangle in fan(polygon)], np.int32).reshape(-1, 3)


def checked(path: Path, mesh: Mesh) -> Mesh:
    """The mesh of the file ``path``; FacemillError when it has no vertices or triangles, a vertex or a texture
    coordinate is not finite, or a triangle names one that is not there."""
    for what, values in (("vertices", mesh.vertices), ("triangles", mesh.triangles)):
        if len(values) == 0:
            raise FacemillError(
                f"{path}: expected {what}, found none; the file is truncated or holds no surface"
            )
    for what, points, corners in (
        ("vertex", mesh.vertices, mesh.triangles),
        ("texture coordinate", mesh.uv, mesh.uv_triangles),
    ):
        if points is None or corners is None:
            continue
        if not np.isfinite(points).all():
            row = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
            raise FacemillError(f"{path}: {what} {row} is not finite: {points[row].tolist()}")
        if corners.min() < 0 or corners.max() >= len(points):
            row = int(np.flatnonzero(((corners < 0) | (corners >= len(points))).any(axis=1))[0])
            raise FacemillError(
                f"{path}: triangle {row} names {what} {corners[row].tolist()}, but there are {len(points)} (0 to "
                f"{len(points) - 1}); the file is truncated or damaged"
            )
    return mesh


def as_bytes(colours: np.ndarray) -> np.ndarray:
    """RGB (N, 3) uint8 of colours in 0..1 or, where any is above 1, in 0..255."""
    scale = 255.0 if colours.max(initial=0.0) <= 1.0 else 1.0
    return np.clip(np.rint(colours * scale), 0, 255).astype(np.uint8)
