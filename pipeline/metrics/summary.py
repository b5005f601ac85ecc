"""From one score per face to the figures of a table: yaw bins, balanced mean, failures at the worst score.

The face-alignment tables since 3DDFA give the mean of three means, one per bin of the true yaw, because most pictures
are near frontal; the plain mean over all pictures is another, lower figure (3.65 against 3.15 on the same predictions,
spec/landmarks 0). Both are kept, under their own names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.records import FacemillError

YAW_BINS = ("0-30", "30-60", "60-90")
_UPPER = (30.0, 60.0)


def yaw_bin(yaw_deg: np.ndarray) -> np.ndarray:
    """The bin of each true yaw: 0 up to 30 degrees, 1 up to 60, 2 beyond (to any angle); -1 where it is unknown.

    Args:
        yaw_deg: (n,) degrees of either sign, not wrapped; NaN where there is no truth.

    Returns:
        (n,) int64. A bound belongs to the lower bin.
    """
    yaw = np.abs(np.asarray(yaw_deg, dtype=np.float64))
    return np.where(np.isnan(yaw), -1, np.searchsorted(_UPPER, yaw, side="left"))


def summarise(values: np.ndarray, yaw_deg: np.ndarray, failed: np.ndarray, worst: float) -> dict[str, Any]:
    """The figures of one protocol on one benchmark.

    Args:
        values: (n,) scores, lower is better; what stands where a prediction failed is not read.
        yaw_deg: (n,) true yaw in degrees; NaN is allowed where the prediction failed, nowhere else.
        failed: (n,) bool, no usable prediction.
        worst: the protocol's score for a failure.

    Returns:
        n (scored pictures), bins {name: {mean, std, n} or None where empty}, balanced (mean of the bins' means; None
        where one is empty), balanced_with_failures (the same with failures at ``worst``; a failure without a known yaw
        counts one third in each bin), plain (mean over pictures), median, std (population std of the bins' means).
        All over scored pictures unless the name says otherwise; None where there is nothing to average.

    Raises:
        FacemillError: lengths differ, or a scored picture has no finite value or yaw.
    """
    values = np.asarray(values, dtype=np.float64)
    yaw = np.asarray(yaw_deg, dtype=np.float64)
    failed = np.asarray(failed, dtype=bool)
    if not values.shape == yaw.shape == failed.shape or values.ndim != 1:
        raise FacemillError(f"scores: expected one length, found {values.shape}, {yaw.shape}, {failed.shape}")
    if not np.all(np.isfinite(values[~failed]) & np.isfinite(yaw[~failed])):
        raise FacemillError("scores: a picture that is not marked as failed has no finite score or yaw")
    scored = values[~failed]
    where = yaw_bin(yaw)
    bins: dict[str, dict[str, float | int] | None] = {}
    with_failures: list[float | None] = []
    unknown = np.count_nonzero(failed & (where == -1)) / len(YAW_BINS)
    for index, name in enumerate(YAW_BINS):
        inside = values[~failed & (where == index)]
        bins[name] = _bin(inside)
        missed = np.count_nonzero(failed & (where == index)) + unknown
        total = len(inside) + missed
        with_failures.append(float((inside.sum() + worst * missed) / total) if total else None)
    means = [None if entry is None else entry["mean"] for entry in bins.values()]
    return {
        "n": len(scored),
        "bins": bins,
        "balanced": mean_of(means),
        "balanced_with_failures": mean_of(with_failures),
        "plain": float(scored.mean()) if len(scored) else None,
        "median": float(np.median(scored)) if len(scored) else None,
        "std": std_of(means),
    }


def mean_of(values: list[float | None]) -> float | None:
    """Mean of the values, None as soon as one of them is missing."""
    return None if not values or None in values else float(np.mean(np.array(values, dtype=np.float64)))


def std_of(values: list[float | None]) -> float | None:
    """Population standard deviation of the values, None as soon as one of them is missing."""
    return None if not values or None in values else float(np.std(np.array(values, dtype=np.float64)))


def _bin(values: np.ndarray) -> dict[str, float | int] | None:
    if len(values) == 0:
        return None
    return {"mean": float(values.mean()), "std": float(values.std()), "n": len(values)}
