"""The procedural head as a mesh: one sheet, outward triangles, a chart that is one-to-one, the same bits twice."""

import numpy as np
import pytest

from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.mesh import rasterize
from pipeline.morphable import Region, load_face_model
from pipeline.morphable.procedural import build
from pipeline.records import FacemillError


@pytest.fixture(scope="module")
def face():
    return load_face_model("procedural")


def _chart_areas(face) -> np.ndarray:
    a, b, c = (face.uv[face.uv_triangles[:, corner]].astype(np.float64) for corner in range(3))
    return 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])


def test_size(face):
    assert 8_000 <= len(face.mean) <= 40_000
    width = np.ptp(face.mean[face.face_mask], axis=0)[0]
    assert 1.3e5 < width < 1.6e5


def test_the_chart_covers_the_unit_square_exactly_once(face):
    areas = _chart_areas(face)
    assert face.uv.min() == 0.0 and face.uv.max() == 1.0
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(1.0, abs=1e-6)


def test_every_random_place_of_the_chart_lies_in_one_triangle(face):
    corners = face.uv[face.uv_triangles].astype(np.float64)
    for place in np.random.default_rng(0).random((60, 2)):
        edge = np.roll(corners, -1, axis=1) - corners
        offset = place - corners
        left = edge[..., 0] * offset[..., 1] - edge[..., 1] * offset[..., 0]
        assert (left > 0).all(axis=1).sum() == 1


def test_the_mesh_is_one_oriented_sheet_whose_rim_is_the_charts_border(face):
    edges = face.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2).astype(np.int64)
    code = edges[:, 0] * len(face.mean) + edges[:, 1]
    back = edges[:, 1] * len(face.mean) + edges[:, 0]
    assert len(np.unique(code)) == len(code)
    rim = edges[~np.isin(code, back)]
    assert np.isin(face.uv[rim], [0.0, 1.0]).any(axis=2).all()
    inner = (len(code) - len(rim)) // 2
    assert len(face.mean) - (inner + len(rim)) + len(face.triangles) == 1
    assert len(np.unique(face.triangles)) == len(face.mean)


def test_triangles_face_outwards(face):
    a, b, c = (face.mean[face.triangles[:, corner]].astype(np.float64) for corner in range(3))
    normal = np.cross(b - a, c - a)
    outward = (normal * (a + b + c)).sum(axis=1) > 0
    skin = np.isin(face.regions[face.triangles], [Region.SKIN, Region.SCALP]).all(axis=1)
    assert outward[skin].mean() > 0.99
    volume = (a * np.cross(b, c)).sum() / 6
    assert 2e15 < volume < 8e15


@pytest.mark.parametrize("yaw", [0.0, 0.8, -1.5])
def test_nothing_seen_from_the_front_is_inside_out(face, yaw):
    turned = face.mean.astype(np.float64) @ rotation_from_angles(0.0, yaw, 0.0).T / 1000
    image = np.column_stack([turned[:, 0] + 150, 150 - turned[:, 1], turned[:, 2]])
    raster = rasterize(image, face.triangles, 300, 300)
    a, b, c = (image[face.triangles[:, corner]] for corner in range(3))
    facing = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    seen = raster.triangle[raster.mask]
    neck = (face.regions[face.triangles] == Region.NECK).any(axis=1)[seen]
    assert seen.size > 20_000
    assert (~facing[seen] & ~neck).mean() < 0.001


def test_the_face_is_the_same_on_both_sides(face):
    mirrored = np.column_stack([1.0 - face.uv[:, 0], face.uv[:, 1]])
    order, twin = np.lexsort(face.uv.T.round(5)), np.lexsort(mirrored.T.round(5))
    flip = np.array([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(face.mean[order], face.mean[twin] * flip, atol=0.1)


def test_every_region_exists_and_the_mask_leaves_out_what_is_no_face(face):
    assert set(np.unique(face.regions)) == {int(region) for region in Region if region is not Region.TEETH}
    outside = [Region.EAR, Region.NECK, Region.SCALP, Region.MOUTH_INNER]
    assert not np.isin(face.regions[face.face_mask], outside).any()
    assert face.face_mask[face.keypoints].all()
    assert 0.4 < face.face_mask.mean() < 0.9


def test_a_second_build_has_the_same_bytes(face):
    again = build.__wrapped__()
    for name, value in vars(face).items():
        if isinstance(value, np.ndarray):
            assert value.tobytes() == getattr(again, name).tobytes(), name


def test_the_arrays_cannot_be_changed_by_accident(face):
    assert build() is face
    with pytest.raises(ValueError, match="read-only"):
        face.mean[0] = 0.0


def test_a_file_for_the_embedded_face_is_refused():
    with pytest.raises(FacemillError, match="reads no file"):
        load_face_model("procedural", "some/model.npz")
