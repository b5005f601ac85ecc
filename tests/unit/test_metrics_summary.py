"""Yaw bins, the balanced mean and failures, on numbers small enough to check by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.summary import YAW_BINS, summarise, yaw_bin
from pipeline.records import FacemillError


def test_a_bound_belongs_to_the_lower_bin_and_the_last_bin_has_no_end():
    yaw = [0, 30, -30, 30.0001, -60, 60.0001, 90, -103, 351, np.nan]
    assert yaw_bin(yaw).tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2, -1]


def example() -> dict:
    values = np.array([1.0, 3.0, 6.0, 10.0, 14.0, 999.0])
    yaw = np.array([0.0, 30.0, -45.0, 61.0, 200.0, 45.0])
    failed = np.array([False] * 5 + [True])
    return {"values": values, "yaw_deg": yaw, "failed": failed, "worst": 100.0}


def test_figures_of_six_pictures_worked_out_by_hand():
    found = summarise(**example())
    assert found["n"] == 5
    assert found["bins"] == {
        "0-30": {"mean": 2.0, "std": 1.0, "n": 2},
        "30-60": {"mean": 6.0, "std": 0.0, "n": 1},
        "60-90": {"mean": 12.0, "std": 2.0, "n": 2},
    }
    assert found["balanced"] == pytest.approx(20 / 3)
    assert found["balanced_with_failures"] == pytest.approx((2 + (6 + 100) / 2 + 12) / 3)
    assert found["plain"] == pytest.approx(34 / 5)
    assert found["median"] == 6.0
    assert found["std"] == pytest.approx(np.std([2.0, 6.0, 12.0]))


def test_a_missing_picture_changes_only_the_figure_that_counts_failures():
    whole = example()
    found = summarise(**whole)
    whole["failed"] = np.array([False, True, False, False, False, True])
    missing = summarise(**whole)
    assert missing["n"] == found["n"] - 1
    assert missing["balanced_with_failures"] > found["balanced_with_failures"]
    assert missing["bins"]["0-30"] == {"mean": 1.0, "std": 0.0, "n": 1}


def test_an_empty_bin_is_null_and_so_is_every_mean_of_bins():
    found = summarise(np.array([1.0, 2.0]), np.array([0.0, 80.0]), np.array([False, False]), 100.0)
    assert found["bins"]["30-60"] is None
    assert found["balanced"] is None and found["std"] is None and found["balanced_with_failures"] is None
    assert found["plain"] == 1.5


def test_a_bin_of_failures_alone_has_no_mean_but_a_worst_score():
    found = summarise(
        np.array([1.0, 0.0, 2.0]), np.array([0.0, 45.0, 80.0]), np.array([False, True, False]), 90.0
    )
    assert found["balanced"] is None
    assert found["balanced_with_failures"] == pytest.approx((1 + 90 + 2) / 3)


def test_a_failure_without_a_known_yaw_counts_a_third_in_each_bin():
    found = summarise(
        np.array([0.0, 0.0, 0.0, 0.0]),
        np.array([0.0, 45.0, 80.0, np.nan]),
        np.array([False, False, False, True]),
        100.0,
    )
    assert found["balanced"] == 0.0
    assert found["balanced_with_failures"] == pytest.approx(100 / 3 / (4 / 3))


def test_no_picture_at_all_gives_no_figure():
    found = summarise(np.array([]), np.array([]), np.array([], dtype=bool), 100.0)
    assert found["n"] == 0 and found["plain"] is None and found["median"] is None
    assert list(found["bins"]) == list(YAW_BINS)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60))
def test_the_order_of_pictures_changes_nothing_and_equal_scores_give_that_score(seed, count):
    random = np.random.default_rng(seed)
    yaw = np.concatenate([[0.0, 45.0, 80.0], random.uniform(-100, 100, count)])
    values = random.uniform(0, 20, len(yaw))
    failed = np.concatenate([[False] * 3, random.random(count) < 0.2])
    order = random.permutation(len(yaw))
    first = summarise(values, yaw, failed, 100.0)
    second = summarise(values[order], yaw[order], failed[order], 100.0)
    assert first["balanced"] == pytest.approx(second["balanced"])
    assert first["balanced_with_failures"] == pytest.approx(second["balanced_with_failures"])
    assert first["balanced_with_failures"] >= first["balanced"]
    flat = summarise(np.full(len(yaw), 7.0), yaw, failed, 100.0)
    assert flat["balanced"] == pytest.approx(7.0) and flat["std"] == pytest.approx(0.0)


def test_a_score_that_is_not_finite_is_refused_unless_it_failed():
    yaw, failed = np.array([0.0, 1.0]), np.array([False, True])
    assert summarise(np.array([1.0, np.nan]), yaw, failed, 100.0)["n"] == 1
    with pytest.raises(FacemillError, match="no finite score"):
        summarise(np.array([np.nan, 1.0]), yaw, failed, 100.0)


def test_the_arguments_are_not_written_into():
    case = example()
    for array in (case["values"], case["yaw_deg"], case["failed"]):
        array.flags.writeable = False
    summarise(**case)
