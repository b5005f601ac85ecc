"""How sure a mean over pictures is, and the difference of two predictors on the same pictures (percentile bootstrap,
Efron and Tibshirani 1993, chapter 13).

Pictures are drawn again with replacement. With strata, such as bins of yaw, each keeps its number of pictures and the
mean is the mean of the strata's means, as in the balanced figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.records import FacemillError

DRAWS = 2**20


@dataclass(frozen=True)
class Interval:
    """A mean and its interval."""

    mean: float
    low: float
    high: float
    n: int  # pictures


@dataclass(frozen=True)
class PairedInterval:
    """The mean of the first predictor less that of the second, and its interval."""

    difference: float
    low: float
    high: float
    below_zero: float  # share of the resamples in which the first has the lower mean
    n: int  # pictures


def bootstrap(
    values: np.ndarray,
    strata: np.ndarray | None = None,
    *,
    rng: np.random.Generator,
    samples: int = 10_000,
    level: float = 0.95,
) -> Interval:
    """The mean of one predictor's scores with its percentile interval.

    Args:
        values: (n,) finite scores, one per picture.
        strata: (n,) whole numbers, or None for one stratum.
        rng: draws the resamples; the same state gives the same interval.
        samples: resamples.
        level: share of the resamples inside the interval.

    Raises:
        FacemillError: no picture, lengths that differ, a score that is not finite, or settings that make no sense.
    """
    groups = _groups(values, strata)
    means = _resampled(groups, rng, samples)
    low, high = _interval(means, level)
    return Interval(_mean(groups), low, high, sum(len(group) for group in groups))


def paired_bootstrap(
    first: np.ndarray,
    second: np.ndarray,
    strata: np.ndarray | None = None,
    *,
    rng: np.random.Generator,
    samples: int = 10_000,
    level: float = 0.95,
) -> PairedInterval:
    """The difference of the means of two predictors, each resample drawing the same pictures for both.

    Args:
        first, second: (n,) finite scores of the same pictures, those that both have.
        strata, rng, samples, level: of `bootstrap`.

    Raises:
        FacemillError: as `bootstrap`.
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if first.shape != second.shape:
        raise FacemillError(
            f"paired bootstrap: expected scores of the same pictures, found {first.shape} and {second.shape}"
        )
    groups = _groups(first - second, strata)
    means = _resampled(groups, rng, samples)
    low, high = _interval(means, level)
    below = float(np.count_nonzero(means < 0) / samples)
    return PairedInterval(_mean(groups), low, high, below, len(first))


def _groups(values: np.ndarray, strata: np.ndarray | None) -> list[np.ndarray]:
    """The values of each stratum."""
    values = np.asarray(values, dtype=np.float64)
    strata = np.zeros(values.shape, dtype=np.int64) if strata is None else np.asarray(strata)
    if values.ndim != 1 or strata.shape != values.shape or len(values) == 0 or strata.dtype.kind not in "iu":
        raise FacemillError(
            f"bootstrap: expected one score and one whole number per picture, "
            f"found {values.shape} and {strata.shape} {strata.dtype}"
        )
    if not np.isfinite(values).all():
        raise FacemillError(
            "bootstrap: expected finite scores, found one that is not; leave failures out first"
        )
    return [values[strata == stratum] for stratum in np.unique(strata)]


def _resampled(groups: list[np.ndarray], rng: np.random.Generator, samples: int) -> np.ndarray:
    """(samples,) means of the resamples, a block of them at a time so that memory stays small."""
    if samples < 1:
        raise FacemillError(f"bootstrap: expected at least one resample, found {samples}")
    means = np.zeros(samples)
    for group in groups:
        rows = max(1, DRAWS // len(group))
        for start in range(0, samples, rows):
            count = min(rows, samples - start)
            drawn = rng.integers(0, len(group), (count, len(group)), dtype=np.int32)
            means[start : start + count] += group[drawn].mean(axis=1)
    return means / len(groups)


def _mean(groups: list[np.ndarray]) -> float:
    return float(np.mean([group.mean() for group in groups]))


def _interval(means: np.ndarray, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise FacemillError(f"bootstrap: expected a level between 0 and 1, found {level}")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
