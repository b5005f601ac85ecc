"""The NME against hand-computed cases and against what must not change it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.geometry.euler import rotation_from_angles
from pipeline.metrics.alignment import ALIGNMENTS, rigid, similarity, z_mean, z_min
from pipeline.metrics.normalisers import box_size, interocular_2d, interocular_3d, outer_interocular
from pipeline.metrics.points import nme, point_distances
from pipeline.records import FacemillError

SEEDS = st.integers(0, 2**32 - 1)


def faces(seed: int, count: int = 3, dimensions: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true points (count, 68, D), read-only, so that a metric that writes into them fails."""
    random = np.random.default_rng(seed)
    truth = random.normal(0, 40, (count, 68, dimensions)) + random.uniform(-200, 600, (count, 1, dimensions))
    predicted = truth + random.normal(0, 3, truth.shape)
    for array in (truth, predicted):
        array.flags.writeable = False
    return predicted, truth


def test_nme_of_a_square_worked_out_by_hand():
    truth = np.array([[[0.0, 0.0], [8.0, 0.0], [8.0, 2.0], [0.0, 2.0]]])
    predicted = truth + np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    assert box_size(truth) == pytest.approx([4.0])
    assert nme(predicted, truth, box_size(truth)) == pytest.approx([100 * (5 + 1) / 4 / 4])


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.floats(-90, 90), st.floats(-90, 90))
def test_a_shift_gives_its_length_over_the_normaliser(seed, dx, dy):
    _, truth = faces(seed, dimensions=2)
    shifted = truth + np.array([dx, dy])
    expected = 100 * np.hypot(dx, dy) / box_size(truth)
    assert nme(shifted, truth, box_size(truth)) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_a_common_translation_and_scale_change_nothing(seed, scale, shift):
    predicted, truth = faces(seed)
    before = nme(predicted, truth, box_size(truth))
    moved, truth_moved = scale * predicted + shift, scale * truth + shift
    assert nme(moved, truth_moved, box_size(truth_moved)) == pytest.approx(before, rel=1e-6)


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_the_order_of_the_points_and_of_the_faces_changes_nothing(seed):
    predicted, truth = faces(seed)
    order = np.random.default_rng(seed).permutation(68)
    before = nme(predicted, truth, box_size(truth))
    assert nme(predicted[:, order], truth[:, order], box_size(truth[:, order])) == pytest.approx(before)
    assert nme(predicted[::-1], truth[::-1], box_size(truth[::-1])) == pytest.approx(before[::-1])


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_a_third_coordinate_never_lowers_the_error(seed):
    predicted, truth = faces(seed)
    size = box_size(truth)
    assert np.all(nme(predicted, truth, size) >= nme(predicted[..., :2], truth[..., :2], size))


def test_the_depth_of_the_box_does_not_enter_the_normaliser():
    _, truth = faces(1)
    deep = truth * [1.0, 1.0, 50.0]
    assert box_size(deep) == pytest.approx(box_size(truth[..., :2]))


def test_interocular_is_between_points_36_and_45():
    points = np.zeros((68, 3))
    points[36], points[45] = [1, 2, 3], [1, 6, 6]
    assert outer_interocular(points) == pytest.approx(5.0)


def test_interocular_in_the_plane_and_in_space():
    points = np.zeros((2, 68, 3))
    points[:, 36], points[:, 45] = [1, 2, 3], [4, 6, 15]
    points.flags.writeable = False
    assert interocular_2d(points) == pytest.approx([5, 5])
    assert interocular_2d(points[..., :2]) == pytest.approx([5, 5])
    assert interocular_3d(points) == pytest.approx([13, 13])
    with pytest.raises(FacemillError, match=r"3D interocular distance: expected landmarks \(\.\.\., 68, 3\)"):
        interocular_3d(points[..., :2])
    with pytest.raises(FacemillError, match="expected 68 landmarks, found 5"):
        interocular_2d(points[:, :5])


def test_sizes_are_in_double_precision_whatever_comes_in():
    coarse = np.array([[0.1, 0.2], [7.3, 9.1], [3.0, 4.0]], np.float32)
    assert box_size(coarse) == box_size(coarse.astype(np.float64)) and box_size(coarse).dtype == np.float64
    bytes_ = np.array([[0, 0], [200, 0], [200, 8]], np.uint8)
    assert box_size(bytes_) == pytest.approx(40.0)
    eyes = np.zeros((68, 2), np.uint8)
    eyes[36] = [250, 0]
    assert outer_interocular(eyes) == pytest.approx(250.0)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.floats(0.2, 5))
def test_a_fit_forgets_the_pose_and_a_similarity_the_scale_too(seed, scale):
    predicted, truth = faces(seed)
    random = np.random.default_rng(seed)
    turn = rotation_from_angles(*random.uniform(-3, 3, 3)).T
    posed = predicted @ turn + random.uniform(-300, 300, 3)
    for fit, other in ((rigid, posed), (similarity, posed), (similarity, scale * posed)):
        first, first_truth = fit(predicted, truth)
        second, second_truth = fit(other, truth)
        assert second == pytest.approx(first, abs=1e-6)
        assert np.array_equal(first_truth, truth) and np.array_equal(second_truth, truth)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_fits_move_each_face_by_itself_and_a_scale_lowers_the_squares(seed):
    predicted, truth = faces(seed)
    wide = 1.3 * predicted
    together = rigid(wide, truth)[0]
    assert np.array_equal(together[1], rigid(wide[1], truth[1])[0])

    def squares(pair):
        return np.sum((pair[0] - pair[1]) ** 2)

    assert squares(similarity(wide, truth)) < squares(rigid(wide, truth)) < squares((wide, truth))


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.floats(-500, 500))
def test_depth_alignments_forget_the_origin_of_depth_and_nothing_else(seed, offset):
    predicted, truth = faces(seed)
    lifted = predicted + np.array([0.0, 0.0, offset])
    for rule in (z_min, z_mean):
        first, first_truth = rule(predicted, truth)
        second, second_truth = rule(lifted, truth)
        assert first == pytest.approx(second, abs=1e-9)
        assert np.array_equal(first_truth, second_truth)
        assert np.array_equal(first[..., :2], predicted[..., :2])


def test_z_min_and_z_mean_put_the_origin_where_their_names_say():
    predicted, truth = faces(5)
    for points in z_min(predicted, truth):
        assert points[..., 2].min(axis=-1) == pytest.approx(0, abs=1e-12)
    for points in z_mean(predicted, truth):
        assert points[..., 2].mean(axis=-1) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", sorted(ALIGNMENTS))
def test_an_alignment_writes_into_neither_argument(name):
    predicted, truth = faces(9)
    copies = predicted.copy(), truth.copy()
    out = ALIGNMENTS[name](predicted, truth)
    out[0][...] = -1.0
    out[1][...] = -1.0
    assert np.array_equal(predicted, copies[0]) and np.array_equal(truth, copies[1])


def test_double_precision_whatever_comes_in():
    predicted, truth = faces(2)
    small = point_distances(predicted.astype(np.float32), truth.astype(np.float32))
    assert small.dtype == np.float64
    assert nme(predicted.astype(np.float32), truth, box_size(truth)).dtype == np.float64


@pytest.mark.parametrize(
    ("predicted", "truth"),
    [
        (np.zeros((2, 68, 2)), np.zeros((2, 68, 3))),
        (np.zeros((68,)), np.zeros((68,))),
        (np.zeros((2, 3, 4)),) * 2,
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_both_named(predicted, truth):
    with pytest.raises(FacemillError, match="expected two arrays"):
        point_distances(predicted, truth)


@pytest.mark.parametrize("fit", [rigid, similarity])
def test_fits_of_points_that_do_not_fit_are_refused(fit):
    with pytest.raises(FacemillError, match="alignment of points: expected two arrays"):
        fit(np.zeros((68, 3)), np.zeros((67, 3)))
    with pytest.raises(FacemillError, match="alignment of points: expected two arrays"):
        fit(np.zeros((68, 2)), np.zeros((68, 2)))


def test_a_face_without_an_extent_is_refused():
    flat = np.zeros((1, 68, 2))
    with pytest.raises(FacemillError, match="sizes above 0"):
        nme(flat, flat, box_size(flat))
