"""Volumes against analytic solids, hand-made cases and their dense twins."""

import numpy as np
import pytest
from kernel_shapes import box, sheet, soup, sphere

from pipeline.geometry import reference, volume
from pipeline.geometry.closing import Closure, submesh
from pipeline.geometry.euler import rotation_from_angles
from pipeline.records import FacemillError

SHAPE = (30, 26, 27)


def mask_of_a_head(centre=(13.0, 12.0, 14.0), rings=14):
    """The front two thirds of an ellipsoid with a hole in it: an open face with a mouth."""
    vertices, triangles = sphere(centre, 9.0, rings, (0.8, 1.0, 0.9))
    keep = vertices[:, 2] > centre[2] - 3
    keep &= np.hypot(vertices[:, 0] - centre[0], vertices[:, 1] - centre[1] - 3) > 1.5
    kept, triangles = submesh(triangles, keep)
    return vertices[kept], triangles


def placed(vertices, rotation, centre=(13.0, 13.0, 15.0), stretch=1.25):
    """Vertices of a y-up model turned and put into a block, y down."""
    turned = (vertices - vertices.mean(axis=0)) @ rotation.T * [1, -1, 1]
    return turned * [1, 1, stretch] + centre


def test_a_box_with_faces_through_voxel_centres_holds_its_surface():
    vertices, triangles = box((3, 4, 5), (10, 9, 12))
    found = volume.voxelize(vertices, triangles, "solid", shape=SHAPE).dense()
    expected = np.zeros(SHAPE, np.uint8)
    expected[5:13, 4:10, 3:11] = 1
    np.testing.assert_array_equal(found, expected)


def test_a_box_between_voxel_centres():
    vertices, triangles = box((2.5, 3.5, 4.5), (10.5, 9.5, 12.5))
    found = volume.voxelize(vertices, triangles, "solid", shape=SHAPE).dense()
    expected = np.zeros(SHAPE, np.uint8)
    expected[5:13, 4:10, 3:11] = 1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axes", [(1.0, 1.0, 1.0), (0.7, 1.0, 1.2)])
def test_spheres_and_ellipsoids(axes):
    centre = np.array([13.1, 12.7, 14.2])
    vertices, triangles = sphere(centre, 10.0, 120, axes)
    found = volume.voxelize(vertices, triangles, "solid", shape=SHAPE).dense().astype(bool)
    z, y, x = np.indices(SHAPE)
    reach = np.sqrt(sum(((p - c) / a) ** 2 for p, c, a in zip((x, y, z), centre, axes, strict=True)))
    assert not (found & (reach > 10.0)).any()
    assert found[reach < 9.98].all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_solid_equals_its_twin_voxel_for_voxel(seed, dtype):
    rotation = rotation_from_angles(*np.random.default_rng(seed).uniform(-1, 1, 3))
    vertices, triangles = mask_of_a_head()
    vertices = placed(vertices, rotation).astype(dtype)
    vertices.flags.writeable = triangles.flags.writeable = False
    found = volume.voxelize(vertices, triangles, "solid", shape=SHAPE).dense()
    points, faces = Closure(triangles).close(vertices)
    np.testing.assert_array_equal(found, reference.solid(points, faces, SHAPE))
    assert 1000 < found.sum() < found.size


def test_solid_of_whole_numbers_and_soup_equals_its_twin():
    rng = np.random.default_rng(3)
    points, triangles = soup(rng, 30, 40, 24.0)
    points, faces = Closure(triangles).close(np.rint(points))
    found = volume.voxelize(points, faces, "solid", shape=SHAPE).dense()
    np.testing.assert_array_equal(found, reference.solid(points, faces, SHAPE))


def test_surfaces_that_cross_leave_no_hole():
    first, triangles = sphere((11.0, 12.0, 14.0), 6.0, 20)
    second, _ = sphere((15.0, 12.0, 14.0), 6.0, 20)
    both = np.concatenate([triangles, triangles + len(first)])
    union = volume.voxelize(np.concatenate([first, second]), both, "solid", shape=SHAPE).dense()
    single = [volume.voxelize(v, triangles, "solid", shape=SHAPE).dense() for v in (first, second)]
    np.testing.assert_array_equal(union, single[0] | single[1])


def test_a_solid_beyond_the_block_is_cut():
    vertices, triangles = box((-5, -5, -5), (40, 6, 40))
    found = volume.voxelize(vertices, triangles, "solid", shape=SHAPE).dense()
    assert found[:, :7].all() and not found[:, 7:].any()


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.3, 0.9, -0.4), (-0.2, -1.5, 0.1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_backfill_equals_its_twin_voxel_for_voxel(angles, dtype):
    rotation = rotation_from_angles(*angles)
    vertices, triangles = mask_of_a_head()
    vertices = placed(vertices, rotation).astype(dtype)
    found = volume.voxelize(vertices, triangles, "frontal_backfill", rotation=rotation, shape=SHAPE).dense()
    frontal = volume.Frontal(vertices.astype(np.float64), rotation, 1.25)
    points, faces = Closure(triangles).close(vertices, outline=False)
    twin = reference.backfill(
        points, faces, frontal.turn, frontal.centre, frontal.stretch, frontal.back, SHAPE
    )
    np.testing.assert_array_equal(found, twin)
    assert found.sum() > 1000


def test_backfill_of_a_frontal_sheet_is_a_slab():
    vertices, triangles = sheet(12)
    vertices += [5.0, 6.0, 20.0]
    vertices[:, 2] = np.where((vertices[:, 0] == 5) & (vertices[:, 1] == 6), 8.0, 20.0)
    found = volume.voxelize(vertices, triangles, "frontal_backfill", rotation=np.eye(3), shape=SHAPE).dense()
    expected = np.zeros(SHAPE, np.uint8)
    expected[8:21, 6:18, 5:17] = 1
    expected[9:, 6, 5] = 0
    np.testing.assert_array_equal(found, expected)


def test_backfill_turns_with_the_head():
    vertices, triangles = mask_of_a_head()
    counts = []
    for angles in ((0, 0, 0), (0.2, 0.6, 0.1), (0, 1.2, 0)):
        rotation = rotation_from_angles(*angles)
        turned = placed(vertices, rotation, stretch=1.0)
        found = volume.voxelize(
            turned, triangles, "frontal_backfill", rotation=rotation, depth_scale=1.0, shape=SHAPE
        )
        counts.append(int(found.dense().sum()))
    np.testing.assert_allclose(counts, counts[0], rtol=0.03)


def test_backfill_fills_holes_of_the_front_and_keeps_the_outline():
    vertices, triangles = sheet(12)
    hole = np.delete(triangles, [60, 61, 62, 181, 182, 183], axis=0)
    vertices += [5.0, 6.0, 20.0]
    vertices[0, 2] = 8.0
    whole = volume.voxelize(vertices, triangles, "frontal_backfill", rotation=np.eye(3), shape=SHAPE)
    holed = volume.voxelize(vertices, hole, "frontal_backfill", rotation=np.eye(3), shape=SHAPE)
    np.testing.assert_array_equal(whole.dense(), holed.dense())


def test_shell_holds_the_cut_vertices():
    vertices = [
        [1.0, 1, 1],
        [5.9, 3.2, 7.5],
        [27.0, 26, 30],
        [0.9, 5, 5],
        [27.1, 5, 5],
        [5, 26.5, 5],
        [5, 5, 31],
    ]
    found = volume.voxelize(vertices, [[0, 1, 2]], "shell", shape=SHAPE).dense()
    assert sorted(map(tuple, np.argwhere(found))) == [(0, 0, 0), (6, 2, 4), (29, 25, 26)]


def test_columns_and_bits_give_the_volume_back():
    rng = np.random.default_rng(0)
    z0, z1 = np.sort(rng.integers(0, 31, (2, 26, 27)), axis=0)
    z = np.arange(30)[:, None, None]
    dense = ((z >= z0) & (z < z1)).astype(np.uint8)
    found = volume.Volume.from_dense(dense)
    columns, several = found.columns()
    assert not several.any() and found.shape == SHAPE
    np.testing.assert_array_equal(found.dense(), dense)
    np.testing.assert_array_equal(volume.expand_columns(columns, 30), dense)
    np.testing.assert_array_equal(columns, reference.columns(dense)[0])
    np.testing.assert_array_equal(reference.expand_columns(columns, 30), dense)
    noise = rng.integers(0, 2, SHAPE)
    columns, several = volume.Volume.from_dense(noise).columns()
    twin = reference.columns(noise)
    np.testing.assert_array_equal(columns, twin[0])
    np.testing.assert_array_equal(several, twin[1])
    assert several.any()


def test_a_full_block_has_runs_to_its_last_slice():
    columns, several = volume.Volume.from_dense(np.ones((255, 2, 3))).columns()
    assert not several.any() and (columns == [0, 255]).all()


def test_place_depth_and_outside_share():
    vertices = [[0.0, 0, -4], [10, 0, 4]]
    np.testing.assert_array_equal(volume.place_depth(vertices, 2.0)[:, 2], [92, 108])
    points = [[-0.5, 0, 0], [191.5, 0, 199.5], [-0.6, 0, 0], [0, 200, 200]]
    assert volume.outside_share(points).tolist() == [0.25, 0.25, 0.25]


def test_every_rim_is_closed_once():
    vertices, triangles = mask_of_a_head()
    closure = Closure(triangles)
    assert len(closure.rims) == 2
    points, faces = closure.close(vertices)
    assert len(points) == len(vertices) + 2 and Closure(faces).rims == []
    points, faces = closure.close(vertices, outline=False)
    assert len(points) == len(vertices) + 1
    left = Closure(faces).rims
    longest = max(closure.rims, key=len)
    assert len(left) == 1 and set(left[0]) == set(longest)


def test_loops_that_touch_and_loose_triangles_are_closed():
    bow = [[0, 1, 2], [2, 3, 4]]
    assert sorted(len(rim) for rim in Closure(bow).rims) == [3, 3]
    three_on_an_edge = [[0, 1, 2], [0, 1, 3], [0, 1, 4]]
    _, faces = Closure(three_on_an_edge).close(np.random.default_rng(0).normal(size=(5, 3)))
    assert Closure(faces).rims == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda v, t: volume.voxelize(v, t, "cloud"), "frontal_backfill, solid, shell"),
        (lambda v, t: volume.voxelize(v, t, "frontal_backfill"), "expected its rotation"),
        (lambda v, t: volume.voxelize(v * np.nan, t, "solid"), "finite"),
        (lambda v, t: volume.voxelize(v[:5], t, "solid"), "5 vertices"),
        (lambda v, t: volume.expand_columns(np.zeros((3, 3, 2))), "uint8"),
        (lambda v, t: volume.Volume.from_dense(np.zeros((3, 3))), r"expected shape \(N, M, K\)"),
        (lambda v, t: volume.Volume(np.zeros((256, 1, 1), np.uint8), 8).columns(), "255 slices"),
    ],
)
def test_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(FacemillError, match=words):
        call(*box((0, 0, 0), (3, 3, 3)))
