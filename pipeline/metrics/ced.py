"""The cumulative error distribution (CED): which share of the pictures has an error of at most x.

The share is of all pictures: one without a usable prediction is never within any error, so it lowers the whole curve
instead of leaving it (spec/prn_vrn_3ddfa.md G.5; the papers' curves run to 10 %).
"""

from __future__ import annotations

import numpy as np

from pipeline.records import FacemillError


def ced(values: np.ndarray, failed: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the curve, a step function: y[i] from x[i] up to the next x (matplotlib's ``steps-post``).

    Args:
        values: (n,) errors, not negative, infinity allowed; what stands where a prediction failed is not read.
        failed: (n,) bool, no usable prediction.
        limit: where the curve ends, above 0.

    Returns:
        x (m,) from 0 to the limit, each error once; y (m,) the share of all n pictures with an error <= x.

    Raises:
        FacemillError: no picture, lengths that differ, an error that is negative or not a number, or no such limit.
    """
    errors, count = _errors(values, failed, limit)
    x, rows = np.unique(np.concatenate([[0.0], errors[errors <= limit], [limit]]), return_inverse=True)
    steps = np.bincount(rows[1:-1], minlength=len(x))
    return x, np.cumsum(steps) / count


def auc(values: np.ndarray, failed: np.ndarray, limit: float) -> float:
    """Area under the curve up to the limit, over the limit: 0 to 1, exactly that of the steps. Arguments as `ced`."""
    errors, count = _errors(values, failed, limit)
    within = errors[errors <= limit]
    return float(np.sum(np.sort(limit - within)) / limit / count)


def failure_rate(values: np.ndarray, failed: np.ndarray, limit: float) -> float:
    """Share of all pictures whose error is above the limit or whose prediction failed. Arguments as `ced`."""
    errors, count = _errors(values, failed, limit)
    return 1 - np.count_nonzero(errors <= limit) / count


def _errors(values: np.ndarray, failed: np.ndarray, limit: float) -> tuple[np.ndarray, int]:
    """The errors of the predictions that did not fail, and the number of pictures."""
    values, failed = np.asarray(values, dtype=np.float64), np.asarray(failed, dtype=bool)
    if values.ndim != 1 or values.shape != failed.shape or len(values) == 0:
        raise FacemillError(f"CED: expected one error per picture, found {values.shape} and {failed.shape}")
    if not (np.isfinite(limit) and limit > 0):
        raise FacemillError(f"CED: expected a finite limit above 0, found {limit}")
    errors = values[~failed]
    if not np.all(errors >= 0):
        raise FacemillError("CED: expected errors from 0 up, found one that is negative or not a number")
    return errors, len(values)
