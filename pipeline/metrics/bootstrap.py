"""Percentile bootstrap over pictures: how far a mean, or a difference of two predictors, could be chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.records import FacemillError

CHUNK = 500


@dataclass(frozen=True)
class Interval:
    """difference (or the mean itself), its interval, the share of resamples below 0, and the number of pictures."""

    difference: float
    low: float
    high: float
    below: float
    n: int


def bootstrap(
    values: np.ndarray,
    strata: np.ndarray | None = None,
    *,
    rng: np.random.Generator,
    samples: int = 10_000,
    level: float = 0.95,
) -> Interval:
    """The interval of the mean of (n,) values; with strata (n,) ints, of the mean of the strata's means, each resampled
    for itself (balanced figures)."""
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise FacemillError(f"bootstrap: expected finite values (n,), found {values.shape}")
    groups = [values] if strata is None else [values[strata == s] for s in np.unique(strata)]
    means = np.zeros(samples)
    for group in groups:
        for start in range(0, samples, CHUNK):
            size = min(CHUNK, samples - start)
            means[start : start + size] += group[rng.integers(len(group), size=(size, len(group)))].mean(
                axis=1
            )
    means /= len(groups)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    centre = float(np.mean([group.mean() for group in groups]))
    return Interval(centre, float(low), float(high), float((means < 0).mean()), len(values))


def paired_bootstrap(
    first: np.ndarray,
    second: np.ndarray,
    strata: np.ndarray | None = None,
    *,
    rng: np.random.Generator,
    samples: int = 10_000,
    level: float = 0.95,
) -> Interval:
    """The same of first less second, two predictors on the same pictures."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape:
        raise FacemillError(f"paired bootstrap: expected one shape, found {first.shape} and {second.shape}")
    return bootstrap(first - second, strata, rng=rng, samples=samples, level=level)
