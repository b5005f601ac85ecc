"""UV charts: another chart for a face model, and how far a chart is one-to-one.

A chart is ``uv`` (M, 2) in the unit square, u right and v up, with a row of ``uv_triangles`` for every triangle of the
mesh. Files: BFM_UV.mat (``UV``; PRNet's position maps are of this chart: its uv_kpt_ind is the texels of the 68
keypoints, 68 of 68), an .npz with ``uv`` and, for a chart with seams, ``uv_triangles``, or an .obj with ``vt``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.geometry.mesh import rasterize
from pipeline.io.arrays import read_mat, read_npy, read_npz
from pipeline.io.meshes.mesh import fan_all
from pipeline.io.meshes.obj import read_elements
from pipeline.morphable.model import MorphableModel
from pipeline.records import FacemillError

LIMIT = 0.01
"""Largest share of a chart that may be folded or lie over the rest; BFM's is folded by 1.2e-5."""
GRID = 1024


@dataclass(frozen=True)
class ChartFit:
    """How far a chart is one-to-one, shares of the area of all its triangles.

    folded: of the triangles that are turned over (clockwise where the mesh shows its outside). overlapping: that lies
    on other triangles, measured on a grid of `GRID` texels, so that shares below 1e-3 mean nothing. covered: share of
    the unit square that the chart covers.
    """

    folded: float
    overlapping: float
    covered: float


def measure(uv: np.ndarray, uv_triangles: np.ndarray) -> ChartFit:
    """The fit of a chart; FacemillError when it has no area."""
    corner = np.asarray(uv, np.float64)[uv_triangles]
    first, second = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
    total = np.abs(area).sum()
    if not total > 0:
        raise FacemillError("expected a chart with area, found none")
    plane = np.column_stack([uv[:, 0], 1.0 - uv[:, 1], np.zeros(len(uv))]) * GRID - (0.5, 0.5, 0)
    covered = float(rasterize(plane, uv_triangles, GRID, GRID).mask.mean())
    return ChartFit(
        float(np.abs(area[area < 0]).sum() / total), max(0.0, float(1 - covered / total)), covered
    )


def with_chart(
    model: MorphableModel, uv: np.ndarray, uv_triangles: np.ndarray, where: str = "chart"
) -> MorphableModel:
    """The model with another chart.

    Args:
        model: any face model.
        uv: (M, 2) in [0, 1], u right, v up.
        uv_triangles: (T, 3) rows of ``uv``; row i belongs to ``model.triangles[i]``, corner by corner.
        where: what the chart was read from, for messages.

    Raises:
        FacemillError: wrong shapes, points outside the unit square or not finite, a mirrored chart, or one that is not
            one-to-one: more than `LIMIT` of it is folded or lies over the rest.
    """
    uv, uv_triangles = np.asarray(uv, np.float64), np.asarray(uv_triangles)
    if uv.ndim != 2 or uv.shape[1] != 2 or uv_triangles.shape != model.triangles.shape:
        raise FacemillError(
            f"{where}: expected chart points (M, 2) and a row for each of {len(model.triangles)} triangles of face "
            f"model {model.name}, found shapes {uv.shape} and {uv_triangles.shape}"
        )
    if uv_triangles.size and (uv_triangles.min() < 0 or uv_triangles.max() >= len(uv)):
        raise FacemillError(
            f"{where}: expected rows from 0 to {len(uv) - 1}, found {uv_triangles.min()} to {uv_triangles.max()}"
        )
    used = uv[np.unique(uv_triangles)]
    if not np.isfinite(used).all() or used.min() < -1e-6 or used.max() > 1 + 1e-6:
        raise FacemillError(
            f"{where}: expected u and v from 0 to 1, found {np.min(used):.4g} to {np.max(used):.4g}; a chart of "
            "several tiles is not one-to-one in the unit square"
        )
    uv = np.clip(np.nan_to_num(uv), 0.0, 1.0)
    fit = measure(uv, uv_triangles)
    if fit.folded > 0.5:
        raise FacemillError(
            f"{where}: the chart is mirrored, {fit.folded:.1%} of its area turns the other way round than the face; "
            "expected u to the right of the picture and v up"
        )
    if max(fit.folded, fit.overlapping) > LIMIT:
        raise FacemillError(
            f"{where}: expected a one-to-one chart, found {fit.folded:.1%} of its area folded over and "
            f"{fit.overlapping:.1%} on top of the rest; at most {LIMIT:.0%} may be"
        )
    return replace(model, uv=uv.astype(np.float32), uv_triangles=uv_triangles.astype(np.int32))


def load_chart(model: MorphableModel, path: Path) -> MorphableModel:
    """The model with the chart in a file: an .obj, .npz or .mat.

    A list of points (.mat, .npz without ``uv_triangles``) has one for each vertex; for a model of a part of the mesh,
    indices.npy beside the file says which are its vertices. An .obj has the model's vertices and triangles in its
    order; polygons are cut into fans. Raises FacemillError for a file that cannot be read or does not fit the model.
    """
    if path.suffix == ".obj":
        return with_chart(model, *_of_obj(model, path), where=str(path))
    if path.suffix == ".npz":
        content = read_npz(path, ("uv",))
        if "uv_triangles" in content:
            return with_chart(model, content["uv"], content["uv_triangles"], where=str(path))
        uv = content["uv"]
    elif path.suffix == ".mat":
        uv = read_mat(path, ("UV",))["UV"]
    else:
        raise FacemillError(
            f"{path}: expected a chart as .mat, .npz or .obj, found {path.suffix or path.name}"
        )
    return with_chart(model, _per_vertex(model, uv, path), model.triangles, where=str(path))


def _per_vertex(model: MorphableModel, uv: np.ndarray, path: Path) -> np.ndarray:
    count = len(model.mean)
    listed = path.parent / "indices.npy"
    if len(uv) > count and listed.is_file():
        kept = np.ravel(read_npy(listed))
        if len(kept) == count and kept.dtype.kind in "iu" and kept.min() >= 0 and kept.max() < len(uv):
            return uv[kept]
    if len(uv) != count:
        raise FacemillError(
            f"{path}: expected a chart point for each of {count} vertices of face model {model.name}, found {len(uv)}"
        )
    return uv


def _of_obj(model: MorphableModel, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """uv and uv_triangles of an .obj, corners in the order of the model's triangles."""
    mesh = read_elements(path)
    triangles = fan_all(mesh.faces)
    found, expected = (len(mesh.points), len(triangles)), (len(model.mean), len(model.triangles))
    if found != expected:
        raise FacemillError(
            f"{path}: expected the {expected[0]} vertices and {expected[1]} triangles of face model {model.name}, "
            f"found {found[0]} and {found[1]}"
        )
    if not mesh.chart_faces:
        raise FacemillError(f"{path}: expected chart points (vt, and f v/vt), found none")
    order, wanted = np.argsort(triangles, axis=1), np.argsort(model.triangles, axis=1)
    rows = np.arange(len(triangles))[:, None]
    other = (triangles[rows, order] != model.triangles[rows, wanted]).any(axis=1)
    if other.any():
        raise FacemillError(
            f"{path}: expected the triangles of face model {model.name} in their order, found others, first in row "
            f"{int(np.argmax(other))}; export the mesh with its vertex and face order kept"
        )
    uv_triangles = np.empty_like(triangles)
    uv_triangles[rows, wanted] = fan_all(mesh.chart_faces)[rows, order]
    return np.array(mesh.charts).reshape(-1, 2), uv_triangles
