"""Distances between corresponding points, and the normalised mean error (NME) made of them."""

from __future__ import annotations

import numpy as np

from pipeline.records import FacemillError


def point_distances(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Euclidean distance of each point to its own truth.

    Args:
        predicted, truth: (..., K, D), the same frame and unit; D is 2 (a picture's plane) or 3.

    Returns:
        (..., K) float64 in the points' unit.

    Raises:
        FacemillError: shapes differ, or D is neither 2 nor 3.
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    if predicted.shape != truth.shape or predicted.ndim < 2 or predicted.shape[-1] not in (2, 3):
        raise FacemillError(
            "points to compare: expected two arrays (..., K, 2) or (..., K, 3) of one shape, "
            f"found {predicted.shape} and {truth.shape}"
        )
    # One coordinate at a time: no copy of the points in double precision, and no sum over an axis of three.
    squared = np.zeros(predicted.shape[:-1])
    for k in range(predicted.shape[-1]):
        difference = np.subtract(predicted[..., k], truth[..., k], dtype=np.float64)
        difference *= difference
        squared += difference
    return np.sqrt(squared, out=squared)


def nme(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray) -> np.ndarray:
    """Normalised mean error in per cent: the mean point distance over a size of the face.

    NME = 100 / K * sum_j |p_j - t_j| / d (3DDFA's benchmark scripts; spec/prn_vrn_3ddfa.md G.1).

    Args:
        predicted, truth: (..., K, D), the same frame and unit.
        normaliser: (...) the size d of each face in that unit, above 0.

    Returns:
        (...) float64, per cent.

    Raises:
        FacemillError: shapes differ, or a normaliser is zero, negative or not finite.
    """
    size = np.asarray(normaliser, dtype=np.float64)
    if not np.all(np.isfinite(size) & (size > 0)):
        raise FacemillError(f"normaliser of the NME: expected finite sizes above 0, found {size.min()}")
    return 100.0 * point_distances(predicted, truth).mean(axis=-1) / size
