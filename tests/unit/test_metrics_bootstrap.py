"""Bootstrap intervals: cases with a known answer, the normal law on many pictures, and pairing."""

import numpy as np
import pytest

from pipeline.metrics.bootstrap import bootstrap, paired_bootstrap
from pipeline.records import FacemillError


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def scores(seed: int, count: int = 400) -> np.ndarray:
    values = np.random.default_rng(seed).gamma(4, 0.8, count)
    values.flags.writeable = False
    return values


def test_a_constant_difference_has_no_width_and_a_sure_sign():
    first = scores(1)
    found = paired_bootstrap(first, first + 0.25, rng=rng(), samples=500)
    assert [found.difference, found.low, found.high] == pytest.approx([-0.25] * 3)
    assert found.below_zero == 1.0 and found.n == 400
    other = paired_bootstrap(first + 0.25, first, rng=rng(), samples=500)
    assert other.below_zero == 0.0 and other.difference == pytest.approx(0.25)


def test_the_interval_of_a_mean_is_that_of_the_normal_law():
    values = scores(2, 1500)
    found = bootstrap(values, rng=rng(), samples=8000)
    error = values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert [found.low, found.high] == pytest.approx(
        values.mean() + 1.96 * error * np.array([-1, 1]), abs=0.1 * error
    )
    narrow = bootstrap(values, rng=rng(), samples=8000, level=0.6827)
    assert narrow.high - narrow.low == pytest.approx(2 * error, rel=0.05)


def test_pairing_sees_a_difference_that_two_intervals_hide():
    base = scores(3)
    first = base + np.random.default_rng(4).normal(0, 0.1, len(base))
    second = base + 0.05
    apart = [bootstrap(values, rng=rng(), samples=2000) for values in (first, second)]
    assert apart[0].high > apart[1].low
    found = paired_bootstrap(first, second, rng=rng(), samples=2000)
    assert found.high < 0 and found.below_zero > 0.99
    assert found.difference == pytest.approx(apart[0].mean - apart[1].mean)


def test_strata_keep_their_sizes_and_weigh_alike():
    strata = np.repeat([4, 7, 9], [300, 60, 40])
    values = strata.astype(float)
    found = bootstrap(values, strata, rng=rng(), samples=300)
    assert [found.mean, found.low, found.high] == pytest.approx([20 / 3] * 3)
    noisy = values + np.random.default_rng(5).normal(0, 1, 400)
    found = bootstrap(noisy, strata, rng=rng(), samples=8000)
    error = np.sqrt(sum(noisy[strata == s].var() / np.sum(strata == s) for s in (4, 7, 9))) / 3
    assert found.mean == pytest.approx(np.mean([noisy[strata == s].mean() for s in (4, 7, 9)]))
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_one_stratum_is_none_and_the_generator_decides():
    values = scores(6)
    plain = bootstrap(values, rng=rng(1), samples=200)
    assert plain == bootstrap(values, np.full(400, 3), rng=rng(1), samples=200)
    assert plain != bootstrap(values, rng=rng(2), samples=200)


def test_small_blocks_of_resamples_give_no_other_law(monkeypatch):
    monkeypatch.setattr("pipeline.metrics.bootstrap.DRAWS", 1000)
    values = scores(7)
    found = bootstrap(values, rng=rng(), samples=4001)
    error = values.std() / np.sqrt(len(values))
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.08)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bootstrap([], rng=rng()), "one score"),
        (lambda: bootstrap([1.0, np.nan], rng=rng()), "finite"),
        (lambda: bootstrap([1.0, 2.0], [0], rng=rng()), "one whole number per picture"),
        (lambda: bootstrap([1.0, 2.0], [0.0, 0.5], rng=rng()), "one whole number per picture"),
        (lambda: bootstrap([1.0], rng=rng(), samples=0), "at least one resample"),
        (lambda: bootstrap([1.0], rng=rng(), level=95), "level"),
        (lambda: paired_bootstrap([1.0], [1.0, 2.0], rng=rng()), "same pictures"),
    ],
)
def test_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(FacemillError, match=words):
        call()
