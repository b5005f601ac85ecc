"""Maps by table against maps drawn face by face, analytic charts and hand-made cases."""

import numpy as np
import pytest
from kernel_shapes import sheet

from pipeline.geometry import posmap, reference
from pipeline.geometry.posmap import UVTable
from pipeline.records import FacemillError


def chart(size: int = 7, seed: int = 0):
    """A sheet of the unit square with moved inner points, v up, and values (N, 3) to draw."""
    rng = np.random.default_rng(seed)
    vertices, triangles = sheet(size, 1.0, rng, 0.3)
    uv = vertices[:, :2] / (size - 1)
    return np.column_stack([uv[:, 0], 1 - uv[:, 1]]), triangles, rng.uniform(-100, 300, (len(uv), 3))


@pytest.mark.parametrize("size", [2, 16, 33])
def test_corner_texels_are_the_corners_of_the_chart(size):
    uv, triangles, _ = chart()
    table = UVTable(uv, triangles, triangles, size)
    drawn = table.gather(uv)
    assert table.inside.all()
    expected = np.stack(np.meshgrid(*2 * [np.linspace(0, 1, size)]), axis=-1) * [1, -1] + [0, 1]
    np.testing.assert_allclose(drawn, expected, atol=2e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("columns", [1, 3, 4])
def test_gather_equals_the_map_drawn_for_this_face_alone(dtype, columns):
    uv, triangles, values = chart()
    values = np.tile(values, 2)[:, :columns].astype(dtype)
    values.flags.writeable = False
    table = UVTable(uv, triangles, triangles, 20)
    drawn = table.gather(values)
    np.testing.assert_allclose(
        drawn, reference.map_values(uv, triangles, triangles, values, 20)[0], atol=1e-3
    )
    twin = reference.gather(table.corners, table.weights, values).reshape(20, 20, columns)
    np.testing.assert_allclose(drawn, twin, atol=1e-4)
    assert drawn.shape == (20, 20, columns) and drawn.dtype == np.float32


def test_texels_off_the_chart_take_its_nearest_point():
    uv = np.array([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75]])
    table = UVTable(uv, [[0, 1, 2]], [[0, 1, 2]], 9)
    drawn = table.gather(uv)
    assert table.inside.sum() == 15
    np.testing.assert_allclose(drawn[8, 0], [0.25, 0.25], atol=1e-7)
    np.testing.assert_allclose(drawn[8, 4], [0.5, 0.25], atol=1e-7)
    np.testing.assert_allclose(drawn[0, 8], [0.5, 0.5], atol=1e-7)
    assert (table.weights >= 0).all() and (table.weights.sum(axis=1) <= 1 + 1e-6).all(), (
        "nothing extrapolated"
    )
    twin, inside = reference.map_values(uv, [[0, 1, 2]], [[0, 1, 2]], uv, 9)
    np.testing.assert_array_equal(table.inside, inside)
    np.testing.assert_allclose(drawn, twin, atol=1e-6)


def test_holes_and_folds_take_the_nearest_point_too():
    uv, triangles, _ = chart(5)
    kept = np.delete(triangles, [7, 12, 18, 25], axis=0)
    folded = uv.copy()
    folded[:5, 1] -= 0.4
    for points, faces in ((uv, kept), (folded, triangles)):
        table = UVTable(points, faces, faces, 14)
        assert not table.inside.all()
        drawn = table.gather(points)
        twin, inside = reference.map_values(points, faces, faces, points, 14)
        y, x = np.mgrid[:14, :14]
        texel = np.stack([x / 13, 1 - y / 13], axis=-1)
        np.testing.assert_array_equal(table.inside, inside)
        away = [np.linalg.norm(found - texel, axis=-1) for found in (drawn, twin)]
        np.testing.assert_allclose(away[0], away[1], atol=1e-6)


def test_a_chart_with_its_own_numbering():
    uv, triangles, values = chart(4)
    order = np.random.default_rng(1).permutation(len(uv))
    renumbered = np.empty(len(uv), int)
    renumbered[order] = np.arange(len(uv))
    plain = UVTable(uv, triangles, triangles, 12).gather(values)
    shuffled = UVTable(uv[order], renumbered[triangles], triangles, 12).gather(values)
    np.testing.assert_allclose(plain, shuffled, atol=1e-4)


def test_codes_are_the_rounded_map():
    uv, triangles, values = chart()
    for size in (20, 48):
        table = UVTable(uv, triangles, triangles, size)
        codes, outside = table.gather_codes(values)
        assert outside == 0 and codes.dtype == np.uint16
        np.testing.assert_allclose(posmap.decode(codes), table.gather(values), atol=1 / 256, rtol=0)
        twin, _ = reference.codes(table.gather(values), 128, 128)
        np.testing.assert_array_equal(codes, twin)


def test_values_outside_are_counted_and_held_never_wrapped():
    uv = [[0.0, 0], [1, 0], [0, 1], [1, 1]]
    table = UVTable(uv, [[0, 1, 2], [1, 3, 2]], [[0, 1, 2], [1, 3, 2]], 2)
    codes, outside = table.gather_codes([[-128.0, 383.99, 0.0], [-129, 400, 1e9], [5, -1e9, 512], [5, 5, 5]])
    assert outside == 5
    assert codes[1, 0].tolist() == [0, 65535, 16384]
    assert codes[1, 1].tolist() == [0, 65535, 65535]
    assert codes[0, 0].tolist() == [17024, 0, 65535]
    broken, outside = table.gather_codes([[np.nan, 0, 0], [0, 0, np.inf], [0, 0, 0], [0, 0, 0]])
    assert outside >= 2 and broken[1, 0, 0] == 0


def test_nothing_is_read_past_the_last_vertex():
    uv, triangles, values = chart(3)
    table = UVTable(uv, triangles, triangles, 8)
    room = np.full((len(values) + 1, 3), np.nan, np.float32)
    room[:-1] = values
    np.testing.assert_array_equal(table.gather(room[:-1]), table.gather(values.astype(np.float32)))
    named = (table.corners == len(uv) - 1).any(axis=1)
    assert named.any() and set(np.flatnonzero(named)) <= set(table._slow.tolist())


def test_nearest_texels_follow_prns_rounding():
    assert posmap.nearest_texels([[0, 0], [1, 1], [0.5, 0.25]], 256).tolist() == [
        [0, 255],
        [255, 0],
        [128, 191],
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: UVTable([[0, 0, 0]], [[0, 0, 0]], [[0, 0, 0]], 8), r"uv: expected shape \(N, 2\)"),
        (lambda: UVTable([[0.0, 0]], [[0, 0, 1]], [[0, 0, 0]], 8), "1 chart points"),
        (lambda: UVTable([[0.0, 0]], [[0, 0, 0]], [[0, 0, 0]], 8), "covers texels"),
        (lambda: UVTable([[0.0, 0]], [[0, 0, 0]], np.zeros((2, 3), int), 8), "one row per triangle"),
        (lambda: UVTable(*chart()[:2], chart()[1], 8).gather(np.zeros((5, 3))), "each of 49 vertices"),
        (lambda: UVTable(*chart()[:2], chart()[1], 8).gather_codes(np.zeros((49, 2))), r"\(N, 3\)"),
        (lambda: posmap.decode(np.zeros(3)), "uint16"),
    ],
)
def test_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(FacemillError, match=words):
        call()
