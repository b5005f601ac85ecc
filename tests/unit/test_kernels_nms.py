"""Hard and soft suppression against hand-made cases and their twins."""

import numpy as np
import pytest

from pipeline.geometry import reference
from pipeline.geometry.nms import nms, soft_nms
from pipeline.records import FacemillError

PAIR = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30]])


def boxes_and_scores(seed: int, count: int = 120):
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 60, (count, 2))
    half = rng.uniform(3, 12, (count, 2))
    return np.concatenate([centre - half, centre + half], axis=1), rng.uniform(0, 1, count)


def test_overlap_above_the_threshold_falls_and_equal_stays():
    scores = [0.5, 0.9, 0.7]
    assert nms(PAIR, scores, 0.5).tolist() == [1, 2, 0]
    assert nms(PAIR, scores, 0.49).tolist() == [1, 2]


def test_plus_one_counts_whole_pixels_and_drops_an_equal_overlap():
    rows = np.array([[0.0, 0, 9, 9], [0, 0, 9, 4]])
    assert nms(rows, [0.9, 0.8], 0.5, plus_one=True).tolist() == [0]
    assert nms(rows, [0.9, 0.8], 0.5).tolist() == [0, 1]
    touching = np.array([[0.0, 0, 4, 4], [5, 0, 9, 4]])
    assert nms(touching, [0.9, 0.8], 0.0, plus_one=True).tolist() == [0, 1]


def test_equal_scores_go_by_number_and_nothing_gives_nothing():
    assert nms(np.repeat(PAIR[:1], 3, axis=0), [0.5, 0.5, 0.5], 0.3).tolist() == [0]
    assert nms(np.zeros((0, 4)), np.zeros(0), 0.3).tolist() == []
    assert soft_nms(np.zeros((0, 4)), np.zeros(0))[0].tolist() == []


@pytest.mark.parametrize("plus_one", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
def test_nms_equals_its_twin(plus_one, dtype, threshold):
    boxes, scores = boxes_and_scores(3)
    boxes, scores = boxes.astype(dtype), scores.astype(dtype)
    boxes.flags.writeable = False
    kept = nms(boxes, scores, threshold, plus_one)
    np.testing.assert_array_equal(kept, reference.nms(boxes, scores, threshold, plus_one))
    assert kept.dtype == np.int64 and len(kept) < len(boxes)


@pytest.mark.parametrize("method", ["hard", "linear", "gaussian"])
@pytest.mark.parametrize("plus_one", [False, True])
def test_soft_nms_equals_its_twin(method, plus_one):
    boxes, scores = boxes_and_scores(4)
    kept, values = soft_nms(boxes, scores, 0.3, method=method, sigma=0.5, least=0.05, plus_one=plus_one)
    expected, decayed = reference.soft_nms(boxes, scores, 0.3, method, 0.5, 0.05, plus_one)
    np.testing.assert_array_equal(kept, expected)
    np.testing.assert_allclose(values, decayed, rtol=1e-12)
    assert (np.diff(values) <= 0).all() and len(kept) < len(boxes)


def test_soft_nms_by_hand():
    kept, values = soft_nms(PAIR, [1.0, 0.8, 0.1], 0.3, method="linear", least=0.2)
    assert kept.tolist() == [0, 1]
    np.testing.assert_allclose(values, [1.0, 0.4])
    _, values = soft_nms(PAIR, [1.0, 0.8, 0.1], method="gaussian", sigma=0.5, least=0.0)
    np.testing.assert_allclose(values, [1.0, 0.8 * np.exp(-0.5), 0.1])


def test_inputs_are_not_changed():
    boxes, scores = boxes_and_scores(5, 20)
    before = boxes.copy(), scores.copy()
    soft_nms(boxes, scores)
    nms(boxes, scores, 0.3)
    np.testing.assert_array_equal(boxes, before[0])
    np.testing.assert_array_equal(scores, before[1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nms(np.zeros((3, 5)), np.zeros(3), 0.3), r"boxes: expected shape \(N, 4\), found \(3, 5\)"),
        (lambda: nms(np.zeros((3, 4)), np.zeros(2), 0.3), r"scores: expected shape \(3\)"),
        (lambda: nms(np.zeros((3, 4)), np.zeros(3), 30), "threshold: expected 0 to 1"),
        (lambda: nms(np.full((1, 4), np.nan), np.zeros(1), 0.3), "finite"),
        (lambda: soft_nms(PAIR, np.ones(3), method="cubic"), "hard, linear, gaussian"),
        (lambda: soft_nms(PAIR, np.ones(3), sigma=0), "sigma"),
    ],
)
def test_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(FacemillError, match=words):
        call()
