"""Similarity transforms between point sets with known correspondence, in closed form (Umeyama, PAMI 1991)."""

from dataclasses import dataclass

import numpy as np

from pipeline.records import FacemillError


@dataclass(frozen=True, eq=False)
class Similarity:
    """p -> scale R p + translation, for points of D = 2 or 3 dimensions (rows)."""

    scale: float
    rotation: np.ndarray  # (D, D), determinant +1
    translation: np.ndarray  # (D,)

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Moved points (..., D) float64."""
        return self.scale * np.asarray(points, np.float64) @ self.rotation.T + self.translation

    def inverse(self) -> "Similarity":
        """The transform that undoes this one."""
        rotation = self.rotation.T
        return Similarity(1.0 / self.scale, rotation, -(rotation @ self.translation) / self.scale)


def umeyama(
    source: np.ndarray, target: np.ndarray, *, with_scale: bool = True, weights: np.ndarray | None = None
) -> Similarity:
    """The similarity (or rigid motion) that takes `source` nearest to `target` in (weighted) least squares.

    source, target: (N, D) with rows in correspondence, N >= D; weights: (N,) not negative, or None for equal.
    Never a reflection. `FacemillError` on shapes that differ, values not finite, or a source in one point.
    """
    p, q = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if p.shape != q.shape or p.ndim != 2 or p.shape[1] not in (2, 3) or len(p) < p.shape[1]:
        raise FacemillError(
            f"expected two (N, 2) or (N, 3) point sets of one shape, found {p.shape} and {q.shape}"
        )
    w = np.full(len(p), 1.0 / len(p)) if weights is None else np.asarray(weights, np.float64)
    if not (np.isfinite(p).all() and np.isfinite(q).all() and np.isfinite(w).all() and w.sum() > 0):
        raise FacemillError("expected finite points and weights with a positive sum for a similarity fit")
    w = w / w.sum()
    mean_p, mean_q = w @ p, w @ q
    p, q = p - mean_p, q - mean_q
    variance = w @ (p * p).sum(axis=1)
    if variance <= 0:
        raise FacemillError("expected a source point set with an extent, found all points in one place")
    u, singular, vt = np.linalg.svd((q * w[:, None]).T @ p)
    sign = np.ones(p.shape[1])
    sign[-1] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = (u * sign) @ vt
    scale = float(singular @ sign / variance) if with_scale else 1.0
    return Similarity(scale, rotation, mean_q - scale * rotation @ mean_p)
