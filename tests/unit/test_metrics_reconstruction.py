"""ICP and the reconstruction errors on clouds whose motion is known, and against 2DASL's script written out."""

import numpy as np
import pytest

from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.registration import icp
from pipeline.geometry.similarity import Similarity
from pipeline.metrics.normalisers import box_size
from pipeline.metrics.reconstruction import (
    corresponding_point_error,
    dasl_script_error,
    dasl_script_motion,
    nearest_point_error,
    rigid_nearest_error,
)
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


def test_vrns_figure_counts_a_wrong_size_that_prns_forgives():
    truth = bowl()
    wide = moved(truth, angle=0.03, scale=1.1)
    settings = {"iterations": 300, "tolerance": 1e-9}
    assert nearest_point_error(wide, truth, landmarks(wide), landmarks(truth), **settings) < 1e-6
    found = rigid_nearest_error(wide, truth, landmarks(truth), **settings)
    eyes = np.linalg.norm(truth[36] - truth[45])
    assert found > 100 * 0.2 / eyes
    assert rigid_nearest_error(moved(truth), truth, landmarks(truth), **settings) < 1e-6


@pytest.mark.parametrize("start", ["means", "depth", "landmarks"])
@pytest.mark.parametrize("search", ["from_fixed", "from_moving"])
def test_every_start_brings_a_near_copy_back(start, search):
    truth = bowl()
    copy = moved(truth, angle=0.02, shift=1.0)
    found = rigid_nearest_error(
        copy,
        truth,
        landmarks(truth),
        start=start,
        predicted68=landmarks(copy),
        search=search,
        iterations=300,
        tolerance=1e-9,
    )
    assert found < 1e-6


def test_starts_differ_in_what_they_move_before_the_first_round():
    truth = bowl()
    copy = truth + np.array([30.0, 0.0, 5.0])
    eyes = np.linalg.norm(truth[36] - truth[45])
    still = {"iterations": 0, "measured": "unmoved"}
    assert rigid_nearest_error(copy, truth, landmarks(truth), start="means", **still) < 1e-9
    depth = rigid_nearest_error(copy, truth, landmarks(truth), start="depth", **still)
    aside = truth + np.array([30.0, 0.0, 0.0])
    brute = np.linalg.norm(truth[:, None] - aside[None], axis=-1).argmin(axis=1)
    assert depth == pytest.approx(100 * np.linalg.norm(aside[brute] - truth, axis=1).mean() / eyes)


def test_unmoved_distances_are_those_of_the_pairs_that_icp_found():
    truth = bowl()
    copy = truth - truth.mean(axis=0)
    turned = copy @ rotation_from_angles(0.03, 0.0, 0.02).T + truth.mean(axis=0)
    settings = {"iterations": 300, "tolerance": 1e-9}
    assert rigid_nearest_error(turned, truth, landmarks(truth), **settings) < 1e-6
    unmoved = rigid_nearest_error(turned, truth, landmarks(truth), measured="unmoved", **settings)
    eyes = np.linalg.norm(truth[36] - truth[45])
    assert unmoved == pytest.approx(100 * np.linalg.norm(turned - truth, axis=1).mean() / eyes)


def written_out(predicted: np.ndarray, truth: np.ndarray) -> tuple[int, float, float]:
    """Rounds and the two errors of spec/landmarks_synergynet_2dasl.md 4.4, step by step: brute force, quaternion of the
    greatest eigenvector (Horn 1987), rows times the matrix, centring again."""
    moving, fixed = predicted[::50] - predicted[::50].mean(0), truth[::50] - truth[::50].mean(0)
    rounds, before, mean = 0, None, np.inf
    while before is None or abs(mean - before) > 0.01:
        before = mean
        squared = ((fixed[:, None] - moving[None]) ** 2).sum(axis=-1)
        mean = squared.min(axis=1).mean()
        covariance = fixed.T @ moving[squared.argmin(axis=1)] / len(fixed)
        skew = covariance - covariance.T
        trace = np.trace(covariance)
        matrix = np.empty((4, 4))
        matrix[0, 0] = trace
        matrix[0, 1:] = matrix[1:, 0] = [skew[1, 2], skew[2, 0], skew[0, 1]]
        matrix[1:, 1:] = covariance + covariance.T - trace * np.eye(3)
        w, x, y, z = np.linalg.eigh(matrix)[1][:, -1]
        moving = moving @ np.array(
            [
                [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), w * w + y * y - x * x - z * z, 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), w * w + z * z - x * x - y * y],
            ]
        )
        moving -= moving.mean(axis=0)
        rounds += 1
    size = np.sqrt(np.prod(np.ptp(truth[:, :2], axis=0)))
    nearest = np.sqrt(((fixed[:, None] - moving[None]) ** 2).sum(axis=-1).min(axis=1)).mean()
    return rounds, 100 * np.linalg.norm(moving - fixed, axis=1).mean() / size, 100 * nearest / size


@pytest.mark.parametrize("seed", range(4))
def test_2dasls_figure_is_that_of_its_script_written_out(seed):
    random = np.random.default_rng(seed)
    truth = 2.0 * bowl(20_000) + 225.0
    turn = rotation_from_angles(*random.uniform(-0.2, 0.2, 3)).T
    predicted = (truth - 225.0) @ turn + random.normal(0, 3, truth.shape) + 100.0
    for array in (truth, predicted):
        array.flags.writeable = False
    rounds, by_index, by_nearest = written_out(predicted, truth)
    assert dasl_script_error(predicted, truth) == pytest.approx(by_index, rel=1e-9)
    assert dasl_script_error(predicted, truth, correspondence="nearest") == pytest.approx(
        by_nearest, rel=1e-9
    )
    found, _, fixed = dasl_script_motion(predicted, truth)
    assert found.iterations == rounds > 2 and len(fixed) == 400
    assert by_nearest < by_index


def test_2dasls_normaliser_is_the_box_of_all_vertices():
    truth = bowl(2000).copy()
    truth[1] = [400.0, 0.0, 0.0]
    predicted = truth + np.random.default_rng(0).normal(0, 1, truth.shape)
    wide = dasl_script_error(predicted, truth)
    narrow = truth.copy()
    narrow[1] = truth[2]
    factor = box_size(truth) / box_size(narrow)
    assert factor > 1.5 and dasl_script_error(predicted, narrow) == pytest.approx(factor * wide)


def test_settings_that_are_none_are_refused():
    truth = bowl()
    with pytest.raises(FacemillError, match="start means, depth or landmarks"):
        rigid_nearest_error(truth, truth, landmarks(truth), start="eyes")
    with pytest.raises(FacemillError, match="expected predicted68"):
        rigid_nearest_error(truth, truth, landmarks(truth), start="landmarks")
    with pytest.raises(FacemillError, match="moved or unmoved"):
        rigid_nearest_error(truth, truth, landmarks(truth), measured="both")
    with pytest.raises(FacemillError, match="index or nearest"):
        dasl_script_error(truth, truth, correspondence="both")
    with pytest.raises(FacemillError, match="one topology"):
        dasl_script_error(truth[1:], truth)


@pytest.mark.parametrize(
    "measure", [nearest_point_error, rigid_nearest_error, dasl_script_error, corresponding_point_error]
)
def test_no_argument_is_written_into(measure):
    truth = bowl()
    predicted = moved(truth)
    predicted.flags.writeable = False
    extra = {
        nearest_point_error: (landmarks(predicted), landmarks(truth)),
        dasl_script_error: (),
    }.get(measure, (landmarks(truth),))
    assert np.isfinite(measure(predicted, truth, *extra))
