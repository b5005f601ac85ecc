"""The search for the nearest point of a cloud or a mesh against looking at every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_shapes import box, soup, sphere

from pipeline.geometry import reference
from pipeline.geometry.closest import Tree, spatial_order
from pipeline.records import FacemillError

SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 300), st.integers(0, 40))
def test_nearest_points_equal_their_twin(seed, count, queries):
    rng = np.random.default_rng(seed)
    points = rng.normal(0, [30, 20, 3], (count, 3))
    asked = rng.normal(0, 60, (queries, 3))
    found = Tree(points).closest(asked)
    if queries:
        distances, items = reference.closest_points(asked, points)
        assert np.array_equal(found.items, items)
        np.testing.assert_allclose(found.distances, distances, rtol=1e-14)
    assert np.array_equal(found.points, points[found.items])


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, 50), st.sampled_from([0.1, 30.0, 1000.0]))
def test_the_closest_point_of_crossing_triangles_equals_its_twin(seed, count, far):
    rng = np.random.default_rng(seed)
    vertices, triangles = soup(rng, triangles=count)
    asked = vertices[rng.integers(0, len(vertices), 30)] + rng.normal(0, far, (30, 3))
    found = Tree(vertices, triangles).closest(asked)
    distances, points = reference.closest_on_triangles(asked, vertices, triangles)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-9, atol=1e-9)
    reached = np.linalg.norm(found.points - asked, axis=1)
    np.testing.assert_allclose(reached, found.distances, rtol=1e-12)
    assert found.items.max() < count
    np.testing.assert_allclose(found.points, points, atol=1e-4)


def test_distances_to_a_box_are_those_that_one_can_work_out():
    vertices, triangles = box((-1.0, -2.0, -3.0), (1.0, 2.0, 3.0))
    asked = np.random.default_rng(0).uniform(-6, 6, (500, 3))
    outside = np.linalg.norm(np.maximum(np.abs(asked) - [1, 2, 3], 0), axis=1)
    inside = np.min([1, 2, 3] - np.abs(asked), axis=1)
    found = Tree(vertices, triangles).closest(asked)
    np.testing.assert_allclose(found.distances, np.where(inside > 0, inside, outside), atol=1e-12)


def test_triangles_without_area_count_as_what_is_left_of_them():
    vertices = np.array([[0.0, 0, 0], [4, 0, 0], [8, 0, 0], [0, 9, 0]])
    segment_and_point = np.array([[0, 1, 2], [3, 3, 3]])
    asked = np.array([[5.0, 3, 0], [-3, 4, 0], [0, 9, 2], [9, 0, 0]])
    found = Tree(vertices, segment_and_point).closest(asked)
    np.testing.assert_allclose(found.distances, [3, 5, 2, 1])
    assert found.items.tolist() == [0, 0, 1, 0]
    needle = np.array([[0.0, 0, 0], [1, 0, 0], [0.5, 1e-170, 0]])
    assert Tree(needle, [[0, 1, 2]]).closest([[0.5, 3, 4]]).distances == pytest.approx([5])


def test_of_equally_near_items_the_first_is_found_wherever_the_search_begins():
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    points = np.concatenate([grid, grid])
    asked = grid[:-1] + 0.5
    _, items = reference.closest_points(asked, points)
    tree = Tree(points)
    rng = np.random.default_rng(1)
    starts = [None, np.full(len(asked), -1), rng.integers(0, len(points), len(asked)), items + len(grid)]
    for start in starts:
        assert np.array_equal(tree.closest(asked, start).items, items)


def test_the_start_of_a_mesh_search_changes_nothing():
    vertices, triangles = sphere(rings=12)
    rng = np.random.default_rng(2)
    asked = rng.normal(16, 9, (203, 3))
    tree = Tree(vertices, triangles)
    found = tree.closest(asked)
    again = tree.closest(asked, rng.integers(0, len(triangles), len(asked)))
    assert np.array_equal(found.items, again.items) and np.array_equal(found.points, again.points)
    assert np.array_equal(found.distances, again.distances)


def test_points_in_one_place_and_arguments_that_may_not_be_written():
    points = np.full((100, 3), 7.0)
    asked, start = np.full((9, 3), 4.0), np.full(9, 50, np.int32)
    for array in (points, asked, start):
        array.flags.writeable = False
    found = Tree(points).closest(asked, start)
    assert found.items.tolist() == [0] * 9
    np.testing.assert_allclose(found.distances, np.sqrt(27))


def test_spatial_order_names_every_point_once_and_puts_neighbours_together():
    points = np.random.default_rng(3).uniform(0, 1, (5000, 3))
    order = spatial_order(points)
    assert np.array_equal(np.sort(order), np.arange(5000))
    step = np.linalg.norm(np.diff(points[order], axis=0), axis=1).mean()
    assert step < 0.25 * np.linalg.norm(np.diff(points, axis=0), axis=1).mean()
    assert len(spatial_order(np.zeros((0, 3)))) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Tree(np.zeros((3, 2))), r"points: expected shape \(N, 3\), found \(3, 2\)"),
        (lambda: Tree(np.zeros((0, 3))), "at least one point"),
        (lambda: Tree(np.full((3, 3), np.inf)), "points: expected finite"),
        (lambda: Tree(np.zeros((3, 3)), [[0, 1, 3]]), "there are 3 points"),
        (lambda: Tree(np.zeros((3, 3))).closest([[0, 0, np.nan]]), "queries: expected finite"),
        (lambda: Tree(np.zeros((3, 3))).closest(np.zeros((2, 3)), [0, 3]), "numbers from -1 to 2"),
        (lambda: Tree(np.zeros((3, 3))).closest(np.zeros((2, 3)), [0]), "expected 2 numbers"),
    ],
)
def test_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(FacemillError, match=words):
        call()
