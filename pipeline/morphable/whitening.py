"""The statistics of the 62 parameters that 3DDFA's networks were trained with, as their authors publish them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.io.arrays import read_npz
from pipeline.io.pickles import read_pickled_dict
from pipeline.morphable.params62 import COUNT, Whitening
from pipeline.records import FacemillError

NAMES = (("mean", "std"), ("param_mean", "param_std"), ("param_mean_v2", "param_std_v2"))
"""3DDFA_V2's param_mean_std_62d_120x120.pkl, 3DDFA's param_whitening.pkl, and V2's in the layout of `bfm_sim.npz`."""


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


def _vector(path: Path, name: str, values: object) -> np.ndarray:
    try:
        vector = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise FacemillError(f"{path}: expected {COUNT} numbers in {name}, found {error}") from error
    if vector.shape != (COUNT,) or not np.isfinite(vector).all():
        raise FacemillError(f"{path}: expected {COUNT} finite numbers in {name}, found {vector.size}")
    return vector
