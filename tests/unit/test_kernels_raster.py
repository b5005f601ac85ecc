"""The z-buffer rasteriser against analytic surfaces, hand-made cases and its twin."""

import numpy as np
import pytest
from kernel_shapes import sheet, soup, sphere

from pipeline.geometry import mesh, reference
from pipeline.records import FacemillError


def test_pixel_centres_on_edges_are_inside():
    square = np.array([[1.0, 1, 5], [4, 1, 5], [4, 3, 5], [1, 3, 5]])
    raster = mesh.rasterize(square, [[0, 1, 2], [0, 2, 3]], 6, 7)
    expected = np.zeros((6, 7), bool)
    expected[1:4, 1:5] = True
    np.testing.assert_array_equal(raster.mask, expected)
    np.testing.assert_array_equal(raster.depth[expected], 5)
    assert (raster.depth[~expected] == -np.inf).all()
    assert raster.triangle[1, 1] == 0, "a pixel on the common diagonal belongs to the earlier triangle"


def test_barycentric_weights_of_a_known_triangle():
    raster = mesh.rasterize([[0.0, 0, 0], [4, 0, 4], [0, 4, 8]], [[0, 1, 2]], 5, 5)
    np.testing.assert_allclose(raster.barycentric[1, 2], [0.25, 0.5, 0.25])
    assert raster.depth[1, 2] == 4.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_pin_holes_in_a_jittered_sheet(dtype):
    vertices, triangles = sheet(12, 2.7, np.random.default_rng(0), 0.4)
    raster = mesh.rasterize(vertices.astype(dtype), triangles, 30, 30)
    assert raster.mask[:30, :30].all()


def test_sphere_depth_and_nearest_surface():
    vertices, triangles = sphere((15.5, 15.5, 0.0), 12.0, 90)
    raster = mesh.rasterize(vertices, triangles, 32, 32)
    y, x = np.mgrid[:32, :32] - 15.5
    square = 144 - x**2 - y**2
    inner = square > 20
    np.testing.assert_allclose(raster.depth[inner], np.sqrt(square[inner]), atol=0.03)
    assert not raster.mask[square < 0].any()


def test_nearer_wins_and_equal_goes_to_the_first():
    square = [[0.0, 0], [3, 0], [3, 3], [0, 3]]
    vertices = [[*p, z] for z in (1.0, 2.0, 2.0) for p in square]
    triangles = [[4 * k + i for i in t] for k in range(3) for t in ((0, 1, 2), (0, 2, 3))]
    assert set(np.unique(mesh.rasterize(vertices, triangles, 4, 4).triangle)) == {2, 3}


def test_cull_leaves_out_triangles_that_face_away():
    front = [[0.0, 0, 0], [0, 3, 0], [3, 0, 0]]
    assert mesh.rasterize(front, [[0, 1, 2]], 4, 4, cull=True).mask.any()
    assert not mesh.rasterize(front, [[0, 2, 1]], 4, 4, cull=True).mask.any()
    assert mesh.rasterize(front, [[0, 2, 1]], 4, 4).mask.any()


def test_triangles_that_cannot_be_drawn_are_left_out():
    vertices = [[0.0, 0, 1], [3, 0, 1], [0, 3, 1], [np.nan, 1, 1], [np.inf, 1, 1], [1, 1, np.nan], [2, 0, 1]]
    for corner in (3, 4, 5):
        assert not mesh.rasterize(vertices, [[0, 1, corner]], 4, 4).mask.any()
    assert not mesh.rasterize(vertices, [[0, 6, 1]], 4, 4).mask.any()
    assert not mesh.rasterize(np.zeros((3, 3)), np.zeros((0, 3), int), 4, 4).mask.any()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rasterize_equals_its_twin(seed, dtype):
    vertices, triangles = soup(np.random.default_rng(seed))
    vertices = vertices.astype(dtype)
    vertices.flags.writeable = triangles.flags.writeable = False
    raster = mesh.rasterize(vertices, triangles, 25, 22)
    triangle, barycentric, depth = reference.rasterize(vertices, triangles, 25, 22)
    np.testing.assert_array_equal(raster.mask, triangle >= 0)
    np.testing.assert_allclose(raster.depth, depth, atol=1e-5)
    same = raster.triangle == triangle
    assert same.mean() > 0.995
    np.testing.assert_allclose(raster.barycentric[same], barycentric[same], atol=1e-6)
    culled = mesh.rasterize(vertices, triangles, 25, 22, cull=True)
    np.testing.assert_allclose(
        culled.depth, reference.rasterize(vertices, triangles, 25, 22, cull=True)[2], atol=1e-5
    )


def test_interpolate_equals_its_twin_and_fills_the_background():
    rng = np.random.default_rng(5)
    vertices, triangles = soup(rng, triangles=12)
    values = rng.normal(size=(len(vertices), 5))
    raster = mesh.rasterize(vertices, triangles, 20, 20)
    assert raster.mask.any() and not raster.mask.all()
    drawn = mesh.interpolate(raster, triangles, values, background=-7)
    twin = reference.interpolate(raster.triangle, raster.barycentric, triangles, values, -7)
    np.testing.assert_allclose(drawn, twin, atol=1e-5)
    assert drawn.dtype == np.float32 and (drawn[~raster.mask] == -7).all()


def test_interpolated_positions_are_the_pixel_centres():
    vertices, triangles = sphere((12.0, 12.0, 5.0), 9.0)
    raster = mesh.rasterize(vertices, triangles, 24, 24)
    drawn = mesh.interpolate(raster, triangles, vertices)
    y, x = np.nonzero(raster.mask)
    np.testing.assert_allclose(drawn[raster.mask][:, 0], x, atol=1e-4)
    np.testing.assert_allclose(drawn[raster.mask][:, 1], y, atol=1e-4)
    np.testing.assert_allclose(drawn[raster.mask][:, 2], raster.depth[raster.mask], atol=1e-4)


def test_visible_vertices_of_a_sphere_are_its_front():
    vertices, triangles = sphere((31.5, 31.5, 0.0), 28.0, 30)
    raster = mesh.rasterize(vertices, triangles, 64, 64)
    seen = mesh.visible_vertices(raster, vertices, triangles, 0.5)
    height = vertices[:, 2]
    assert seen[height > 1].all() and not seen[height < -4].any()
    inside = mesh.visible_vertices(raster, vertices - [40, 0, 0], triangles)
    assert not inside[(vertices[:, 0] - 40) < -0.5].any(), "a vertex outside the picture is not visible"


@pytest.mark.parametrize("seed", range(3))
def test_visible_vertices_equal_their_twin(seed):
    vertices, triangles = soup(np.random.default_rng(seed))
    raster = mesh.rasterize(vertices, triangles, 24, 24)
    seen = mesh.visible_vertices(raster, vertices, triangles, 0.3)
    np.testing.assert_array_equal(seen, reference.visible_vertices(raster.triangle, vertices, triangles, 0.3))
    assert seen.dtype == bool and 0 < seen.sum() < len(seen)


def test_depth_image_and_codes():
    vertices, triangles = sphere((12.0, 12.0, 5.0), 9.0)
    raster = mesh.rasterize(vertices, triangles, 24, 24)
    image = mesh.depth_image(raster.depth, raster.mask)
    assert (
        image.dtype == np.uint8
        and image[12, 12] == 255
        and image[0, 0] == 0
        and image[raster.mask].min() == 1
    )
    code = mesh.normalized_code(vertices)
    assert code.min(axis=0).tolist() == [0, 0, 0] and code.max(axis=0).tolist() == [1, 1, 1]
    drawn = mesh.pncc(raster, triangles, code)
    np.testing.assert_allclose(drawn[12, 12], [0.5, 0.5, 1.0], atol=0.02)
    assert (drawn[~raster.mask] == 0).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mesh.rasterize(np.zeros((4, 2)), [[0, 1, 2]], 4, 4), r"vertices: expected shape \(N, 3\)"),
        (lambda: mesh.rasterize(np.zeros((3, 3)), [[0, 1, 3]], 4, 4), r"row 0 is \[0, 1, 3\].* 3 vertices"),
        (lambda: mesh.rasterize(np.zeros((3, 3)), [[0, 1, -1]], 4, 4), "row 0"),
        (lambda: mesh.rasterize(np.zeros((3, 3)), [[0.0, 1, 2]], 4, 4), "whole numbers"),
        (lambda: mesh.rasterize(np.zeros((3, 3), complex), [[0, 1, 2]], 4, 4), "real numbers"),
        (lambda: mesh.rasterize(np.zeros((3, 3)), [[0, 1, 2]], 0, 4), "height: expected a whole number"),
        (lambda: mesh.normalized_code(np.zeros((3, 3))), "extent"),
    ],
)
def test_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(FacemillError, match=words):
        call()


def test_a_raster_of_another_mesh_is_refused():
    vertices, triangles = sheet(4)
    raster = mesh.rasterize(vertices, triangles, 4, 4)
    with pytest.raises(FacemillError, match="shows triangle"):
        mesh.interpolate(raster, triangles[:2], vertices)
