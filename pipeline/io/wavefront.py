"""Wavefront .obj: vertices, polygons and their chart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.records import FacemillError


@dataclass(frozen=True, eq=False)
class ObjMesh:
    """A mesh and its chart; polygons with more corners are cut into fans from their first corner.

    Attributes:
        vertices: (N, 3) float64, as they stand in the file.
        triangles: (T, 3) int32 vertex numbers.
        uv: (M, 2) float64 chart points, u right and v up; M = 0 where the file has none.
        uv_triangles: (T, 3) int32 rows of ``uv``; (0, 3) where the file has no chart.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray


def read_obj(path: str | Path) -> ObjMesh:
    """The mesh in an .obj file; groups, materials and normals are left out.

    Raises:
        FacemillError: the file is missing or no text; a line cannot be read, names a vertex or chart point that is not
            there, or has a chart at some corners only.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise FacemillError(f"no file {path}") from error
    except (OSError, ValueError) as error:
        raise FacemillError(f"{path}: expected an .obj text, found {error}") from error
    points: list[list[float]] = []
    chart: list[list[float]] = []
    corners: list[list[int]] = []
    chart_corners: list[list[int]] = []
    for number, line in enumerate(lines, 1):
        kind, *words = line.split() or [""]
        try:
            if kind == "v":
                points.append([float(word) for word in words[:3]])
            elif kind == "vt":
                chart.append([float(word) for word in words[:2]])
            elif kind == "f":
                polygon = [(word + "/").split("/")[:2] for word in words]
                _fan([_row(v, len(points)) for v, _ in polygon], corners)
                if any(t for _, t in polygon):
                    _fan([_row(t, len(chart)) for _, t in polygon], chart_corners)
        except (ValueError, IndexError) as error:
            raise FacemillError(
                f"{path}, line {number}: expected v x y z, vt u v or f v/vt ..., found {line!r} ({error})"
            ) from error
    if chart_corners and len(chart_corners) != len(corners):
        raise FacemillError(f"{path}: expected chart points (vt) at every polygon or at none")
    return ObjMesh(
        _table(path, "v", points, 3),
        np.array(corners, np.int32).reshape(-1, 3),
        _table(path, "vt", chart, 2),
        np.array(chart_corners, np.int32).reshape(-1, 3),
    )


def _row(word: str, count: int) -> int:
    """A 1-based number, or a negative one from the end, as a row."""
    number = int(word)
    row = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= row < count:
        raise IndexError(f"number {number} of {count}")
    return row


def _fan(polygon: list[int], triangles: list[list[int]]) -> None:
    if len(polygon) < 3:
        raise ValueError("a polygon needs three corners")
    triangles += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]


def _table(path: str | Path, kind: str, rows: list[list[float]], columns: int) -> np.ndarray:
    if any(len(row) != columns for row in rows):
        raise FacemillError(f"{path}: expected {columns} numbers in every line {kind}")
    return np.array(rows, np.float64).reshape(-1, columns)
