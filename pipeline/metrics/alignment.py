"""What is done to two sets of 3D points before they are compared.

Under weak perspective the depth of a face has no origin, so a 3D error needs a rule that fixes one. Papers differ,
and the choice moves the figure by 0.6 to 1.0 points and can turn a ranking round (spec/landmarks 5): a protocol names
its rule.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.geometry.similarity import umeyama
from pipeline.records import FacemillError

Pair = tuple[np.ndarray, np.ndarray]


def none(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """The points as they are, in float64."""
    return np.array(predicted, dtype=np.float64), np.array(truth, dtype=np.float64)


def z_min(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """Each set with its own rearmost point at z = 0 (2DASL's scripts).

    Args:
        predicted, truth: (..., K, 3), z towards the viewer.

    Returns:
        Two new float64 arrays of the same shapes.
    """
    return _shifted(predicted, np.min), _shifted(truth, np.min)


def z_mean(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """Each set with the mean of its z at 0 (SADRNet's and reshow's scripts); arguments as `z_min`."""
    return _shifted(predicted, np.mean), _shifted(truth, np.mean)


def rigid(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """The predicted points (K, 3) moved and turned onto the true ones in least squares."""
    return umeyama(predicted, truth, with_scale=False).apply(predicted), np.array(truth, dtype=np.float64)


def similarity(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """As `rigid`, with a scale."""
    return umeyama(predicted, truth).apply(predicted), np.array(truth, dtype=np.float64)


ALIGNMENTS: dict[str, Callable[[np.ndarray, np.ndarray], Pair]] = {
    "none": none,
    "z_min": z_min,
    "z_mean": z_mean,
    "rigid": rigid,
    "similarity": similarity,
}


def _shifted(points: np.ndarray, origin: Callable[..., np.ndarray]) -> np.ndarray:
    shifted = np.array(points, dtype=np.float64)
    if shifted.ndim < 2 or shifted.shape[-1] != 3:
        raise FacemillError(f"depth alignment: expected points (..., K, 3), found {shifted.shape}")
    shifted[..., 2] -= origin(shifted[..., 2], axis=-1, keepdims=True)
    return shifted
