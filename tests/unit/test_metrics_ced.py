"""The cumulative error distribution: corners, area and failures worked out by hand, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.ced import auc, ced, failure_rate
from pipeline.records import FacemillError

VALUES = np.array([1.0, 4.0, 4.0, 12.0, np.nan])
FAILED = np.array([False, False, False, False, True])
CASES = st.integers(0, 2**32 - 1)


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Errors with ties and zeros, failures among them. Read-only."""
    random = np.random.default_rng(seed)
    count = random.integers(1, 60)
    values = np.round(random.exponential(4, count), random.integers(0, 4))
    failed = random.random(count) < 0.2
    values[failed] = random.choice([np.nan, 0.0, np.inf, -1.0], failed.sum())
    for array in (values, failed):
        array.flags.writeable = False
    return values, failed


def test_five_pictures_worked_out_by_hand():
    x, y = ced(VALUES, FAILED, 10.0)
    assert x.tolist() == [0, 1, 4, 10]
    assert y == pytest.approx([0, 0.2, 0.6, 0.6])
    assert auc(VALUES, FAILED, 10.0) == pytest.approx((9 + 6 + 6) / 50)
    assert failure_rate(VALUES, FAILED, 10.0) == pytest.approx(0.4)


def test_an_error_at_the_limit_or_at_zero_is_within():
    values, failed = np.array([0.0, 0.0, 5.0, np.inf]), np.zeros(4, bool)
    x, y = ced(values, failed, 5.0)
    assert x.tolist() == [0, 5] and y.tolist() == [0.5, 0.75]
    assert auc(values, failed, 5.0) == 0.5 and failure_rate(values, failed, 5.0) == 0.25


@settings(deadline=None, max_examples=60)
@given(CASES, st.floats(0.1, 20))
def test_the_area_is_that_of_the_steps_and_the_end_is_what_did_not_fail(seed, limit):
    values, failed = case(seed)
    x, y = ced(values, failed, limit)
    assert x[0] == 0 and x[-1] == limit and np.all(np.diff(x) > 0) and np.all(np.diff(y) >= 0)
    assert auc(values, failed, limit) == pytest.approx(np.sum(np.diff(x) * y[:-1]) / limit)
    assert y[-1] == pytest.approx(1 - failure_rate(values, failed, limit))
    for threshold in (0.0, limit / 3, limit):
        share = np.count_nonzero(values[~failed] <= threshold) / len(values)
        assert y[np.searchsorted(x, threshold, side="right") - 1] == pytest.approx(share)


@settings(deadline=None, max_examples=40)
@given(CASES)
def test_the_order_of_the_pictures_changes_nothing_at_all(seed):
    values, failed = case(seed)
    order = np.random.default_rng(seed).permutation(len(values))
    for one, other in zip(ced(values, failed, 7.0), ced(values[order], failed[order], 7.0), strict=True):
        assert np.array_equal(one, other)
    assert auc(values, failed, 7.0) == auc(values[order], failed[order], 7.0)
    assert failure_rate(values, failed, 7.0) == failure_rate(values[order], failed[order], 7.0)


@settings(deadline=None, max_examples=40)
@given(CASES)
def test_a_failure_more_lowers_the_area_and_nothing_stands_in_for_it(seed):
    values, failed = case(seed)
    if failed.all():
        assert auc(values, failed, 7.0) == 0 and failure_rate(values, failed, 7.0) == 1
        return
    more = failed.copy()
    more[np.flatnonzero(~failed)[0]] = True
    assert auc(values, more, 7.0) <= auc(values, failed, 7.0)
    assert failure_rate(values, more, 7.0) >= failure_rate(values, failed, 7.0)


@pytest.mark.parametrize("measure", [ced, auc, failure_rate])
def test_what_is_no_distribution_is_refused(measure):
    none = np.zeros(0)
    with pytest.raises(FacemillError, match="one error per picture"):
        measure(none, none.astype(bool), 10.0)
    with pytest.raises(FacemillError, match="one error per picture"):
        measure(np.zeros(3), np.zeros(2, bool), 10.0)
    with pytest.raises(FacemillError, match="negative or not a number"):
        measure(np.array([np.nan]), np.array([False]), 10.0)
    with pytest.raises(FacemillError, match="limit above 0"):
        measure(np.zeros(3), np.zeros(3, bool), 0.0)
