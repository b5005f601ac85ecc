"""The truth that predictions in a file are scored against: a data set through its reader, or an .npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.datasets.base import Reader
from pipeline.evaluation.benchmark import AnnotatedTruth, BenchmarkPicture
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.given import POINTS, of_arrays
from pipeline.evaluation.truth import Truth, short
from pipeline.io.arrays import read_npz
from pipeline.records import FacemillError

YAWS = {"fitted": "yaw_deg", "aflw": "yaw_aflw_abs_deg"}
"""List of yaws -> the array of an .npz that holds it."""


def of_dataset(reader: Reader, root: Path, chart: Chart) -> list[Truth]:
    """The truth of every picture of a data set that has exactly one annotated face, in the reader's order."""
    pictures = [
        BenchmarkPicture(picture.id, picture.path, picture.annotations[0])
        for picture in reader.pictures(root)
        if len(picture.annotations) == 1
    ]
    if not pictures:
        raise FacemillError(f"{root}: expected pictures with one annotated face, found none")
    truth = AnnotatedTruth(pictures, reader, root, chart)
    return [truth.of(picture.id) for picture in pictures]


def of_file(path: Path, chart: Chart) -> list[Truth]:
    """The truth in an .npz: arrays as predictions have them (`pipeline.evaluation.given`), and, where they are known,
    `pose_deg` (n, 3), pitch, yaw, roll in degrees, `yaw_deg` (n,) and `yaw_aflw_abs_deg` (n,).

    The yaw of a picture is that of `yaw_deg`, else of `pose_deg`.
    """
    content = read_npz(path, ("names",))
    shapes = of_arrays(content, path, chart)
    count = len(shapes)
    pose = _column(content, path, "pose_deg", (count, 3))
    yaws = {name: _column(content, path, key, (count,)) for name, key in YAWS.items()}
    found = []
    for row, (name, shape) in enumerate(shapes.items()):
        angles = np.full(3, np.nan) if pose is None else np.radians(pose[row])
        lists = {key: float(values[row]) for key, values in yaws.items() if values is not None}
        origins = {
            POINTS[key][0]: int(content[f"{key}_origin"]) for key in POINTS if f"{key}_origin" in content
        }
        fitted = {"fitted": float(np.degrees(angles[1]))}
        found.append(Truth(name, shape, angles, {**fitted, **lists}, origins))
    return found


def only(truths: list[Truth], names: list[str], where: str) -> list[Truth]:
    """The truths of the pictures with these names (ids, or last parts that are one picture's alone); FacemillError for
    a name without one, with several, or that stands twice, and where there is no name at all."""
    by_name: dict[str, list[Truth]] = {}
    for truth in truths:
        for name in {truth.picture, short(truth.picture)}:
            by_name.setdefault(name, []).append(truth)
    if not names:
        raise FacemillError(f"{where}: expected names of pictures, found none")
    for name in names:
        found = by_name.get(name, [])
        if len(found) != 1 or names.count(name) > 1:
            what = f"{len(found)} pictures" if names.count(name) == 1 else "it twice in the list"
            raise FacemillError(
                f"{where}: expected {name} to name one of the truth's {len(truths)} pictures, found {what}"
            )
    return [by_name[name][0] for name in names]


def _column(
    content: dict[str, np.ndarray], path: Path, key: str, shape: tuple[int, ...]
) -> np.ndarray | None:
    if key not in content:
        return None
    found = content[key]
    if found.dtype.kind not in "fiu" or found.shape != shape:
        raise FacemillError(
            f"{path}, {key}: expected numbers of shape {shape}, found {found.dtype} of {found.shape}"
        )
    return found.astype(np.float64)
