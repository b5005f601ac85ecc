"""Face models from files in the published layouts: what is read, how it is turned, and what is refused."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import scipy.io

from pipeline.geometry.mesh import vertex_normals
from pipeline.morphable import Region, load_face_model, params62
from pipeline.morphable.bfm import linear_light
from pipeline.records import FacemillError
from tests.face_files import WRITERS, dome, dump2, write_configs, write_face3d, write_original, write_v2


@pytest.fixture(scope="module")
def face():
    return dome()


def load(kind, folder, face):
    name, write = WRITERS[kind]
    return load_face_model(name, write(folder, face))


@pytest.mark.parametrize("kind", WRITERS)
def test_every_layout_gives_the_arrays_that_were_written(tmp_path, face, kind):
    found = load(kind, tmp_path, face)
    expected = face.part() if kind == "v2" else face
    count = len(expected.mean)
    np.testing.assert_allclose(found.mean, expected.mean, atol=0.02)
    np.testing.assert_array_equal(found.shape_basis, expected.shape.reshape(count, 3, -1))
    np.testing.assert_array_equal(found.expression_basis, expected.expression.reshape(count, 3, -1))
    np.testing.assert_allclose(found.shape_sigma, expected.shape_sigma, rtol=1e-6)
    np.testing.assert_allclose(found.expression_sigma, expected.expression_sigma, rtol=1e-6)
    np.testing.assert_array_equal(found.keypoints, expected.keypoints)
    np.testing.assert_array_equal(found.triangles, expected.tri[:, ::-1])
    np.testing.assert_array_equal(found.uv, expected.uv.astype(np.float32))
    np.testing.assert_array_equal(found.uv_triangles, found.triangles)
    assert found.truncated == (kind in ("configs", "v2"))
    assert "research only" in found.licence


@pytest.mark.parametrize("kind", WRITERS)
def test_triangles_are_turned_outward_whichever_way_the_files_have_them(tmp_path, face, kind):
    for number, tri in enumerate((face.tri, face.tri[:, ::-1])):
        turned = load(kind, tmp_path / str(number), replace(face, tri=tri))
        assert vertex_normals(turned.mean, turned.triangles)[:, 2].mean() > 0.3


@pytest.mark.parametrize("kind", WRITERS)
def test_coefficients_are_raw_and_a_surface_is_the_sum_of_modes(tmp_path, face, kind):
    found = load(kind, tmp_path, face)
    expected = face.part() if kind == "v2" else face
    rng = np.random.default_rng(1)
    shape = rng.normal(size=len(face.shape_sigma)) * face.shape_sigma
    expression = rng.normal(size=len(face.expression_sigma)) * face.expression_sigma
    offset = expected.shape.astype(float) @ shape + expected.expression.astype(float) @ expression
    surface = expected.mean + offset.reshape(-1, 3)
    np.testing.assert_allclose(found.vertices(shape, expression), surface, atol=0.1)
    padded = np.pad(shape, (0, 199 - len(shape))), np.pad(expression, (0, 29 - len(expression)))
    np.testing.assert_allclose(found.landmarks(*padded), surface[expected.keypoints], atol=0.1)
    camera = np.array([[1e-3, 0, 0, 60], [0, 1e-3, 0, 61], [0, 0, 1e-3, 5]])
    points = params62.crop_points(params62.join(camera, shape, expression), found, 120, legacy="3ddfa_v2")
    np.testing.assert_allclose(points[:, 0], 1e-3 * surface[:, 0] + 59, atol=1e-3)
    np.testing.assert_allclose(points[:, 1], 120 - (1e-3 * surface[:, 1] + 61), atol=1e-3)


def test_the_face_is_without_ears_and_neck(tmp_path, face):
    by_rule = load("original", tmp_path / "a", face).face_mask
    jaw, width = face.mean[face.keypoints[8]], np.ptp(face.mean[face.keypoints[[0, 16]], 0])
    assert by_rule[face.keypoints].all()
    assert not by_rule[face.mean[:, 1] < jaw[1] - 0.06 * width].any() and (~by_rule).sum() > 20
    listed = write_face3d(tmp_path / "b", face)
    np.save(listed.parent / "indices.npy", face.kept)
    mask = load_face_model("bfm2009", listed).face_mask
    np.testing.assert_array_equal(np.flatnonzero(mask), face.kept)
    assert load("v2", tmp_path / "c", face).face_mask.all()


@pytest.mark.parametrize("kind", ["original", "face3d"])
def test_the_texture_is_the_albedo_in_linear_light_with_modes_for_raw_coefficients(tmp_path, face, kind):
    found = load(kind, tmp_path, face)
    srgb = face.texture.reshape(-1, 3) / 255
    np.testing.assert_allclose(found.albedo_mean, linear_light(srgb.astype(float)), atol=1e-6)
    np.testing.assert_allclose(found.albedo_sigma, face.texture_sigma)
    coefficients = 0.01 * face.texture_sigma
    colour = srgb + (face.texture_modes.astype(float) @ coefficients).reshape(-1, 3) / 255
    np.testing.assert_allclose(found.albedo(coefficients), linear_light(colour), atol=5e-6)
    inside = found.regions == Region.NOSE
    others = face.segments[:, 1] + face.segments[:, 2]
    np.testing.assert_array_equal(inside, (face.segments[:, 0] > 0) & (others == 0))


def test_an_original_folder_and_its_file_are_one_model_and_may_hold_face3ds_instead(tmp_path, face):
    folder = write_original(tmp_path / "a", face)
    by_file = load_face_model("bfm2009", folder / "01_MorphableModel.mat")
    np.testing.assert_array_equal(by_file.mean, load_face_model("bfm2009", folder).mean)
    write_face3d(tmp_path / "b", face)
    np.testing.assert_array_equal(load_face_model("bfm2009", tmp_path / "b").mean, by_file.mean)


def test_3ddfas_ten_expression_modes_do_for_the_original_and_then_it_is_truncated(tmp_path, face):
    folder = write_original(tmp_path / "a", face)
    configs = write_configs(tmp_path / "b", face)
    (folder / "Model_Expression.mat").unlink()
    with pytest.raises(
        FacemillError, match=r"no expression model: expected Model_Expression\.mat or w_exp_sim"
    ):
        load_face_model("bfm2009", folder)
    (configs / "w_exp_sim.npy").rename(folder / "w_exp_sim.npy")
    with pytest.raises(FacemillError, match=r"no mean that belongs to w_exp_sim\.npy: expected u_exp\.npy"):
        load_face_model("bfm2009", folder)
    (configs / "u_exp.npy").rename(folder / "u_exp.npy")
    found = load_face_model("bfm2009", folder)
    assert found.truncated and np.isnan(found.expression_sigma).all()
    np.testing.assert_allclose(found.mean, face.mean, atol=0.02)


def test_modes_without_known_deviations_are_not_drawn(tmp_path, face):
    path = write_v2(tmp_path, face)
    (tmp_path / "configs" / "param_mean_std_62d_120x120.pkl").unlink()
    found = load_face_model("tddfa_v2", path)
    with pytest.raises(FacemillError, match="knows its deviations"):
        found.draw_shape(np.random.default_rng(0))


def test_deviations_are_of_the_first_forty_and_ten_modes(tmp_path):
    found = load("configs", tmp_path, dome(12, 45, 12))
    assert np.isfinite(found.shape_sigma[:40]).all() and np.isnan(found.shape_sigma[40:]).all()
    assert np.isfinite(found.expression_sigma[:10]).all() and np.isnan(found.expression_sigma[10:]).all()


@pytest.mark.parametrize("kind", WRITERS)
def test_a_model_whose_files_bring_no_chart_asks_for_one(tmp_path, face, kind):
    path = WRITERS[kind][1](tmp_path, face)
    chart = next(tmp_path.rglob("BFM_UV.mat"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    chart.rename(elsewhere / chart.name)
    with pytest.raises(
        FacemillError, match=r"bring no UV chart; lay BFM_UV\.mat beside them, or set face_model"
    ):
        load_face_model(WRITERS[kind][0], path)
    if kind == "v2":
        np.save(elsewhere / "indices.npy", face.kept)
    found = load_face_model(WRITERS[kind][0], path, elsewhere / chart.name)
    expected = face.part() if kind == "v2" else face
    np.testing.assert_array_equal(found.uv, expected.uv.astype(np.float32))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_file_cut_short_or_gone_is_one_clear_line_that_names_it(tmp_path, face, kind):
    path = WRITERS[kind][1](tmp_path, face)
    optional = {"BFM_info.mat", "indices.npy", "ncc_code.npy", "pncc_code.npy", "BFM_UV.mat"} | {
        "param_whitening.pkl",
        "param_mean_std_62d_120x120.pkl",
    }
    files = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    assert len(files) >= 3
    for file in files:
        whole = file.read_bytes()
        for cut in (0, 20, len(whole) // 2, len(whole) - 40):
            file.write_bytes(whole[:cut])
            with pytest.raises(FacemillError, match=file.name.replace(".", r"\.")) as error:
                load_face_model(WRITERS[kind][0], path)
            assert "\n" not in str(error.value)
        file.write_bytes(b"something else altogether, and long enough to be a header of some kind" * 9)
        with pytest.raises(FacemillError, match=file.name.replace(".", r"\.")):
            load_face_model(WRITERS[kind][0], path)
        file.unlink()
        if file.name not in optional:
            with pytest.raises(FacemillError, match=file.name.replace(".", r"\.")):
                load_face_model(WRITERS[kind][0], path)
        file.write_bytes(whole)


@pytest.mark.parametrize("name", ["bfm2009", "tddfa_configs", "tddfa_v2"])
def test_without_a_path_each_says_what_to_set(tmp_path, name):
    with pytest.raises(FacemillError, match=r"set face_model\.path to"):
        load_face_model(name)
    with pytest.raises(FacemillError, match=r"expected|no file"):
        load_face_model(name, tmp_path)
    with pytest.raises(FacemillError, match=r"nowhere"):
        load_face_model(name, tmp_path / "nowhere")


def test_face3ds_file_under_the_other_name_and_foreign_structs_are_told_apart(tmp_path, face):
    path = write_face3d(tmp_path, face)
    with pytest.raises(FacemillError, match=r"BFM_info\.mat: expected the arrays model; missing: model"):
        load_face_model("bfm2009", path.parent / "BFM_info.mat")
    path.rename(tmp_path / "01_MorphableModel.mat")
    with pytest.raises(
        FacemillError, match=r"01_MorphableModel\.mat: expected the arrays shapeMU, .* found model"
    ):
        load_face_model("bfm2009", tmp_path)
    scipy.io.savemat(path, {"model": {"shapeMU": face.shape_mean}})
    with pytest.raises(FacemillError, match="missing: shapePC, shapeEV, expMU"):
        load_face_model("bfm2009", path)
    scipy.io.savemat(path, {"model": face.shape})
    with pytest.raises(FacemillError, match="struct model"):
        load_face_model("bfm2009", path)


def test_a_file_of_version_7_3_says_how_to_save_it(tmp_path):
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b"\0" * 8 + b"\x00\x02IM"
    (tmp_path / "BFM.mat").write_bytes(header + b"\0" * 512)
    with pytest.raises(FacemillError, match=r"version 7\.3; save it again with save -v7"):
        load_face_model("bfm2009", tmp_path / "BFM.mat")


def test_files_that_do_not_fit_each_other_are_refused(tmp_path, face):
    path = write_original(tmp_path / "a", face)
    other = write_original(tmp_path / "b", dome(20))
    (other / "Model_Expression.mat").rename(path / "Model_Expression.mat")
    with pytest.raises(FacemillError, match="mean expression of 900 vertices, found 400"):
        load_face_model("bfm2009", path)
    configs = write_configs(tmp_path / "c", face)
    np.save(configs / "pncc_code.npy", np.load(configs / "pncc_code.npy")[:, ::-1])
    with pytest.raises(FacemillError, match=r"pncc_code\.npy: does not fit u_shp\.npy"):
        load_face_model("tddfa_configs", configs)
    v2 = write_v2(tmp_path / "d", face)
    np.save(tmp_path / "d" / "configs" / "indices.npy", face.kept[:-1])
    with pytest.raises(
        FacemillError, match=rf"indices\.npy: expected a number for each of {len(face.kept)} ver"
    ):
        load_face_model("tddfa_v2", v2)
    dump2(tmp_path / "d" / "configs" / "tri.pkl", face.tri.T + 100)
    with pytest.raises(FacemillError, match=r"tri\.pkl: expected numbers from 0 to"):
        load_face_model("tddfa_v2", v2)


class Evil:
    """A pickle that would run a program."""

    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize("name", ["bfm/bfm_noneck_v3.pkl", "configs/tri.pkl"])
def test_a_face_model_whose_pickle_would_run_something_is_refused(tmp_path, monkeypatch, face, name):
    monkeypatch.chdir(tmp_path)
    path = write_v2(tmp_path, face)
    content = pickle.loads(path.read_bytes())
    (tmp_path / name).write_bytes(pickle.dumps({**content, "u": Evil()}))
    with pytest.raises(FacemillError, match=r"refused.*system"):
        load_face_model("tddfa_v2", path)
    assert not (tmp_path / "ran").exists()
