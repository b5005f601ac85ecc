"""YouTube-Faces key points in CSV: frames with 68 points each (spec landmarks 1.4).

Published layout: the frames in `training/` and `test/`, and beside these folders `training_keypoints.csv` and
`test_keypoints.csv` (204 numbers a row: x, y, z of each point in turn) or the widely used two-dimensional
`training_frames_keypoints.csv` and `test_frames_keypoints.csv` (136 numbers: x, y). Where both kinds are there, the
first is read. Column 0 is the file name `<Person>_<V><F>.jpg`, video V and frame F; a first line with an empty column 0
is a header. Coordinates are used as they stand, as 0-based px with y down and z toward the viewer.

All 347 persons of the published test file are in the training file too, and most of its frames. So 'train' and 'test'
are no published parts: both files are cut by person.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Picture, every_nth, select
from pipeline.datasets.rows import Loaded, address, no_such_row, parse
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

LICENCE = "YouTube-Faces: research only; the frames and key points come without a licence of their own"
PARTS = {
    "train": ("training", ("training_keypoints.csv", "training_frames_keypoints.csv")),
    "test": ("test", ("test_keypoints.csv", "test_frames_keypoints.csv")),
}
POINTS = 68
FRAME = re.compile(r"^(?P<person>.+)_\d+$")


def person(frame: str) -> str:
    """The person in a frame: `Abdel_Aziz_Al-Hakim_00` -> `Abdel_Aziz_Al-Hakim`; a name without a number stays."""
    match = FRAME.match(frame)
    return match["person"] if match else frame


def rows(path: Path) -> list[list[str]]:
    """The cells of a file of key points, line by line, without header and empty lines; `FacemillError` when it cannot
    be read, has none, or a name in it holds a NUL byte."""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            found = [[cell.strip() for cell in line] for line in csv.reader(handle) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FacemillError(f"{path}: expected a table of key points: {error}") from error
    found = found[1:] if found and not found[0][0] else found
    if not found:
        raise FacemillError(f"{path}: expected a line for each picture, found none")
    damaged = next((cells[0] for cells in found if "\0" in cells[0]), None)
    if damaged is not None:
        raise FacemillError(
            f"{path}: expected file names, found a NUL byte in {damaged[:60]!r}; get the file again"
        )
    return found


@DATASETS.register("youtube_faces")
class YouTubeFaces:
    """Reader of YouTube-Faces key points, points alone; the person is the group.

    Subset 'all' gives both files with their published parts as split; with 'train' and 'test' no person is in both:
    with the persons in sorted order, the last of every `every` is a test person, whichever file has the frame.
    """

    parameters = False

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset, self.every = subset, every
        self._rows = Loaded(rows)

    def pictures(self, root: Path) -> list[Picture]:
        """Every row of the files, whether its frame is there or not, in the files' order."""
        listed = [
            (part, folder, file, row, cells[0])
            for part, folder, file in self._files(root)
            for row, cells in enumerate(self._rows[root / file])
        ]
        persons = sorted({person(Path(name).stem) for *_, name in listed})
        test = {one for k, one in enumerate(persons) if every_nth(k, self.every)}
        found = []
        for part, folder, file, row, name in listed:
            who = person(Path(name).stem)
            by_person = "test" if who in test else "train"
            found.append(
                Picture(
                    id=f"{folder}/{Path(name).stem}",
                    path=f"{folder}/{name}",
                    split=part if self.subset == "all" else by_person,
                    group=who,
                    annotations=(address(file, row),),
                    licence=LICENCE,
                )
            )
        return select(found, self.subset)

    def _files(self, root: Path) -> list[tuple[str, str, str]]:
        """Part, folder of the frames and file of key points, those that are there."""
        if not root.is_dir():
            raise FacemillError(
                f"no data folder {root}; set datasets.<name>.root, or the environment variable in it, to the folder"
            )
        found = [
            (part, folder, next(name for name in names if (root / name).is_file()))
            for part, (folder, names) in PARTS.items()
            if any((root / name).is_file() for name in names)
        ]
        if not found:
            names = ", ".join(name for _, files in PARTS.values() for name in files)
            raise FacemillError(
                f"{root}: expected one of {names}, found none; set datasets.<name>.root to the folder that has them"
            )
        return found

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """landmarks68 (68, 3), or (68, 2) of the two-dimensional files, as they stand; `path` is `<file>#<row>`."""
        row = parse(path)
        table = self._rows[row.file]
        if row.row >= len(table):
            raise no_such_row(row, len(table))
        cells = table[row.row][1:]
        if len(cells) not in (2 * POINTS, 3 * POINTS):
            detail = f"{path.name}: expected {3 * POINTS} or {2 * POINTS} numbers, found {len(cells)}"
            raise AnnotationProblem(Reason.ANNOTATION_MISSING, detail)
        try:
            points = np.array([float(cell) for cell in cells]).reshape(POINTS, -1)
        except ValueError as error:
            raise AnnotationProblem(Reason.ANNOTATION_MISSING, f"{path.name}: {error}") from error
        if not np.isfinite(points).all():
            detail = (
                f"{path.name}: {int((~np.isfinite(points)).sum())} of {points.size} numbers are not finite"
            )
            raise AnnotationProblem(Reason.ANNOTATION_NOT_FINITE, detail)
        return FaceAnnotation(None, None, None, height=height, landmarks68=points)
