"""Normals and Phong shading against analytic surfaces and their twins."""

import numpy as np
import pytest
from kernel_shapes import soup, sphere

from pipeline.geometry import mesh, reference
from pipeline.records import FacemillError


def test_normals_of_a_sphere_point_out():
    vertices, triangles = sphere((3.0, -2.0, 1.0), 5.0, 40)
    normals = mesh.vertex_normals(vertices, triangles)
    np.testing.assert_allclose(normals, (vertices - [3, -2, 1]) / 5, atol=0.02)


def test_normals_of_an_ellipsoid_follow_its_gradient():
    axes = np.array([1.0, 0.6, 1.4])
    vertices, triangles = sphere((0.0, 0.0, 0.0), 10.0, 60, axes)
    gradient = vertices / axes**2
    gradient /= np.linalg.norm(gradient, axis=1, keepdims=True)
    np.testing.assert_allclose(mesh.vertex_normals(vertices, triangles), gradient, atol=0.02)


def test_normals_in_the_image_frame_are_the_mirrored_ones():
    vertices, triangles = sphere(rings=8)
    normals = mesh.vertex_normals(vertices, triangles)
    image = mesh.vertex_normals(vertices * [1, -1, 1], triangles, image_frame=True)
    np.testing.assert_allclose(image, normals * [1, -1, 1], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normals_equal_their_twin(dtype):
    vertices, triangles = soup(np.random.default_rng(1))
    vertices = vertices.astype(dtype)
    vertices.flags.writeable = False
    np.testing.assert_allclose(
        mesh.vertex_normals(vertices, triangles), reference.vertex_normals(vertices, triangles), atol=1e-10
    )


def test_a_vertex_without_area_has_no_normal():
    normals = mesh.vertex_normals([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]], [[0, 1, 2], [3, 3, 3]])
    assert normals[3].tolist() == [0, 0, 0] and normals[0].tolist() == [0, 0, 1]


def test_shading_by_hand():
    normals = [[0.0, 0, 1], [1, 0, 0], [0, 0, -1]]
    lights = [((0, 0, 2), (1.0, 0.5, 0.0))]
    colours = mesh.shade(normals, np.full((3, 3), 0.5), 0.2, lights, specular=[0.4, 0, 0], shininess=8)
    expected = [[0.5 * 1.2 + 0.4, 0.5 * 0.7 + 0.2, 0.5 * 0.2], [0.1] * 3, [0.1] * 3]
    np.testing.assert_allclose(colours, expected, atol=1e-6)


def test_a_light_behind_the_surface_gives_no_highlight():
    normal, light = [[1.0, 0, 0.01]], [((-1, 0, 0.0), 1.0)]
    assert mesh.shade(normal, np.ones((1, 3)), 0, light, specular=1.0, shininess=1).tolist() == [[0, 0, 0]]


def test_shading_equals_its_twin():
    rng = np.random.default_rng(2)
    normals = rng.normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    albedo, gloss = rng.uniform(size=(50, 3)), rng.uniform(size=50)
    lights = [(rng.normal(size=3), rng.uniform(size=3)) for _ in range(3)]
    given = (normals, albedo, [0.1, 0.2, 0.3], lights, gloss, 12.5, (0.1, 0.2, 1.0))
    np.testing.assert_allclose(mesh.shade(*given), reference.shade(*given), atol=1e-6)
    np.testing.assert_allclose(mesh.shade(normals, albedo, 0.5, []), albedo * 0.5, atol=1e-7)


def test_a_light_without_direction_is_refused():
    with pytest.raises(FacemillError, match="light direction"):
        mesh.shade([[0.0, 0, 1]], np.ones((1, 3)), 0, [((0, 0, 0), 1.0)])
