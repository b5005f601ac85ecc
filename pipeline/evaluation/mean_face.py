"""The least that a model must beat: the mean of the training targets, predicted for every face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.io import hdf5
from pipeline.records import PACK, FacemillError
from pipeline.targets.base import Target


def mean_target(packs: Sequence[Path], target: Target) -> np.ndarray:
    """Mean of a target over all faces of the packs, in the crop frame and before any augmentation.

    Args:
        packs: the packs of the training split.
        target: the kind of truth that they hold.

    Returns:
        float64, of the shape and in the unit that the target decodes to.

    Raises:
        FacemillError: no face in any pack.
    """
    total: np.ndarray | None = None
    count = 0
    for path in packs:
        with hdf5.open_checked(path, PACK.extended(**target.fields)) as file:
            for row in range(len(file["face"])):
                value = target.decode({name: file[name][row] for name in target.fields}).astype(np.float64)
                total = value if total is None else total + value
                count += 1
    if total is None:
        raise FacemillError(f"mean face: expected training faces in {', '.join(map(str, packs))}, found none")
    return total / count
