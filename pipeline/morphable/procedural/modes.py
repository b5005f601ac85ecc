"""From displacement fields to the modes of a linear model."""

from __future__ import annotations

import numpy as np


def principal_modes(fields: list[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal modes of ``sum_i c_i fields[i]`` with independent standard normal c_i.

    The covariance is F F^T with the fields as columns of F; its eigenvectors come from the small matrix F^T F,
    so nothing is sampled.

    Args:
        fields: (N, 3) displacements at one sigma, at least ``count`` linearly independent ones.
        count: number of modes kept.

    Returns:
        basis (N, 3, count), orthonormal over all coordinates, and sigma (count,), falling. The largest
        coordinate of each mode is positive, so that the signs do not depend on the eigenvalue routine.
    """
    matrix = np.ascontiguousarray(np.stack([field.ravel() for field in fields]).T)
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    order = np.argsort(values)[::-1][:count]
    sigma = np.sqrt(values[order])
    basis = matrix @ (vectors[:, order] / sigma)
    peak = basis[np.abs(basis.T, order="C").argmax(axis=1), np.arange(count)]
    return (basis * np.sign(peak)).reshape(-1, 3, count), sigma


def unit_modes(fields: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Each field as a mode of its own: basis (N, 3, K) of unit norm and sigma (K,), in the fields' order."""
    matrix = np.stack(fields, axis=-1)
    sigma = np.linalg.norm(matrix.reshape(-1, len(fields)), axis=0)
    return matrix / sigma, sigma
