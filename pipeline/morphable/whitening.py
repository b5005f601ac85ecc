"""Whitening statistics of the 62 parameters from a file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from pipeline.io.files import expand
from pipeline.morphable.params62 import Whitening
from pipeline.records import FacemillError

KEYS = (("mean", "std"), ("param_mean", "param_std"), ("param_mean_v2", "param_std_v2"))


def load_whitening(path: str | Path) -> Whitening:
    """The statistics in an .npz with `mean` and `std`, or `param_mean` and `param_std`, (62,) each, or those of
    3DDFA_V2 in the layout of `bfm_sim.npz` (`param_mean_v2`, `param_std_v2`).

    FacemillError for a file that is missing, is no such archive, or holds neither pair.
    """
    path = expand(str(path))
    try:
        with np.load(path, allow_pickle=False) as archive:
            for mean, std in KEYS:
                if mean in archive.files and std in archive.files:
                    return Whitening(archive[mean].astype(np.float64), archive[std].astype(np.float64))
            found = ", ".join(archive.files)
    except FileNotFoundError as error:
        raise FacemillError(f"no statistics {path}; expected an .npz with mean and std") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FacemillError(f"{path} is no .npz archive of arrays: {error}") from error
    raise FacemillError(f"{path}: expected the arrays mean and std, found {found}")
