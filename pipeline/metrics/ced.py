"""The cumulative error distribution (CED) of a benchmark, the area under it, and the share beyond its end."""

from __future__ import annotations

import numpy as np


def ced(values: np.ndarray, failed: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The step curve: share of all pictures, failed ones included, with an error of at most x.

    Args:
        values: (n,) scores, lower is better. failed: (n,) bool.
        limit: right end.

    Returns:
        x (m,) from 0 to limit and y (m,), to be drawn with steps after each x.
    """
    values, failed = np.asarray(values, np.float64), np.asarray(failed, bool)
    inside = np.sort(values[~failed & (values <= limit)])
    x = np.concatenate([[0.0], inside, [limit]])
    y = np.concatenate([[0.0], np.arange(1, len(inside) + 1), [len(inside)]]) / max(len(values), 1)
    return x, y


def auc(values: np.ndarray, failed: np.ndarray, limit: float) -> float:
    """Exact area under the step curve up to ``limit``, over ``limit``: 1 for errors of 0; NaN without pictures."""
    values, failed = np.asarray(values, np.float64), np.asarray(failed, bool)
    if not len(values):
        return float("nan")
    return float(np.where(failed, 0.0, np.clip(1.0 - values / limit, 0.0, None)).sum() / len(values))


def failure_rate(values: np.ndarray, failed: np.ndarray, limit: float) -> float:
    """Share of all pictures that failed or have an error above ``limit``; NaN without pictures."""
    values, failed = np.asarray(values, np.float64), np.asarray(failed, bool)
    return float((failed | (values > limit)).mean()) if len(values) else float("nan")
