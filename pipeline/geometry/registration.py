"""Iterative closest points: the motion that lays one cloud on another when nobody knows which point is which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pipeline.geometry.similarity import Similarity, umeyama
from pipeline.records import FacemillError


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the iteration ended."""

    motion: Similarity  # takes the moving cloud onto the fixed one
    nearest: np.ndarray  # (N,) int64: the moving point that is nearest to each fixed point
    distances: np.ndarray  # (N,) float64 from each fixed point to that moved point, unit of the fixed cloud
    iterations: int
    converged: bool


def icp(
    moving: np.ndarray,
    fixed: np.ndarray,
    *,
    initial: Similarity,
    with_scale: bool = False,
    iterations: int = 50,
    tolerance: float = 1e-5,
) -> Registration:
    """Point-to-point ICP (Besl and McKay, PAMI 1992) from the fixed cloud's points to the moving cloud.

    Each round pairs every fixed point with the nearest moved point (no pair is trimmed) and solves for the best motion
    of these pairs; it ends when the mean distance falls by less than ``tolerance`` of itself.

    Args:
        moving: (M, 3) points, any frame; fixed: (N, 3).
        initial: the first motion; its scale stays when ``with_scale`` is false.
        with_scale: solve for a scale too. A scale lets the moving cloud shrink on its partners: few protocols want it.
        iterations: most rounds.
        tolerance: relative change of the mean distance that ends the rounds.

    Raises:
        FacemillError: a cloud is not (n, 3), not finite, or has fewer than three points.
    """
    moving, fixed = _cloud(moving, "moving"), _cloud(fixed, "fixed")
    tree = cKDTree(moving)
    motion = initial
    distances, nearest = _query(tree, fixed, motion)
    rounds = 0
    converged = False
    while rounds < iterations and not converged:
        rounds += 1
        partners = moving[nearest] if with_scale else motion.scale * moving[nearest]
        step = umeyama(partners, fixed, with_scale=with_scale)
        scale = step.scale if with_scale else motion.scale
        motion = Similarity(scale, step.rotation, step.translation)
        before = distances.mean()
        distances, nearest = _query(tree, fixed, motion)
        converged = bool(before - distances.mean() <= tolerance * before)
    return Registration(motion, nearest, distances, rounds, converged)


def _query(tree: cKDTree, fixed: np.ndarray, motion: Similarity) -> tuple[np.ndarray, np.ndarray]:
    distances, nearest = tree.query(motion.inverse().apply(fixed))
    return distances * motion.scale, nearest


def _cloud(points: np.ndarray, name: str) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 3 or not np.isfinite(points).all():
        raise FacemillError(
            f"{name} cloud: expected at least 3 finite points (n, 3), found shape {points.shape}"
        )
    return points
