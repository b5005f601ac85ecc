"""From one score per face to the figures of a table: yaw bins, balanced mean, failures at the worst score.

The face-alignment tables since 3DDFA give the mean of three means, one per bin of the true yaw, because most pictures
are near frontal; the plain mean over all pictures is another, lower figure (3.65 against 3.15 on the same predictions,
spec/landmarks 0). Both are kept, under their own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.records import FacemillError

YAW_BINS: Mapping[str, float] = {"0-30": 30.0, "30-60": 60.0, "60-90": 90.0}
"""Name of a bin -> its upper bound of |yaw| in degrees. The last bin takes whatever lies beyond: labels go to 351."""


def yaw_bin(yaw_deg: np.ndarray, bins: Mapping[str, float] = YAW_BINS) -> np.ndarray:
    """The number of the bin of each true yaw, -1 where it is unknown.

    Args:
        yaw_deg: (n,) degrees of either sign, not wrapped; NaN where there is no truth.
        bins: name -> upper bound of |yaw|, rising; a bound belongs to the lower bin, the last bin has none.

    Returns:
        (n,) int64.
    """
    yaw = np.abs(np.asarray(yaw_deg, dtype=np.float64))
    inner = list(bins.values())[:-1]
    return np.where(np.isnan(yaw), -1, np.searchsorted(inner, yaw, side="left"))


def summarise(
    values: np.ndarray,
    yaw_deg: np.ndarray,
    failed: np.ndarray,
    worst: float,
    bins: Mapping[str, float] = YAW_BINS,
) -> dict[str, Any]:
    """The figures of one protocol on one benchmark.

    Args:
        values: (n,) scores; what stands where a prediction failed is not read.
        yaw_deg: (n,) true yaw in degrees; with bins, NaN is allowed where the prediction failed, nowhere else.
        failed: (n,) bool, no usable prediction.
        worst: the protocol's score for a failure.
        bins: as `yaw_bin`; empty where the benchmark states no yaw.

    Returns:
        n (scored pictures), bins {name: {mean, std, n} or None where empty}, balanced (mean of the bins' means; None
        where one is empty, or without bins), plain (mean over pictures), each also ``_with_failures`` (failures at
        ``worst``, which no score there goes beyond: to fail never pays; a failure without a known yaw counts an equal
        part in each bin), median, std (population std of the
        bins' means). All over scored pictures unless the name says otherwise; None where there is nothing to average.

    Raises:
        FacemillError: lengths differ, or a scored picture has no finite value or yaw.
    """
    values = np.asarray(values, dtype=np.float64)
    yaw = np.asarray(yaw_deg, dtype=np.float64)
    failed = np.asarray(failed, dtype=bool)
    if not values.shape == yaw.shape == failed.shape or values.ndim != 1:
        raise FacemillError(f"scores: expected one length, found {values.shape}, {yaw.shape}, {failed.shape}")
    if not np.all(np.isfinite(values[~failed]) & (np.isfinite(yaw[~failed]) | (not bins))):
        raise FacemillError("scores: a picture that is not marked as failed has no finite score or yaw")
    scored = values[~failed]
    where = yaw_bin(yaw, bins) if bins else np.zeros(len(values), np.int64)
    blocks: dict[str, dict[str, float | int] | None] = {}
    with_failures: list[float | None] = []
    unknown = np.count_nonzero(failed & (where == -1)) / max(len(bins), 1)
    for index, name in enumerate(bins):
        inside = values[~failed & (where == index)]
        blocks[name] = _bin(inside)
        missed = np.count_nonzero(failed & (where == index)) + unknown
        with_failures.append(_filled(inside, missed, worst))
    means = [None if entry is None else entry["mean"] for entry in blocks.values()]
    return {
        "n": len(scored),
        "bins": blocks,
        "balanced": mean_of(means),
        "balanced_with_failures": mean_of(with_failures),
        "plain": float(scored.mean()) if len(scored) else None,
        "plain_with_failures": _filled(scored, np.count_nonzero(failed), worst),
        "median": float(np.median(scored)) if len(scored) else None,
        "std": std_of(means),
    }


def _filled(scored: np.ndarray, missed: float, worst: float) -> float | None:
    """Mean of the scores and of so many failures at the worst score; None without either."""
    total = len(scored) + missed
    bounded = np.minimum(scored, worst) if worst > 0 else scored
    return float((bounded.sum() + worst * missed) / total) if total else None


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
