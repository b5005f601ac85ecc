"""AFLW-LFPA (AFLW-PIFA): 3,901 training and 1,299 test faces of AFLW with 34 points each.

Layout: `TrainImages/<k>.jpg` and `TestImages/<k>.jpg`, k from 1; `Landmark.mat` with `phisTr` and `phisT`, (n, 102),
row k - 1 for picture k: x of the 34 points, then their y, then 34 flags; `BoundingBox.mat` with `bboxesTr` and
`bboxesT`, (n, 4), left, top, width, height.

How sure this is: the authors' archive was not at hand. File names, keys, counts and the order x, y, flags are those
with which a public conversion script reads it. That the numbers are Matlab's (1-based) is an assumption, as for every
.mat here. The script does not say which flag means visible: since of a face at any yaw more than half of the points
are visible, the flag that most points of a table have is read as that.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Picture, picture_files, select
from pipeline.datasets.face_300w_lp import read_mat
from pipeline.datasets.labels import require
from pipeline.datasets.rows import Loaded, address, no_such_row, parse
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

LICENCE = "AFLW-LFPA: AFLW's pictures, non-commercial research only; see the terms of both data sets"
POINTS = 34
LANDMARKS, BOXES = "Landmark.mat", "BoundingBox.mat"
PARTS = {"train": ("TrainImages", "phisTr"), "test": ("TestImages", "phisT")}
BOX_KEYS = {"phisTr": "bboxesTr", "phisT": "bboxesT"}


def tables(path: Path) -> dict[str, np.ndarray]:
    """The two tables of a .mat by key, those that the file has; `FacemillError` when it has none."""
    try:
        content = read_mat(path)
    except AnnotationProblem as problem:
        raise FacemillError(f"{path.parent}: expected {path.name}: {problem.detail}") from problem
    wanted, width = (BOX_KEYS.keys(), 3 * POINTS) if path.name == LANDMARKS else (BOX_KEYS.values(), 4)
    found = {
        key: require(f"{path}, {key}", content[key], (len(content[key]), width))
        for key in wanted
        if key in content
    }
    if not found:
        keys = ", ".join(key for key in content if not key.startswith("__"))
        raise FacemillError(f"{path}: expected {' or '.join(wanted)}, found {keys or 'nothing'}")
    return found


@DATASETS.register("aflw_lfpa")
class AflwLfpa:
    """Reader of AFLW-LFPA, points alone. Its own split; what a picture's AFLW photograph is, the set does not say."""

    parameters = False
    collection = "aflw"

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset = subset
        self._tables = Loaded(tables)

    def pictures(self, root: Path) -> list[Picture]:
        """The pictures of both folders by number, each its own group; the row of one beyond its table is missing."""
        found = []
        for part, (folder, key) in PARTS.items():
            if not (root / folder).is_dir():
                continue
            for path in sorted(picture_files(root / folder), key=_number):
                relative = path.relative_to(root)
                found.append(
                    Picture(
                        id=relative.with_suffix("").as_posix(),
                        path=relative.as_posix(),
                        split=part,
                        group=relative.with_suffix("").as_posix(),
                        annotations=(address(LANDMARKS, _number(path) - 1, key),),
                        licence=LICENCE,
                    )
                )
        if not found:
            folders = " and ".join(folder for folder, _ in PARTS.values())
            raise FacemillError(
                f"{root}: expected the folders {folders}, found neither; set datasets.<name>.root to the folder that "
                f"has them and {LANDMARKS}"
            )
        return select(found, self.subset)

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """points: 'lfpa34' (34, 2) image px, NaN where one is not visible, and 'lfpa_box' (2, 2), the outer corners
        of the set's box, where `BoundingBox.mat` is there. `path` is `Landmark.mat#<table>:<row>`."""
        row = parse(path)
        landmarks = self._tables[row.file]
        if row.table not in landmarks:
            detail = f"{row.file.name}: expected {row.table or 'a table'}, found {', '.join(landmarks)}"
            raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail)
        table = landmarks[row.table]
        if row.row >= len(table):
            raise no_such_row(row, len(table))
        values = table[row.row].astype(np.float64)
        if not np.isfinite(values).all():
            detail = (
                f"{path.name}: {int((~np.isfinite(values)).sum())} of {len(values)} numbers are not finite"
            )
            raise AnnotationProblem(Reason.ANNOTATION_NOT_FINITE, detail)
        visible = (values[2 * POINTS :] > 0) == most_are_set(table)
        points = values[: 2 * POINTS].reshape(2, POINTS).T - 1
        found = {"lfpa34": np.where(visible[:, None], points, np.nan)}
        boxes = row.file.with_name(BOXES)
        if boxes.is_file():
            found["lfpa_box"] = self._box(boxes, BOX_KEYS[row.table], row.row, path.name)
        return FaceAnnotation(None, None, None, height=height, points=found)

    def _box(self, file: Path, key: str, row: int, name: str) -> np.ndarray:
        boxes = self._tables[file].get(key, np.empty((0, 4)))
        if row >= len(boxes):
            detail = f"{name}: expected row {row} of {key} in {file.name}, found {len(boxes)} rows"
            raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail)
        left, top, width, height = boxes[row].astype(np.float64)
        return np.array([[left, top], [left + width, top + height]]) - 1.5


def most_are_set(table: np.ndarray) -> bool:
    """Whether more than half of the flags of a table (n, 102) are set."""
    return bool((table[:, 2 * POINTS :] > 0).mean() > 0.5)


def _number(path: Path) -> int:
    """The number that a picture is called by; `FacemillError` for another name."""
    if not re.fullmatch(r"[1-9]\d*", path.stem):
        raise FacemillError(f"{path}: expected a picture called by its number, as 1{path.suffix}")
    return int(path.stem)
