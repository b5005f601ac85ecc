"""AFLW as 3DDFA crops it: 120x120 pictures with AFLW's 21 points, visible ones alone (spec prn_vrn_3ddfa G.1).

Two layouts are read:

- 3DDFA's: the crops in `AFLW_GT_crop/` and the list `AFLW_GT_crop.list` (both in the root or in `test.data/`), and
  `AFLW_GT_pts21.npy` (n, 2, 21), `AFLW_GT_crop_roi_box.npy` (n, 4), `AFLW_GT_crop_yaws.npy` (n,) degrees, and, where
  one has it, `AFLW_GT_pts68.npy` (n, 2|3, 68), in the root or in `test.configs/`; row k is line k of the list;
- one `labels.npz` in the root with `names`, `pts21_450` (n, 2, 21), `roi_box` (n, 4), `yaw_deg` (n,), and the crops
  `<name>.jpg` in a folder at any depth.

Points and boxes are in Matlab's pixels (1-based, y down) of a 450x450 picture that is not part of the set; a box is
the first and the last pixel that were cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.datasets.base import (
    AnnotationProblem,
    FaceAnnotation,
    Picture,
    every_nth,
    picture_files,
    select,
)
from pipeline.datasets.face_300w_lp import photograph
from pipeline.datasets.labels import read_lines, require, visible21
from pipeline.datasets.rows import Loaded, address, no_such_row, parse
from pipeline.io.arrays import read_npy, read_npz
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

LICENCE = "AFLW: non-commercial research only, after registration; see the data set's own terms"
SIDE = 120
LABELS = "labels.npz"
POINTS, BOXES, YAWS, POINTS68 = (
    "AFLW_GT_pts21.npy",
    "AFLW_GT_crop_roi_box.npy",
    "AFLW_GT_crop_yaws.npy",
    "AFLW_GT_pts68.npy",
)
CROPS, LIST = "AFLW_GT_crop", "AFLW_GT_crop.list"


@dataclass(frozen=True, eq=False)
class Table:
    """points (n, 2, 21) and boxes (n, 4) in Matlab's pixels of the uncut picture, yaws (n,) degrees; points68
    (n, 2|3, 68), fitted, or None."""

    points: np.ndarray
    boxes: np.ndarray
    yaws: np.ndarray
    points68: np.ndarray | None


def in_crop(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """0-based px (K, 2|3) of the 120x120 crop of points (K, 2|3) in 0-based px of the uncut picture.

    box: first and last pixel, 1-based: x1, y1, x2, y2. Pixel edges fall on pixel edges, in each axis with a scale
    of its own, as the resampling had it; z is scaled by the mean. 3DDFA's own mapping, (x - x1) 120 / (x2 - x1) of
    1-based values, lies about half a pixel further right and down.
    """
    first, last = np.asarray(box, np.float64).reshape(2, 2) - 1
    scale = SIDE / (last - first + 1)
    out = np.array(points, np.float64)
    out[:, :2] = (out[:, :2] - first + 0.5) * scale - 0.5
    out[:, 2:] *= scale.mean()
    return out


def table(path: Path) -> Table:
    """The labels that `labels.npz`, or the .npy files beside `AFLW_GT_pts21.npy`, hold; `FacemillError` when a part
    is missing or of another shape."""
    if path.name == LABELS:
        return _archive(path)[1]
    points = read_npy(path)
    count = len(points) if points.ndim else 0
    require(str(path), points, (count, 2, 21))
    boxes, yaws = (
        require(str(path.with_name(name)), read_npy(path.with_name(name)), (count, *shape))
        for name, shape in ((BOXES, (4,)), (YAWS, ()))
    )
    fitted = path.with_name(POINTS68)
    if not fitted.is_file():
        return Table(points, boxes, yaws, None)
    return Table(points, boxes, yaws, require(str(fitted), read_npy(fitted), (count, 2, 68), (count, 3, 68)))


@DATASETS.register("aflw")
class Aflw:
    """Reader of AFLW's crops; `detector: whole` belongs to them, and `labels: tddfa` where a model is to learn.

    The set has no split of its own: with subset 'all' every picture is 'train' (as a benchmark all are test anyway);
    'train' and 'test' cut it by photograph, where the last of every `every` sorted photographs is a test photograph.
    Its first 2,000 entries are AFLW2000-3D.
    """

    parameters = False
    collection = "aflw"

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset, self.every = subset, every
        self._tables = Loaded(table)

    def pictures(self, root: Path) -> list[Picture]:
        """Every row of the labels, whether its crop is there or not, in the labels' order; the photograph is the
        group, since AFLW has several faces of some."""
        file, paths = self._listed(root)
        groups = sorted({photograph(Path(path).stem) for path in paths})
        test = {group for k, group in enumerate(groups) if self.subset != "all" and every_nth(k, self.every)}
        found = [
            Picture(
                id=Path(path).stem,
                path=path,
                split="test" if photograph(Path(path).stem) in test else "train",
                group=photograph(Path(path).stem),
                annotations=(address(file, row),),
                licence=LICENCE,
            )
            for row, path in enumerate(paths)
        ]
        return select(found, self.subset)

    def _listed(self, root: Path) -> tuple[str, list[str]]:
        """The file of the labels and the path of each row's crop, relative to the root."""
        if (root / LABELS).is_file():
            return LABELS, _crops_of(root, _archive(root / LABELS)[0])
        file, listing = _first(root, "test.configs", POINTS), _first(root, "test.data", LIST)
        names = read_lines(listing)
        rows = len(self._tables[file].points)
        if len(names) != rows:
            raise FacemillError(
                f"{listing}: expected a line for each of the {rows} rows of {file.name}, found {len(names)}"
            )
        crops = (listing.parent / CROPS).relative_to(root)
        return file.relative_to(root).as_posix(), [(crops / name).as_posix() for name in names]

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """points: 'aflw21' (21, 2) px of the crop, NaN where one is not visible; 'landmarks68_fit' (68, 2|3) where
        the set has them; yaw_deg. `path` is `<file of labels>#<row>`."""
        row = parse(path)
        labels = self._tables[row.file]
        if row.row >= len(labels.points):
            raise no_such_row(row, len(labels.points))
        box = labels.boxes[row.row].astype(np.float64)
        if not (box[2:] > box[:2]).all():
            detail = f"{path.name}: expected a box x1 y1 x2 y2, found {box.tolist()}"
            raise AnnotationProblem(Reason.ANNOTATION_IMPLAUSIBLE, detail)
        points = {"aflw21": in_crop(visible21(labels.points[row.row].astype(np.float64)), box)}
        if labels.points68 is not None:
            fitted = labels.points68[row.row].astype(np.float64).T
            points["landmarks68_fit"] = in_crop(fitted - [1, 1, 0][: fitted.shape[1]], box)
        return FaceAnnotation(
            None, None, None, height=height, points=points, yaw_deg=float(labels.yaws[row.row])
        )


def _crops_of(root: Path, names: list[str]) -> list[str]:
    """The path of each name's crop; a missing one is named in the folder of the others."""
    try:
        files = [path.relative_to(root) for path in picture_files(root)]
    except FacemillError as error:
        raise FacemillError(f"{error}; unpack the crops (crops120.zip) there") from error
    crops = {path.stem: path for path in files}
    if len(crops) != len(files):
        twice = next(path for path in files if crops[path.stem] != path)
        raise FacemillError(
            f"{root}: expected one crop called {twice.stem}, found {twice} and {crops[twice.stem]}; set the root to "
            f"a folder that holds {LABELS} and the crops alone"
        )
    return [crops.get(name, files[0].with_name(f"{name}.jpg")).as_posix() for name in names]


def _first(root: Path, folder: str, name: str) -> Path:
    for place in (root, root / folder):
        if (place / name).is_file():
            return place / name
    raise FacemillError(
        f"expected {LABELS} in {root}, or {name} there or in {root / folder}, found neither; set datasets.<name>.root "
        "to the folder that has 3DDFA's test.configs and test.data"
    )


def _archive(path: Path) -> tuple[list[str], Table]:
    """The names and the labels of `labels.npz`."""
    shapes = {"pts21_450": (2, 21), "roi_box": (4,), "yaw_deg": ()}
    content = read_npz(path, ("names", *shapes))
    names = [str(name) for name in content["names"]]
    points, boxes, yaws = (
        require(f"{path}, {key}", content[key], (len(names), *shape)) for key, shape in shapes.items()
    )
    return names, Table(points, boxes, yaws, None)
