"""A few faces for the page's 3D view: true and predicted surfaces, small enough to travel inside the page.

Every surface has the same points, texels of a map of the face, so that one list of triangles draws all of them and the
distance from a prediction to its truth is that between points of one number.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.evaluation import predictions
from pipeline.evaluation.benchmark import annotation_of
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import Lacking
from pipeline.evaluation.sheet import grid_triangles
from pipeline.evaluation.truth import of_annotation
from pipeline.geometry.resample import to_rgb
from pipeline.io import hdf5
from pipeline.metrics.normalisers import box_size
from pipeline.records import PACK, POINTS
from pipeline.report.pictures import jpeg_uri
from pipeline.tables.results import Run

GRID = 96
"""Side of the map whose texels are the points: some 4,000 points, 25 KB a surface."""
LEVELS = 65535
REACH = 3.0
SCALES = (0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, eq=False)
class Surface:
    """A predicted surface (M, 3) in pixels of the picture, and the score that it has."""

    model: str
    value: float | None
    points: np.ndarray


@dataclass(eq=False)
class Face:
    """One face: its crop as a data URI, its true surface (M, 3) in pixels of the picture, sqrt(w h) of the true
    68-point box in pixels, and the predictions of it."""

    benchmark: str
    picture: str
    yaw_deg: float
    crop: str
    truth: np.ndarray
    size: float
    predicted: list[Surface] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of one benchmark: triangles (T, 3) of their points, the faces, and model -> why none of it is shown."""

    triangles: np.ndarray
    faces: list[Face]
    missing: Mapping[str, str]


def collect(
    runs: Sequence[Run],
    values: Mapping[str, Mapping[str, float | None]],
    yaws: Mapping[str, float],
    chart: Chart,
) -> Faces:
    """The wanted faces of one benchmark with the predictions of each run.

    Args:
        runs: of that benchmark, one a model.
        values: model -> picture -> its score.
        yaws: the wanted pictures, and the true yaw of each in degrees.
        chart: of the benchmark's face model.
    """
    found: dict[str, Face] = {}
    missing: dict[str, str] = {}
    for run in runs:
        try:
            _add(run, values[run.model], yaws, chart, found)
        except Lacking as lack:
            missing[run.model] = str(lack)
    mask = chart.face_mask(GRID)
    compact = np.cumsum(mask) - 1
    faces = [found[picture] for picture in yaws if picture in found]
    return Faces(compact[grid_triangles(mask)], faces, missing)


def _add(
    run: Run,
    values: Mapping[str, float | None],
    yaws: Mapping[str, float],
    chart: Chart,
    found: dict[str, Face],
) -> None:
    done = set()
    with hdf5.open_checked(run.pack, PACK) as pack:
        for row, (prediction, shape) in enumerate(predictions.shapes(run.predictions, pack, chart)):
            picture = prediction.picture
            if picture not in yaws or picture in done:
                continue
            done.add(picture)
            if picture not in found:
                if pack.attrs["truth"] == POINTS:
                    raise Lacking("the truth has points alone, no surface")
                truth = of_annotation(picture, annotation_of(pack, row), chart)
                found[picture] = Face(
                    run.benchmark,
                    picture,
                    yaws[picture],
                    jpeg_uri(to_rgb(pack["image"][row])),
                    truth.shape.face(GRID),
                    float(box_size(truth.shape.landmarks())),
                )
            if shape.finite:
                points = beside(shape.face(GRID), found[picture])
                found[picture].predicted.append(Surface(run.model, values.get(picture), points))


def as_values(groups: Sequence[Faces]) -> dict[str, Any]:
    """What the viewer reads, as JSON: triangles and points in base64 of little-endian uint16.

    Returns:
        full: the distance at the end of the scale of colours, a share of a face's size; meshes: [triangles]; faces:
        each with mesh (its number), benchmark, picture, yaw, crop, size, origin and step (pixels: origin + step *
        code), truth and predicted [{model, value, points}].
    """
    return {
        "full": _scale(groups),
        "meshes": [_packed(group.triangles) for group in groups],
        "faces": [_face(number, face) for number, group in enumerate(groups) for face in group.faces],
    }


def _face(number: int, face: Face) -> dict[str, Any]:
    every = np.concatenate([face.truth, *(surface.points for surface in face.predicted)])
    origin = every.min(axis=0)
    step = float(np.ptp(every, axis=0).max()) / LEVELS
    return {
        "mesh": number,
        "benchmark": face.benchmark,
        "picture": face.picture,
        "yaw": None if np.isnan(face.yaw_deg) else round(face.yaw_deg, 1),
        "crop": face.crop,
        "size": face.size,
        "origin": origin.tolist(),
        "step": step,
        "truth": _packed((face.truth - origin) / step),
        "predicted": [
            {"model": s.model, "value": s.value, "points": _packed((s.points - origin) / step)}
            for s in face.predicted
        ],
    }


def _scale(groups: Sequence[Faces]) -> float:
    """The smallest end of the colours that nine in ten of all predicted points stay below; the largest where none
    is."""
    away = [
        np.linalg.norm(surface.points - face.truth, axis=1) / face.size
        for group in groups
        for face in group.faces
        for surface in face.predicted
    ]
    most = float(np.quantile(np.concatenate(away), 0.9)) if away else 0.0
    return next((end for end in SCALES if end >= most), SCALES[-1])


def beside(points: np.ndarray, face: Face) -> np.ndarray:
    """The points moved in depth to the truth's mean (where z has its origin is a matter of convention), and none
    farther from the truth's box than REACH times the face's size: one stray point would cost all others their
    precision."""
    moved = np.array(points, dtype=np.float64)
    moved[:, 2] += face.truth[:, 2].mean() - moved[:, 2].mean()
    reach = REACH * face.size
    return np.clip(moved, face.truth.min(axis=0) - reach, face.truth.max(axis=0) + reach)


def _packed(numbers: np.ndarray) -> str:
    return base64.b64encode(np.rint(numbers).astype("<u2").tobytes()).decode("ascii")
