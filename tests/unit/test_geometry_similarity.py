"""The similarity fit against scikit-image's and scipy's, which solve the same problem in their own ways."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from skimage.transform import EuclideanTransform, SimilarityTransform

from pipeline.geometry.similarity import umeyama

SEEDS = st.integers(0, 2**32 - 1)


def pair(seed: int, dimensions: int, reflected: bool) -> tuple[np.ndarray, np.ndarray]:
    """Noisy points (40, D) and what a similarity has made of them, mirrored or not. Read-only."""
    rng = np.random.default_rng(seed)
    source = rng.normal(0, [9.0, 5.0, 2.0][:dimensions], (40, dimensions)) + rng.uniform(-99, 99, dimensions)
    turn, _ = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))
    if (np.linalg.det(turn) < 0) != reflected:
        turn[:, 0] *= -1
    target = 2.5 * source @ turn.T + rng.uniform(-99, 99, dimensions) + rng.normal(0, 0.3, source.shape)
    for array in (source, target):
        array.flags.writeable = False
    return source, target


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.sampled_from([2, 3]), st.booleans(), st.booleans())
def test_the_fit_equals_that_of_skimage(seed, dimensions, reflected, with_scale):
    source, target = pair(seed, dimensions, reflected)
    kind = SimilarityTransform if with_scale else EuclideanTransform
    expected = kind.from_estimate(source, target).params
    found = umeyama(source, target, with_scale=with_scale)
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    np.testing.assert_allclose(
        found.scale * found.rotation, expected[:dimensions, :dimensions], rtol=1e-8, atol=1e-8
    )
    np.testing.assert_allclose(found.translation, expected[:dimensions, dimensions], rtol=1e-7, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.booleans(), st.booleans())
def test_the_rotation_equals_that_of_scipy_with_and_without_weights(seed, reflected, weighted):
    source, target = pair(seed, 3, reflected)
    weights = np.random.default_rng(seed).uniform(0.1, 4, len(source)) if weighted else None
    found = umeyama(source, target, with_scale=False, weights=weights)
    means = [np.average(points, axis=0, weights=weights) for points in (source, target)]
    expected, _ = Rotation.align_vectors(target - means[1], source - means[0], weights=weights)
    np.testing.assert_allclose(found.rotation, expected.as_matrix(), atol=1e-7)
    np.testing.assert_allclose(found.apply(means[0]), means[1], atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.booleans())
def test_no_small_change_of_the_fit_lies_nearer(seed, reflected):
    source, target = pair(seed, 3, reflected)
    rng = np.random.default_rng(seed)
    found = umeyama(source, target)

    def cost(scale: float, rotation: np.ndarray, translation: np.ndarray) -> float:
        return float(np.sum((scale * source @ rotation.T + translation - target) ** 2))

    least = cost(found.scale, found.rotation, found.translation)
    for size in (1e-2, 1e-4):
        turned = Rotation.from_rotvec(rng.normal(0, size, 3)).as_matrix() @ found.rotation
        other = cost(found.scale + rng.normal(0, size), turned, found.translation + rng.normal(0, size, 3))
        assert other >= least * (1 - 1e-12)
