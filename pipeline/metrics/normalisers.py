"""The sizes of a face by which errors are divided; which one a figure uses is part of its protocol."""

from __future__ import annotations

import numpy as np

from pipeline.records import FacemillError

OUTER_EYE_CORNERS = (36, 45)


def box_size(points: np.ndarray) -> np.ndarray:
    """sqrt(w h) of the tight box of the truth's points in the picture (3DDFA, spec/prn_vrn_3ddfa.md G.1).

    Args:
        points: (..., K, D >= 2) truth; only x and y are read.

    Returns:
        (...) float64 in the points' unit. A face whose points lie on one line has size 0, which `nme` refuses.
    """
    points = _checked(points)
    width, height = (_extent(points[..., k]) for k in range(2))
    return np.sqrt(width * height)


def outer_interocular(landmarks68: np.ndarray) -> np.ndarray:
    """Distance between the outer corners of the eyes, points 36 and 45 of the iBUG mark-up, 0-based.

    With three coordinates it is the 3D outer interocular distance of PRN's reconstruction protocol.

    Args:
        landmarks68: (..., 68, D) truth.

    Returns:
        (...) float64 in the points' unit.
    """
    points = _checked(landmarks68)
    if points.shape[-2] != 68:
        raise FacemillError(f"interocular distance: expected 68 landmarks, found {points.shape[-2]}")
    first, second = (points[..., corner, :].astype(np.float64) for corner in OUTER_EYE_CORNERS)
    return np.sqrt(np.sum((first - second) ** 2, axis=-1))


def interocular_2d(landmarks68: np.ndarray) -> np.ndarray:
    """`outer_interocular` in the picture's plane: of (..., 68, D >= 2) landmarks only x and y are read."""
    return outer_interocular(_checked(landmarks68)[..., :2])


def interocular_3d(landmarks68: np.ndarray) -> np.ndarray:
    """`outer_interocular` in space, for (..., 68, 3) landmarks; FacemillError for landmarks without depth."""
    points = _checked(landmarks68)
    if points.shape[-1] != 3:
        raise FacemillError(f"3D interocular distance: expected landmarks (..., 68, 3), found {points.shape}")
    return outer_interocular(points)


def _extent(values: np.ndarray) -> np.ndarray:
    """Greatest less least value along the last axis, in float64."""
    return np.subtract(values.max(axis=-1), values.min(axis=-1), dtype=np.float64)


def _checked(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points)
    if points.ndim < 2 or points.shape[-1] not in (2, 3) or points.shape[-2] == 0:
        raise FacemillError(f"points of a face: expected (..., K, 2) or (..., K, 3), found {points.shape}")
    return points
