"""Annotations that have points and no parameters of a face model: where the face lies."""

from __future__ import annotations

import numpy as np

from pipeline.datasets.base import FaceAnnotation

ENOUGH = 3
"""Points that span an area: the corners of a box, or the tip of a nose alone, do not show where a face lies."""


def known_points(annotation: FaceAnnotation) -> np.ndarray:
    """The points (K, 2) float64 image px that tell a face from others, visible ones alone.

    They are the 68 landmarks; without these, the reader's first set of points of which ENOUGH are visible; without
    such a set, the largest. K is 0 where no point is visible.
    """
    sets = [_visible(points) for points in point_sets(annotation).values()]
    enough = [points for points in sets if len(points) >= ENOUGH]
    return enough[0] if enough else max(sets, key=len, default=np.empty((0, 2)))


def point_sets(annotation: FaceAnnotation) -> dict[str, np.ndarray]:
    """All points of an annotation, (K, 2|3) image px by name, the 68 landmarks first."""
    own = {} if annotation.landmarks68 is None else {"landmarks68": annotation.landmarks68}
    return {**own, **annotation.points}


def _visible(points: np.ndarray) -> np.ndarray:
    flat = np.asarray(points, np.float64)[:, :2]
    return flat[np.isfinite(flat).all(axis=1)]
