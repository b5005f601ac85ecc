"""3DDFA's training set, which 2DASL and SynergyNet learn from too: 120x120 crops of 300W-LP and their parameters.

Published layout, where `train_aug_120x120.zip` and the configs were unpacked: the crops in `train_aug_120x120/`; the
lists `train_aug_120x120.list.train` and `.list.val`, a file name a line; `param_all_norm.pkl` (SynergyNet:
`param_all_norm_v201.pkl`) and `param_all_norm_val.pkl`, whose row k belongs to line k, (n, >= 62) whitened;
`param_whitening.pkl` with `param_mean` and `param_std` (spec prn_vrn_3ddfa A.4, landmarks 3.4). The last five stand
in the root itself, in `train.configs` (3DDFA) or in `3dmm_data` (SynergyNet); a list without its file of parameters is
an error, a set without the list `val` is not.

A crop is called `<SUBSET>[Flip]_<picture of 300W-LP>_<k>.jpg`, with k the number of the augmentation.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation, Picture, select
from pipeline.datasets.face_300w_lp import photograph
from pipeline.datasets.labels import read_lines
from pipeline.datasets.rows import Loaded, address, no_such_row, parse
from pipeline.geometry.camera import pose_from_matrix
from pipeline.io.pickles import read_pickle, read_pickled_dict
from pipeline.morphable.params62 import COUNT, Whitening, split
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

LICENCE = (
    "3DDFA's crops of 300W-LP and Basel Face Model parameters: non-commercial research only, see both terms"
)
CROPS = "train_aug_120x120"
CONFIGS = ("", "train.configs", "3dmm_data")
LISTS = {
    "train": (f"{CROPS}.list.train", ("param_all_norm.pkl", "param_all_norm_v201.pkl")),
    "test": (f"{CROPS}.list.val", ("param_all_norm_val.pkl",)),
}
WHITENING = "param_whitening.pkl"
NAME = re.compile(r"^(?:AFW|HELEN|IBUG|LFPW)(?:Flip)?_(?P<picture>.+)_\d+$")


def source_photograph(crop: str) -> str:
    """The photograph behind a crop, called as in 300W-LP: `HELENFlip_HELEN_166033328_1_1_1` -> `HELEN_166033328`."""
    match = NAME.match(crop)
    return photograph(match["picture"]) if match else crop


def parameter_table(path: Path) -> np.ndarray:
    """(n, 62) whitened parameters of a pickle; further columns are dropped. `FacemillError` for anything else."""
    table = read_pickle(path)
    if not isinstance(table, np.ndarray):
        raise FacemillError(f"{path}: expected an array of parameters, found {type(table).__name__}")
    if table.dtype.kind != "f" or table.ndim != 2 or table.shape[1] < COUNT:
        raise FacemillError(
            f"{path}: expected floats of shape (n, {COUNT}) or wider, found {table.dtype} of shape {table.shape}"
        )
    return table[:, :COUNT]


def whitening(path: Path) -> Whitening:
    """The statistics that undo the whitening, of the 62 first parameters; `FacemillError` when they are not there."""
    content = read_pickled_dict(path, ("param_mean", "param_std"))
    mean, std = (np.asarray(content[key], np.float64).ravel()[:COUNT] for key in ("param_mean", "param_std"))
    try:
        return Whitening(mean, std)
    except FacemillError as error:
        raise FacemillError(f"{path}: {error}") from error


@DATASETS.register("train_aug_120x120")
class TrainAug120:
    """Reader of the crops; `detector: whole` belongs to them. The list decides the split: val is 'test'."""

    collection = "300w"

    def __init__(self, *, subset: str = "all", every: int = 5):
        self.subset = subset
        self._tables = Loaded(parameter_table)
        self._whitening = Loaded(whitening)

    def pictures(self, root: Path) -> list[Picture]:
        """Every line of the lists, whether its crop is there or not, in the lists' order; its photograph as group."""
        configs = _configs(root)
        crops = root / CROPS if (root / CROPS).is_dir() else configs / CROPS
        if not crops.is_dir():
            raise FacemillError(
                f"{root}: expected the crops in {CROPS}/, found no such folder; unpack {CROPS}.zip there"
            )
        found = []
        for part, (name, parameters) in LISTS.items():
            if (configs / name).is_file():
                file = _first(configs, parameters, name)
                found += self._listed(root, configs / name, file, crops.relative_to(root), part)
        return select(found, self.subset)

    def _listed(self, root: Path, listing: Path, file: Path, crops: Path, part: str) -> list[Picture]:
        names = read_lines(listing)
        rows = len(self._tables[file])
        if len(names) != rows:
            raise FacemillError(
                f"{listing}: expected a line for each of the {rows} rows of {file.name}, found {len(names)}; "
                "take both from the same archive"
            )
        where = file.relative_to(root).as_posix()
        return [
            Picture(
                id=Path(name).stem,
                path=(crops / name).as_posix(),
                split=part,
                group=source_photograph(Path(name).stem),
                annotations=(address(where, row),),
                licence=LICENCE,
            )
            for row, name in enumerate(names)
        ]

    def annotation(self, path: Path, height: int) -> FaceAnnotation:
        """Camera (3, 4) in the crop's y-up 1-based frame, the pose nearest to it, 40 shape and 10 expression
        coefficients, raw; `path` is `<file of parameters>#<row>`."""
        row = parse(path)
        table = self._tables[row.file]
        if row.row >= len(table):
            raise no_such_row(row, len(table))
        raw = self._whitening[row.file.with_name(WHITENING)].raw(table[row.row])
        if not np.isfinite(raw).all():
            detail = f"{path.name}: {int((~np.isfinite(raw)).sum())} of {COUNT} parameters are not finite"
            raise AnnotationProblem(Reason.ANNOTATION_NOT_FINITE, detail)
        camera, shape, expression = split(raw)
        try:
            pose = pose_from_matrix(camera)
        except FacemillError as error:
            raise AnnotationProblem(Reason.ANNOTATION_IMPLAUSIBLE, f"{path.name}: {error}") from error
        return FaceAnnotation(pose, shape, expression, height=height, camera=camera)


def _configs(root: Path) -> Path:
    if not root.is_dir():
        raise FacemillError(
            f"no data folder {root}; set datasets.<name>.root, or the environment variable in it, to the folder"
        )
    for name in CONFIGS:
        if any((root / name / listing).is_file() for listing, _ in LISTS.values()):
            _first(root / name, (WHITENING,), "the parameters, which are whitened,")
            return root / name
    places = ", ".join(str(root / name) for name in CONFIGS)
    raise FacemillError(
        f"expected {LISTS['train'][0]} in one of {places}, found none; unpack 3DDFA's train.configs there"
    )


def _first(folder: Path, names: tuple[str, ...], what: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FacemillError(
        f"{folder}: expected {' or '.join(names)} beside {what}, found none; take it from 3DDFA's train.configs"
    )
