"""What speaks against a face, and what does not."""

import numpy as np
import pytest

from pipeline.detect.plausible import doubt, found_twice, shape_residual


def head(seed=0):
    """A mean face (68, 3): random points on half an ellipsoid."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-1.2, 1.2, (68, 2))
    return np.stack([np.sin(angles[:, 0]), 1.3 * np.sin(angles[:, 1]), np.cos(angles[:, 0])], axis=1)


def seen(shape, yaw=0.4, scale=60.0):
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, -1, 0]])
    return (scale * shape @ turn.T + [200, 180]).astype(np.float32)


def box_of(points):
    return np.concatenate([points.min(0), points.max(0)])


def test_an_affine_view_of_the_mean_has_no_residual():
    assert shape_residual(seen(head(), yaw=1.0), head()) < 1e-5


def test_residual_grows_with_the_disturbance_and_is_relative_to_size():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, (68, 2))
    small = shape_residual(seen(head()) + 2 * noise, head())
    large = shape_residual(seen(head()) + 8 * noise, head())
    assert 0.01 < small < 0.05 < large
    twice = shape_residual(2 * (seen(head()) + 2 * noise), head())
    assert np.isclose(small, twice, rtol=1e-5)
    assert shape_residual(np.zeros((68, 2)), head()) == np.inf


def test_a_good_face_is_not_doubted():
    points = seen(head())
    assert doubt(points, np.full(68, 0.6), box_of(points), 0.2, head()) is None


@pytest.mark.parametrize("peak", [0.1, np.nan])
def test_unsure_heatmaps_are_doubted(peak):
    points = seen(head())
    value, words = doubt(points, np.full(68, peak), box_of(points), 0.2, head())
    assert "peak" in words and (value == pytest.approx(peak, nan_ok=True))


def test_landmarks_outside_their_box_are_doubted():
    points = seen(head())
    value, words = doubt(points, np.ones(68), box_of(points) + 80, 0.2, head())
    assert "box" in words and value < 0.35


def test_scattered_landmarks_are_doubted_only_with_a_mean_shape():
    points = seen(head())
    scattered = np.random.default_rng(2).permutation(points)
    assert "mean head" in doubt(scattered, np.ones(68), box_of(points), 0.2, head())[1]
    assert doubt(scattered, np.ones(68), box_of(points), 0.2) is None


def test_the_worse_of_two_faces_in_one_place_was_found_twice():
    one, other = seen(head()), seen(head()) + 300
    faces = np.stack([one, other, one + 2])
    np.testing.assert_array_equal(found_twice(faces, np.array([0.7, 0.8, 0.9])), [True, False, False])
    np.testing.assert_array_equal(found_twice(faces, np.array([0.9, 0.8, 0.9])), [False, False, True])
