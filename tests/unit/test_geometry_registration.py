"""ICP: the fast search changes nothing, and what each of its options does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_shapes import sphere

from benchmarks.evaluation import plain_icp
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.registration import icp
from pipeline.geometry.similarity import Similarity
from pipeline.records import FacemillError

IDENTITY = Similarity(1.0, np.eye(3), np.zeros(3))
SEEDS = st.integers(0, 2**32 - 1)


def cloud(seed: int, count: int = 700) -> np.ndarray:
    """A bent, lopsided sheet (count, 3) about 100 wide. Read-only."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(-50, 50, (2, count))
    z = 0.012 * x * x + 0.005 * y * y + 0.004 * x * y + 5 * np.sin(x / 11 + 1) * np.cos(y / 17)
    points = np.stack([x, 1.3 * y, z], axis=1)
    points.flags.writeable = False
    return points


def motion(seed: int, angle: float = 0.06, shift: float = 2.0, scale: float = 1.0) -> Similarity:
    random = np.random.default_rng(seed)
    turn = rotation_from_angles(*random.uniform(-angle, angle, 3))
    return Similarity(scale, turn, random.uniform(-shift, shift, 3))


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_the_result_is_that_of_the_plain_loop_over_scipys_tree(seed):
    fixed, moving = cloud(seed), motion(seed, 0.2, 6.0).apply(cloud(seed + 1, 600))
    start = motion(seed + 2, scale=1.1)
    found, plain = icp(moving, fixed, initial=start), plain_icp(moving, fixed, start)
    assert found.iterations == plain.iterations and found.converged == plain.converged
    assert np.array_equal(found.nearest, plain.nearest)
    np.testing.assert_allclose(found.distances, plain.distances, atol=1e-9)
    np.testing.assert_allclose(found.motion.rotation, plain.motion.rotation, atol=1e-11)
    np.testing.assert_allclose(found.motion.translation, plain.motion.translation, atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_a_turned_copy_is_brought_back_below_a_millionth(seed):
    fixed = cloud(seed)
    moving = motion(seed, 0.04, 1.5).apply(fixed)
    found = icp(moving, fixed, initial=IDENTITY, iterations=300, tolerance=1e-9)
    assert found.converged and found.distances.max() < 1e-6
    assert np.array_equal(found.nearest, np.arange(len(fixed)))


def test_trimming_leaves_out_what_the_other_cloud_does_not_have():
    fixed = cloud(3)
    moving = motion(3, 0.03, 1.0).apply(fixed)
    spoilt = np.concatenate([fixed, fixed[:100] + np.array([30.0, 0.0, 40.0])])
    whole = icp(moving, spoilt, initial=IDENTITY, iterations=200, tolerance=1e-9)
    trimmed = icp(moving, spoilt, initial=IDENTITY, iterations=200, tolerance=1e-9, trim=0.15)
    assert trimmed.distances[: len(fixed)].max() < 1e-6
    assert whole.distances[: len(fixed)].mean() > 0.1
    assert len(trimmed.distances) == len(spoilt)


def test_a_search_from_the_moving_cloud_does_not_mind_what_more_the_fixed_one_has():
    whole = cloud(4, 1500)
    part = whole[whole[:, 0] < 0]
    moving = motion(4, 0.03, 1.0).apply(part)
    found = icp(moving, whole, initial=IDENTITY, search="from_moving", iterations=300, tolerance=1e-9)
    assert found.distances.shape == found.nearest.shape == (len(part),)
    assert found.distances.max() < 1e-6
    assert np.array_equal(whole[found.nearest], part)
    other = icp(moving, whole, initial=IDENTITY, iterations=300, tolerance=1e-9)
    assert other.distances.shape == (len(whole),) and other.distances.mean() > 1


def test_pairs_with_a_surface_register_points_that_are_no_vertices():
    vertices, triangles = sphere((0.0, 0.0, 0.0), 1.0, 16, axes=(40.0, 55.0, 30.0))
    random = np.random.default_rng(5)
    weights = random.dirichlet([1, 1, 1], 800)
    scan = np.einsum("tk,tkc->tc", weights, vertices[triangles[random.integers(0, len(triangles), 800)]])
    moved = motion(5, 0.05, 1.0).apply(vertices)
    settings_ = {"initial": IDENTITY, "iterations": None, "tolerance": 1e-7}
    surface = icp(moved, scan, triangles=triangles, **settings_)
    points = icp(moved, scan, **settings_)
    assert surface.distances.max() < 1e-2 < points.distances.mean()
    assert surface.nearest.max() < len(triangles)


def test_without_translation_the_cloud_turns_about_the_origin():
    fixed = cloud(6)
    moving = fixed @ rotation_from_angles(0.05, -0.04, 0.06).T
    found = icp(moving, fixed, initial=IDENTITY, with_translation=False, iterations=300, tolerance=1e-9)
    assert not found.motion.translation.any() and found.distances.max() < 1e-6
    shift = np.array([3.0, 0.0, 0.0])
    away = icp(moving + shift, fixed, initial=IDENTITY, with_translation=False)
    assert not away.motion.translation.any() and away.distances.mean() > 0.5
    start = replace(IDENTITY, translation=-shift)
    kept = icp(moving + shift, fixed, initial=start, with_translation=False, iterations=5)
    assert np.array_equal(kept.motion.translation, start.translation)


def test_the_tolerance_of_squares_ends_one_motion_after_they_stand_still():
    fixed, moving = cloud(7), motion(7, 0.2, 5.0).apply(cloud(8))
    settings_ = {"initial": IDENTITY, "tolerance": -np.inf}
    squares = []
    for rounds in range(40):
        found = icp(moving, fixed, **settings_, iterations=rounds)
        squares.append(np.mean(found.distances**2))
    stands = next(k for k in range(1, 40) if abs(squares[k] - squares[k - 1]) <= 0.01)
    found = icp(moving, fixed, initial=IDENTITY, iterations=None, squared_tolerance=0.01)
    assert found.converged and found.iterations == stands + 1
    same = icp(moving, fixed, **settings_, iterations=stands + 1)
    assert np.array_equal(found.distances, same.distances)


def test_without_a_cap_the_rounds_go_on_until_they_end_by_themselves():
    fixed, moving = cloud(9), motion(9, 0.3, 8.0).apply(cloud(10))
    capped = icp(moving, fixed, initial=IDENTITY, iterations=3, tolerance=1e-9)
    free = icp(moving, fixed, initial=IDENTITY, iterations=None, tolerance=1e-9)
    assert not capped.converged and capped.iterations == 3
    assert free.converged and free.iterations > 3
    assert free.distances.mean() < capped.distances.mean()


def test_no_round_returns_the_start_and_its_distances():
    fixed = cloud(11)
    start = motion(11)
    found = icp(fixed, fixed, initial=start, iterations=0)
    assert found.motion is start and found.iterations == 0 and not found.converged
    assert found.distances.max() > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"trim": 1.0}, "trim: expected a share"),
        ({"search": "both"}, "expected search from_fixed"),
        ({"search": "from_moving", "triangles": [[0, 1, 2]]}, "without triangles"),
        ({"with_scale": True, "with_translation": False}, "with_translation=False"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(arguments, words):
    with pytest.raises(FacemillError, match=words):
        icp(cloud(0), cloud(0), initial=IDENTITY, **arguments)
