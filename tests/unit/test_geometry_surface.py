"""Finer grids, the crop's pixels, orientation and colours of surfaces."""

import numpy as np
import pytest
from kernel_shapes import box, sphere

from pipeline.geometry.surface import (
    crop_colours,
    enclosed,
    enlarged,
    in_crop,
    outward,
    pooled,
    step_of,
    upright,
)
from pipeline.geometry.volume import place_depth
from pipeline.records import FacemillError


def ramp(side):
    """A volume that is linear in z, y and x of the paper's grid."""
    grid = [(np.arange(n) + 0.5) * 192 / side - 0.5 for n in (200 * side // 192, side, side)]
    z, y, x = np.meshgrid(*grid, indexing="ij")
    return 0.3 * z - 0.2 * y + 0.1 * x


def test_a_linear_volume_stays_linear_when_enlarged():
    found = enlarged(ramp(48))
    assert found.shape == (200, 192, 192) and found.dtype == np.float32
    inner = (slice(2, -2),) * 3
    np.testing.assert_allclose(found[inner], ramp(192)[inner], atol=1e-3)
    np.testing.assert_array_equal(enlarged(found), found)


def test_enlarging_keeps_between_the_extremes_and_the_mean():
    volume = np.random.default_rng(0).random((25, 24, 24))
    found = enlarged(volume)
    assert volume.min() - 1e-6 <= found.min() and found.max() <= volume.max() + 1e-6
    assert found.mean() == pytest.approx(volume.mean(), abs=0.01)


def test_halving_takes_means_of_eight():
    volume = np.random.default_rng(1).random((50, 48, 48))
    found = pooled(volume)
    assert found.shape == (25, 24, 24)
    assert found[3, 4, 5] == pytest.approx(volume[6:8, 8:10, 10:12].mean(), rel=1e-6)
    with pytest.raises(FacemillError, match="even sides"):
        pooled(volume[:25, :24, :24])


@pytest.mark.parametrize("shape", [(192, 192, 200), (100, 192, 192), (200, 192)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(FacemillError, match=r"D = 200 S / 192, found"):
        step_of(np.zeros(shape, bool))


def test_the_way_to_the_crop_undoes_the_placing_of_depth():
    points = np.random.default_rng(2).uniform(20, 170, (9, 3))
    placed = place_depth(points, 2.0)
    expected = points - [0, 0, points[:, 2].mean()]
    np.testing.assert_allclose(in_crop(placed, 1.0, 2.0), expected)
    np.testing.assert_allclose(in_crop((placed + 0.5) / 4 - 0.5, 4.0, 2.0), expected)


def test_boxes_and_balls_enclose_what_they_should_however_they_turn():
    vertices, triangles = box((1, 2, 3), (3, 5, 10))
    assert abs(enclosed(vertices, triangles)) == pytest.approx(42)
    ball, faces = sphere((5, 5, 5), 3.0, 40)
    for given in (faces, faces[:, ::-1]):
        turned = outward(ball, given)
        assert enclosed(ball, turned) == pytest.approx(36 * np.pi, rel=0.01)
        corners = ball[turned]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert (np.einsum("ij,ij->i", normals, corners.mean(axis=1) - 5) > -1e-9).all()


def test_upright_points_have_their_zero_at_the_last_row():
    np.testing.assert_array_equal(upright([[3, 191, 2], [0, 0, -1]]), [[3, 0, 2], [0, 191, -1]])


def test_colours_are_the_crop_s():
    image = np.random.default_rng(3).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    points = np.array([[2 * 30 + 0.5, 2 * 40 + 0.5, 9.0], [-50, -50, 0], [500, 500, 0]])
    found = crop_colours(points, image)
    np.testing.assert_array_equal(found, image[[40, 0, 95], [30, 0, 95]])
    between = crop_colours([[2 * 30 + 1.5, 80.5]], image)
    np.testing.assert_allclose(between[0], image[40, 30:32].mean(axis=0), atol=0.5)
    with pytest.raises(FacemillError, match="expected a crop"):
        crop_colours(points, image[..., 0])
