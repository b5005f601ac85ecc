"""Scan-to-mesh distance on bodies whose distance is known."""

import numpy as np
import pytest
from kernel_shapes import box, sphere

from pipeline.geometry import reference
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.similarity import Similarity
from pipeline.metrics.scan import scan_to_mesh, scan_to_mesh_error

IDENTITY = Similarity(1.0, np.eye(3), np.zeros(3))


def scan(count: int = 500) -> np.ndarray:
    """Points (count, 3) on the box of `box((-30, -50, -20), (30, 50, 20))`. Read-only."""
    random = np.random.default_rng(0)
    half = np.array([30.0, 50.0, 20.0])
    points = random.uniform(-half, half, (count, 3))
    axis = random.integers(0, 3, count)
    points[np.arange(count), axis] = half[axis] * random.choice([-1, 1], count)
    points.flags.writeable = False
    return points


def test_points_between_vertices_have_the_distance_of_the_surface():
    vertices, triangles = box((-30.0, -50.0, -20.0), (30.0, 50.0, 20.0))
    assert scan_to_mesh(scan(), vertices, triangles).max() < 1e-12
    outside = np.linalg.norm(np.maximum(np.abs(1.1 * scan()) - [30.0, 50.0, 20.0], 0), axis=1)
    np.testing.assert_allclose(scan_to_mesh(1.1 * scan(), vertices, triangles), outside, atol=1e-12)


def test_distances_equal_brute_force_on_a_mesh_of_large_and_small_triangles():
    fine, small = sphere((0.0, 0.0, 0.0), 10.0, 9)
    coarse, large = sphere((25.0, 0.0, 0.0), 20.0, 3)
    vertices, triangles = np.concatenate([fine, coarse]), np.concatenate([small, large + len(fine)])
    points = np.random.default_rng(1).uniform(-30, 50, (25, 3))
    expected, _ = reference.closest_on_triangles(points, vertices, triangles)
    np.testing.assert_allclose(scan_to_mesh(points, vertices, triangles), expected, rtol=1e-10)


def test_a_moved_mesh_is_brought_back_and_its_size_only_where_that_is_asked():
    vertices, triangles = box((-30.0, -50.0, -20.0), (30.0, 50.0, 20.0))
    away = 1.02 * vertices @ rotation_from_angles(0.05, -0.03, 0.04).T + [2.0, -1.0, 1.5]
    settings = {"initial": IDENTITY, "iterations": None, "tolerance": 1e-9}
    scaled = scan_to_mesh_error(scan(), away, triangles, with_scale=True, **settings)
    rigid = scan_to_mesh_error(scan(), away, triangles, **settings)
    assert scaled < 1e-3 and 0.2 < rigid < 1.0
    share = scan_to_mesh_error(scan(), away, triangles, size=60.0, **settings)
    assert share == pytest.approx(100 * rigid / 60)


def test_trimming_gives_a_few_stray_points_no_weight_in_the_motion_but_counts_them():
    vertices, triangles = box((-30.0, -50.0, -20.0), (30.0, 50.0, 20.0))
    stray = np.concatenate([scan(), np.tile([[80.0, 40.0, 60.0]], (25, 1))])
    settings = {"initial": IDENTITY, "iterations": 60, "tolerance": 1e-9}
    far = np.linalg.norm([50.0, 0.0, 40.0]) * 25 / 525
    trimmed = scan_to_mesh_error(stray, vertices, triangles, trim=0.1, **settings)
    assert trimmed == pytest.approx(far, rel=1e-3)
    assert scan_to_mesh_error(stray, vertices, triangles, **settings) > trimmed + 0.1
