"""Overlap of face volumes (VRN's representation)."""

from __future__ import annotations

import numpy as np

from pipeline.records import FacemillError


def overlap(predicted: np.ndarray, truth: np.ndarray) -> tuple[int, int]:
    """How many voxels are inside both volumes, and how many inside at least one.

    Args:
        predicted, truth: bool, or uint8 in which all but 0 is inside; any shape, the same for both.

    Raises:
        FacemillError: shapes differ, or another type: a network's shares need their protocol's threshold first.
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    if predicted.shape != truth.shape:
        raise FacemillError(f"volumes: expected one shape, found {predicted.shape} and {truth.shape}")
    for volume in (predicted, truth):
        if volume.dtype not in (np.bool_, np.uint8):
            raise FacemillError(
                f"volumes: expected bool or uint8, found {volume.dtype}; put a threshold first"
            )
    both = int(np.count_nonzero(np.logical_and(predicted, truth)))
    return both, int(np.count_nonzero(predicted)) + int(np.count_nonzero(truth)) - both


def iou(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two volumes as in `overlap`, 0 to 1; 1 where both are empty."""
    both, either = overlap(predicted, truth)
    return both / either if either else 1.0
