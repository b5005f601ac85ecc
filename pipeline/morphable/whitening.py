"""The statistics of the 62 parameters that 3DDFA's networks were trained with, as their authors publish them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.io.arrays import read_npz
from pipeline.io.pickles import read_pickled_dict
from pipeline.morphable import bfm
from pipeline.morphable.params62 import COUNT, Whitening
from pipeline.records import FacemillError

NAMES = (("mean", "std"), ("param_mean", "param_std"), ("param_mean_v2", "param_std_v2"))
"""3DDFA_V2's param_mean_std_62d_120x120.pkl, 3DDFA's param_whitening.pkl, and V2's in the layout of `bfm_sim.npz`."""

BESIDE = ("param_mean_std_62d_120x120.pkl", "param_whitening.pkl")
"""3DDFA_V2's and 3DDFA's, as they lie with the files of a face model."""


def load_whitening(path: str | Path) -> Whitening:
    """Mean and deviation (62,) of a .npz or .pkl that holds one of the pairs of NAMES.

    Raises:
        FacemillError: the file is missing or cannot be read, has neither pair, or has another number of parameters; a
            pickle asks for more than numpy arrays.
    """
    path = Path(path)
    content = read_npz(path) if path.suffix == ".npz" else read_pickled_dict(path)
    for names in NAMES:
        if all(name in content for name in names):
            mean, std = (_vector(path, name, content[name]) for name in names)
            return Whitening(mean, std)
    wanted = " or ".join(" and ".join(names) for names in NAMES[:2])
    raise FacemillError(
        f"{path}: expected {wanted}, found {', '.join(sorted(map(str, content))) or 'nothing'}"
    )


def own_whitening(path: str | Path, setting: str = "labelling.statistics") -> Whitening:
    """The statistics that come with a face model's file or folder: in its .npz, else in a file of BESIDE beside it.
    setting: the one that names a file of them, for messages.

    They belong to a checkpoint, not to the face: 3DDFA_V2's and 3DDFA's networks have different ones.

    Raises:
        FacemillError: there are none, or they cannot be read; it says what to set.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    found = [path] if path.suffix == ".npz" else [bfm.beside(folder, name, "../configs") for name in BESIDE]
    file = next((file for file in found if file is not None), None)
    try:
        if file is None:
            raise FacemillError(
                f"{folder}: expected {' or '.join(BESIDE)} there or in ../configs, found neither"
            )
        return load_whitening(file)
    except FacemillError as problem:
        raise FacemillError(
            f"{problem}; the face model brings no statistics of the labeller's parameters: type: python -m pipeline "
            f"data fetch tddfa_statistics, and set {setting}=${{FACEMILL_DATA}}/weights/{BESIDE[0]}"
        ) from problem


def _vector(path: Path, name: str, values: object) -> np.ndarray:
    try:
        vector = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise FacemillError(f"{path}: expected {COUNT} numbers in {name}, found {error}") from error
    if vector.shape != (COUNT,) or not np.isfinite(vector).all():
        raise FacemillError(f"{path}: expected {COUNT} finite numbers in {name}, found {vector.size}")
    return vector
