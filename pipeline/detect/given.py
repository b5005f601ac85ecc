"""Boxes that somebody has found already, from a table or from a file beside each picture; FAN finds the landmarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline.config import DetectionSettings
from pipeline.detect.base import Annotate, Sight
from pipeline.detect.boxed import BoxedDetector, Boxes
from pipeline.io.files import expand
from pipeline.io.tables import read_tsv
from pipeline.records import FacemillError
from pipeline.registry import DETECTORS

COLUMNS = ("path", "x1", "y1", "x2", "y2")
BESIDE = (".txt", ".npy")


@DETECTORS.register("boxes")
class GivenBoxes(BoxedDetector):
    """`settings.boxes` is a table with the columns path (in the data set's folder), x1, y1, x2, y2 and, if there is
    one, score, a row for each face, in pixels of the picture, 0-based. Without it they stand beside `photo.jpg` in
    `photo.txt` (x1 y1 x2 y2 and a score, if there is one, in a line; blanks or commas between them) or in `photo.npy`
    (n, 4 or 5). A box without a score has 1; none is left out for its score. A picture without boxes has no face."""

    uses_paths = True
    repeats = True

    def __init__(self, settings: DetectionSettings, annotate: Annotate | None = None):
        super().__init__(settings)
        self.name = Path(settings.boxes or "").name
        self.table = None if settings.boxes is None else read_boxes(expand(settings.boxes))

    def find_boxes(self, sights: Sequence[Sight]) -> list[Boxes | str]:
        """The rows of each picture, best first."""
        return [self._boxes(sight) for sight in sights]

    def _boxes(self, sight: Sight) -> Boxes | str:
        if self.table is None:
            found = boxes_beside(sight.root / sight.path)
        else:
            found = self.table.get(sight.path, f"no row for {sight.path} in {self.name}")
        if isinstance(found, str):
            return found
        order = np.argsort(-found[:, 4], kind="stable")
        return found[order, :4], found[order, 4]


def read_boxes(path: Path) -> dict[str, np.ndarray]:
    """A table of boxes: path of the picture -> its rows (n, 5) float64 x1, y1, x2, y2, score. FacemillError for a
    missing file or column, and for a row that holds no numbers."""
    found: dict[str, list[np.ndarray]] = {}
    for row in read_tsv(path, COLUMNS):
        cells = [row[name] for name in COLUMNS[1:]] + ([row["score"]] if row.get("score") else [])
        try:
            found.setdefault(row["path"], []).append(_row(cells))
        except ValueError as problem:
            raise FacemillError(f"{path}, {row['path']}: {problem}") from problem
    return {name: np.stack(rows) for name, rows in found.items()}


def boxes_beside(picture: Path) -> np.ndarray | str:
    """The boxes (n, 5) in the file beside a picture, or what is wrong with it."""
    for suffix in BESIDE:
        path = picture.with_suffix(suffix)
        if path.is_file():
            try:
                rows = [_row(cells) for cells in _cells(path)]
            except (OSError, ValueError, EOFError) as problem:
                return f"{path.name}: {problem}"
            return np.stack(rows) if rows else f"{path.name} holds no box"
    return f"no boxes beside the picture: expected {' or '.join(picture.stem + suffix for suffix in BESIDE)}"


def _cells(path: Path) -> Iterable[Sequence[object]]:
    if path.suffix == ".txt":
        return [
            line.replace(",", " ").split() for line in path.read_text("utf-8").splitlines() if line.strip()
        ]
    boxes = np.load(path, allow_pickle=False)
    if boxes.size == 0:
        return []
    if boxes.ndim not in (1, 2):
        raise ValueError(f"expected boxes (n, 4), found an array {boxes.shape}")
    return np.atleast_2d(boxes)


def _row(cells: Sequence[object]) -> np.ndarray:
    """Four or five cells -> (5,) float64; ValueError for others."""
    try:
        numbers = [float(cell) for cell in cells]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (4, 5) or not np.isfinite(numbers).all():
        found = " ".join(map(str, cells))
        raise ValueError(f"expected x1 y1 x2 y2 and perhaps a score, found {found!r}")
    return np.array([*numbers, 1.0][:5])
