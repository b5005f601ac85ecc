"""Overlap of voxel volumes."""

from __future__ import annotations

import numpy as np

from pipeline.records import FacemillError


def iou(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two volumes of one shape, 0 or 1 (or bool) a voxel; 1 where both are empty."""
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    if predicted.shape != truth.shape:
        raise FacemillError(f"volumes: expected one shape, found {predicted.shape} and {truth.shape}")
    both = np.count_nonzero(np.logical_and(predicted, truth))
    either = np.count_nonzero(predicted) + np.count_nonzero(truth) - both
    return both / either if either else 1.0
