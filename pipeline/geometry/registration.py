"""Iterative closest points: the motion that lays one cloud on another when nobody knows which point is which."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.geometry.closest import Closest, Tree, spatial_order
from pipeline.geometry.similarity import Similarity, umeyama
from pipeline.records import FacemillError


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the iteration ended. Its arrays are in the order of the cloud that searches, the fixed one by default."""

    motion: Similarity  # takes the moving cloud onto the fixed one
    nearest: (
        np.ndarray
    )  # (n,) int64: the nearest point, or triangle, of the other cloud as it lies in the end
    distances: np.ndarray  # (n,) float64 to it, unit of the fixed cloud
    iterations: int
    converged: bool


def icp(
    moving: np.ndarray,
    fixed: np.ndarray,
    *,
    initial: Similarity,
    triangles: np.ndarray | None = None,
    search: Literal["from_fixed", "from_moving"] = "from_fixed",
    with_scale: bool = False,
    with_translation: bool = True,
    trim: float = 0.0,
    iterations: int | None = 50,
    tolerance: float = 1e-5,
    squared_tolerance: float | None = None,
) -> Registration:
    """Point-to-point ICP (Besl and McKay, PAMI 1992).

    Each round pairs every point of the searching cloud with the nearest of the other, and solves for the best motion of
    these pairs; it ends when the mean distance of the pairs falls by less than ``tolerance`` of itself. The search is
    exact (`closest.Tree`), from where each point's partner was the round before.

    Args:
        moving: (M, 3) points, any frame; fixed: (N, 3).
        initial: the first motion; its scale stays when ``with_scale`` is false.
        triangles: (T, 3) of the moving cloud: pairs are then with the closest points of that surface.
        search: from_fixed pairs every fixed point with a moved one, from_moving every moved point with a fixed one
            (Matlab's pcregrigid).
        with_scale: solve for a scale too. A scale lets the moving cloud shrink on its partners: few protocols want it.
        with_translation: false turns the moving cloud about the origin and leaves the first motion's translation.
        trim: the share of the pairs, the worst ones, that a round leaves out of its mean and its motion.
        iterations: most rounds; None: as many as it takes.
        tolerance: relative change of the mean distance that ends the rounds.
        squared_tolerance: another end instead, 2DASL's: the mean *squared* distance before a round's motion differs
            from that of the round before by at most this, in the fixed cloud's unit squared. That last motion counts.

    Raises:
        FacemillError: a cloud is not (n, 3), not finite, or has fewer than three points; or settings that exclude each
            other.
    """
    moving, fixed = _cloud(moving, "moving"), _cloud(fixed, "fixed")
    if not 0 <= trim < 1:
        raise FacemillError(f"trim: expected a share from 0 to below 1, found {trim}")
    if with_scale and not with_translation:
        raise FacemillError(
            "icp: expected a translation where a scale is solved for, found with_translation=False"
        )
    if search not in ("from_fixed", "from_moving") or (search == "from_moving" and triangles is not None):
        raise FacemillError(
            f"icp: expected search from_fixed, or from_moving without triangles, found {search}"
        )
    pairs = _Pairs(moving, fixed, triangles, search == "from_fixed")
    keep = math.ceil((1 - trim) * len(pairs.order))
    motion, found = initial, pairs.find(initial, np.full(len(pairs.order), -1, np.int32))
    kept = _best(found.distances, keep)
    rounds, converged, previous = 0, False, math.inf
    while not converged and (iterations is None or rounds < iterations):
        rounds += 1
        distances = found.distances[kept]
        motion = _solve(*pairs.sides(found, kept), motion, with_scale, with_translation)
        found = pairs.find(motion, found.items)
        kept = _best(found.distances, keep)
        if squared_tolerance is None:
            before = distances.mean()
            converged = bool(before - found.distances[kept].mean() <= tolerance * before)
        else:
            mean = float(np.mean(distances**2))
            converged = abs(previous - mean) <= squared_tolerance
            previous = mean
    return Registration(
        motion, pairs.sorted(found.items).astype(np.int64), pairs.sorted(found.distances), rounds, converged
    )


class _Pairs:
    """The cloud that searches, in spatial order, and a tree over the other, which is built once: the search is done in
    the frame of the cloud that is searched."""

    def __init__(self, moving: np.ndarray, fixed: np.ndarray, triangles, from_fixed: bool) -> None:
        searching, searched = (fixed, moving) if from_fixed else (moving, fixed)
        self.from_fixed = from_fixed
        self.order = spatial_order(searching)
        self.searching = searching[self.order]
        self.tree = Tree(searched, triangles)

    def find(self, motion: Similarity, start: np.ndarray) -> Closest:
        """The partners under a motion; distances in the fixed cloud's unit."""
        if not self.from_fixed:
            return self.tree.closest(motion.apply(self.searching), start)
        found = self.tree.closest(motion.inverse().apply(self.searching), start)
        return Closest(found.distances * motion.scale, found.items, found.points)

    def sides(self, found: Closest, kept: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points of the moving cloud, not moved, and of the fixed one, that are partners."""
        pair = (found.points[kept], self.searching[kept])
        return pair if self.from_fixed else pair[::-1]

    def sorted(self, values: np.ndarray) -> np.ndarray:
        """Values of the searching points in the order in which these were given."""
        out = np.empty_like(values)
        out[self.order] = values
        return out


def _best(distances: np.ndarray, keep: int) -> slice | np.ndarray:
    """Which pairs are the `keep` nearest."""
    return slice(None) if keep == len(distances) else np.argpartition(distances, keep - 1)[:keep]


def _solve(moving, fixed, before: Similarity, with_scale: bool, with_translation: bool) -> Similarity:
    """The best motion of pairs; what is not solved for stays as it was before."""
    if with_scale:
        return umeyama(moving, fixed)
    if with_translation:
        step = umeyama(before.scale * moving, fixed, with_scale=False)
        return Similarity(before.scale, step.rotation, step.translation)
    u, _, vt = np.linalg.svd((fixed - before.translation).T @ moving)
    u[:, -1] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))
    return Similarity(before.scale, u @ vt, before.translation)


def _cloud(points: np.ndarray, name: str) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) < 3 or not np.isfinite(points).all():
        raise FacemillError(
            f"{name} cloud: expected at least 3 finite points (n, 3), found shape {points.shape}"
        )
    return points
