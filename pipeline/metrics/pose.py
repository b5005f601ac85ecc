"""Head-pose errors: per Euler angle, and as one angle between two rotations."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.euler import geodesic_angle
from pipeline.records import FacemillError


def angle_errors(predicted_deg: np.ndarray, truth_deg: np.ndarray, *, wrap: bool = True) -> np.ndarray:
    """Absolute difference of each angle.

    Args:
        predicted_deg, truth_deg: (..., 3) pitch, yaw, roll in degrees.
        wrap: the shorter way round the circle, at most 180. False is FSA-Net's and Hopenet's plain difference.

    Returns:
        (..., 3) float64 degrees.
    """
    predicted = np.asarray(predicted_deg, dtype=np.float64)
    truth = np.asarray(truth_deg, dtype=np.float64)
    if predicted.shape != truth.shape or predicted.shape[-1:] != (3,):
        raise FacemillError(
            f"pose errors: expected two arrays (..., 3), found {predicted.shape} and {truth.shape}"
        )
    difference = np.abs(predicted - truth)
    if not wrap:
        return difference
    difference = difference % 360.0
    return np.minimum(difference, 360.0 - difference)


def geodesic_deg(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Angle of the rotation between two rotations.

    Args:
        predicted, truth: (..., 3, 3) rotation matrices.

    Returns:
        (...) float64 degrees, 0 to 180.
    """
    predicted = np.asarray(predicted, dtype=np.float64)
    truth = np.asarray(truth, dtype=np.float64)
    if predicted.shape != truth.shape or predicted.shape[-2:] != (3, 3):
        raise FacemillError(
            f"geodesic angle: expected two arrays (..., 3, 3), found {predicted.shape} and {truth.shape}"
        )
    return np.degrees(geodesic_angle(predicted, truth))
