"""ICP and the reconstruction error on clouds whose motion is known."""

import numpy as np
import pytest

from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.registration import icp
from pipeline.geometry.similarity import Similarity
from pipeline.metrics.reconstruction import corresponding_point_error, nearest_point_error
from pipeline.records import FacemillError

IDENTITY = Similarity(1.0, np.eye(3), np.zeros(3))


def bowl(count: int = 900) -> np.ndarray:
    """A lopsided bowl (count, 3) about 100 wide: no motion but none maps it to itself. Read-only."""
    random = np.random.default_rng(3)
    x, y = random.uniform(-50, 50, (2, count))
    points = np.stack([x, 1.3 * y, 0.01 * x * x + 0.006 * y * y + 0.004 * x * y + 4 * np.sin(x / 9)], axis=1)
    points.flags.writeable = False
    return points


def landmarks(cloud: np.ndarray) -> np.ndarray:
    return cloud[:68]


def moved(cloud: np.ndarray, angle: float = 0.08, shift: float = 2.0, scale: float = 1.0) -> np.ndarray:
    return scale * cloud @ rotation_from_angles(angle, -angle, angle / 2).T + [shift, -shift, shift]


def test_icp_undoes_a_small_motion_exactly():
    fixed = bowl()
    found = icp(moved(fixed), fixed, initial=IDENTITY, tolerance=1e-9, iterations=200)
    assert found.converged
    assert found.distances.max() < 1e-6
    assert np.array_equal(found.nearest, np.arange(len(fixed)))


def test_icp_distances_are_those_of_the_motion_it_returns():
    fixed = bowl()
    random = np.random.default_rng(0)
    found = icp(moved(fixed) + random.normal(0, 0.5, fixed.shape), fixed, initial=IDENTITY)
    cloud = found.motion.apply(moved(fixed) + np.random.default_rng(0).normal(0, 0.5, fixed.shape))
    brute = np.linalg.norm(fixed[:, None] - cloud[None], axis=-1)
    assert found.distances == pytest.approx(brute.min(axis=1))
    assert np.array_equal(found.nearest, brute.argmin(axis=1))


def test_a_rigid_icp_keeps_the_scale_it_was_given_and_a_scaled_one_finds_it():
    fixed = bowl()
    wide = moved(fixed, scale=1.05)
    assert icp(wide, fixed, initial=IDENTITY).motion.scale == 1.0
    found = icp(wide, fixed, initial=IDENTITY, with_scale=True, iterations=300, tolerance=1e-9)
    assert found.motion.scale == pytest.approx(1 / 1.05, rel=1e-6)


def test_a_moved_and_scaled_copy_has_no_reconstruction_error():
    truth = bowl()
    copy = moved(truth, angle=1.2, shift=300.0, scale=3.0)
    assert nearest_point_error(copy, truth, landmarks(copy), landmarks(truth)) < 1e-6
    assert corresponding_point_error(copy, truth, landmarks(truth)) < 1e-6


def test_noise_costs_less_with_nearest_points_than_with_known_ones():
    truth = bowl()
    noisy = truth + np.random.default_rng(1).normal(0, 2, truth.shape)
    nearest = nearest_point_error(noisy, truth, landmarks(noisy), landmarks(truth))
    known = corresponding_point_error(noisy, truth, landmarks(truth))
    assert 0 < nearest < known


def test_a_parallel_plane_is_measured_by_its_distance_when_motion_cannot_help():
    grid = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
    flat = np.column_stack([grid, np.zeros(len(grid))])
    bent = flat.copy()
    bent[:, 2] = np.where(np.indices((20, 20)).sum(axis=0).reshape(-1) % 2, 0.5, -0.5)
    error = nearest_point_error(flat, bent, landmarks(flat), landmarks(bent))
    eyes = np.linalg.norm(bent[36] - bent[45])
    assert error == pytest.approx(100 * 0.5 / eyes, rel=0.05)


def test_clouds_that_are_no_clouds_are_refused():
    with pytest.raises(FacemillError, match="moving cloud"):
        icp(np.zeros((2, 3)), bowl(), initial=IDENTITY)
    with pytest.raises(FacemillError, match="fixed cloud"):
        icp(bowl(), np.full((5, 3), np.nan), initial=IDENTITY)


def test_rounds_on_a_part_of_the_points_end_at_the_same_place():
    truth = bowl()
    noisy = moved(truth) + np.random.default_rng(1).normal(0, 1, truth.shape)
    pair = (noisy, truth, landmarks(noisy), landmarks(truth))
    whole = nearest_point_error(*pair, iterations=200)
    assert nearest_point_error(*pair, coarse=4, iterations=200) == pytest.approx(whole, rel=5e-3)
