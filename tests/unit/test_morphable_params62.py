"""The 62 parameters between picture, crop and mesh, and the .npz face model's errors; no real data needed."""

import numpy as np
import pytest
from stage_world import model

from pipeline.geometry import camera
from pipeline.geometry.frames import CropTransform
from pipeline.morphable import Region, load_face_model, params62
from pipeline.records import FacemillError

POSE = np.array([0.2, -0.5, 0.1, 210.0, 190.0, -60.0, 1e-3])
TRANSFORM = CropTransform(0.61, 213.4, 240.9, 120)


def test_a_crops_camera_gives_the_pictures_points_in_the_crop():
    vertices = model().vertices()
    crop = params62.crop_camera(camera.pose_matrix(POSE), 450, TRANSFORM)
    expected = TRANSFORM.apply(camera.project(vertices, POSE, 450))
    parameters = params62.join(crop, np.zeros(199), np.zeros(29))
    np.testing.assert_allclose(params62.crop_points(parameters, model(), 120), expected, atol=1e-9)
    back = params62.picture_camera(crop, 450, TRANSFORM)
    np.testing.assert_allclose(back, camera.pose_matrix(POSE), atol=1e-12)


def test_join_and_split_are_inverse():
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(3, 4)), rng.normal(size=40), rng.normal(size=10)
    for found, expected in zip(params62.split(params62.join(*parts)), parts, strict=True):
        np.testing.assert_array_equal(found, expected)
    short = params62.split(params62.join(parts[0], parts[1][:3], []))
    np.testing.assert_array_equal(short[1], np.r_[parts[1][:3], np.zeros(37)])
    with pytest.raises(FacemillError, match="62 parameters"):
        params62.split(np.zeros(61))


def test_legacy_pixels_are_shifted_as_published():
    parameters = params62.join(camera.pose_matrix(POSE), [], [])
    exact, v1, v2 = (
        params62.crop_points(parameters, model(), 120, legacy=name) for name in ("exact", "3ddfa", "3ddfa_v2")
    )
    np.testing.assert_allclose(v1 - exact, np.broadcast_to([1, 1, 0], exact.shape), atol=1e-9)
    np.testing.assert_allclose(v2 - exact, np.broadcast_to([0, 0, -1], exact.shape), atol=1e-9)
    with pytest.raises(FacemillError, match="3ddfa_v2"):
        params62.crop_points(parameters, model(), 120, legacy="v3")


def test_whitening_is_undone():
    rng = np.random.default_rng(0)
    raw = rng.normal(5, 3, (30, 62))
    raw[:, 7] = 2.0
    whitening = params62.Whitening.fit(raw)
    white = whitening.whiten(raw)
    np.testing.assert_allclose(np.delete(white.std(axis=0), 7), 1.0)
    np.testing.assert_allclose(whitening.raw(white), raw)
    with pytest.raises(FacemillError, match="positive"):
        params62.Whitening(np.zeros(62), np.zeros(62))


def npz(path, **changed):
    """A face model of four vertices in bfm_sim's layout."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    content = {
        "u": points.ravel(),
        "w_shp": np.ones((12, 2), np.float32),
        "w_exp": np.ones((12, 1), np.float32),
        "keypoints": np.zeros(68, np.int64),
        "tri": np.array([[0, 2, 1]]),
        "uv": points[:, :2],
        "indices_noneck": np.array([0, 2]),
        "segments": np.eye(4, dtype=np.uint8),
    }
    np.savez(path, **{k: v for k, v in {**content, **changed}.items() if v is not None})
    return path


def test_an_npz_model_faces_outward_and_is_truncated(tmp_path):
    found = load_face_model("npz", npz(tmp_path / "m.npz"))
    assert found.triangles.tolist() == [[1, 2, 0]]
    assert found.face_mask.tolist() == [True, False, True, False]
    assert found.regions.tolist() == [Region.NOSE, Region.EYE, Region.LIPS, Region.SKIN]
    assert found.truncated
    np.testing.assert_allclose(found.vertices([1.0, 2.0, 99.0]), found.mean + 3.0)


def test_an_npz_model_that_cannot_be_used_says_why(tmp_path):
    with pytest.raises(FacemillError, match=r"face_model\.path"):
        load_face_model("npz")
    with pytest.raises(FacemillError, match="no face model"):
        load_face_model("npz", tmp_path / "nowhere.npz")
    with pytest.raises(FacemillError, match="missing: uv"):
        load_face_model("npz", npz(tmp_path / "m.npz", uv=None))
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(FacemillError, match=r"text\.npz: expected a \.npz archive"):
        load_face_model("npz", tmp_path / "text.npz")


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("u", np.zeros(13), r"expected 3 numbers a vertex, found float64 of shape \(13,\)"),
        ("w_shp", np.zeros((11, 2)), r"expected modes of shape \(12, K\) for 4 vertices, found \(11, 2\)"),
        ("w_exp", np.zeros(12), r"expected modes of shape \(12, K\)"),
        ("indices_noneck", np.array([0, 4]), "expected numbers from 0 to 3, found 0 to 4"),
        ("indices_noneck", np.array(["a"]), "expected vertex numbers, found <U1"),
        ("indices_noneck", np.array([0, np.nan]), "expected vertex numbers, found float64"),
        ("tri", np.array([[0, 2, 9]]), "expected numbers from 0 to 3, found 0 to 9"),
        ("tri", np.array([0, 2, 1]), r"expected triangles of shape"),
        ("keypoints", np.zeros(67, int), "expected 68 keypoints, found 67"),
        ("keypoints", np.full(68, -1), "expected numbers from 0 to 3, found -1 to -1"),
        ("uv", np.zeros((3, 2)), r"expected numbers of shape \(4, 2\), found float64 of shape \(3, 2\)"),
        ("mean_tex_rgb", np.full((4, 3), "red"), r"expected numbers of shape \(4, 3\), found <U3"),
        (
            "param_std_3ddfa",
            np.ones(62),
            r"expected numbers of shape \(15,\), found float64 of shape \(62,\)",
        ),
        ("segments", np.full((4, 4), "x"), r"expected segments of shape \(4, 4\), found <U1"),
    ],
)
def test_an_npz_model_whose_arrays_do_not_fit_is_one_line_that_names_the_array(
    tmp_path, key, values, message
):
    with pytest.raises(FacemillError, match=rf"m\.npz, {key}: {message}"):
        load_face_model("npz", npz(tmp_path / "m.npz", **{key: values}))


def test_the_deviations_of_an_npz_model_are_those_of_its_own_modes(tmp_path):
    path = npz(tmp_path / "m.npz", param_std_3ddfa=np.arange(15.0))
    found = load_face_model("npz", path)
    assert found.shape_sigma.tolist() == [12, 13] and found.expression_sigma.tolist() == [14]
