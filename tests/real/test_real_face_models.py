"""Every face-model adapter against the shared arrays of BFM 2009, laid into files as their publishers lay them.

The full basis is known at the 68 landmarks alone, the whole mesh with 40 + 10 modes; so the mesh is tested with these
and the coefficients' conventions with all 199 + 29 on the 400 annotated pictures.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import Delaunay

from pipeline.geometry.mesh import vertex_normals
from pipeline.geometry.posmap import UVTable, nearest_texels
from pipeline.morphable import charts, load_face_model, params62
from pipeline.morphable.whitening import load_whitening
from pipeline.records import FacemillError
from tests.face_files import (
    WRITERS,
    FaceArrays,
    dump2,
    write_chart,
    write_face3d,
    write_v2,
)


@pytest.fixture(scope="module")
def shared(data):
    return dict(np.load(data / "bfm" / "bfm_sim.npz"))


@pytest.fixture(scope="module")
def arrays(shared):
    u, std = shared["u_shp"].astype(np.float64), shared["param_std_3ddfa"].astype(np.float64)
    return FaceArrays(
        shape_mean=shared["u_shp"],
        expression_mean=(shared["u"] - u).astype(np.float32),
        shape=shared["w_shp"],
        expression=shared["w_exp"],
        shape_sigma=std[12:52],
        expression_sigma=std[52:],
        tri=shared["tri"],
        keypoints=shared["keypoints"],
        uv=shared["uv"],
        texture=shared["mean_tex_rgb"].ravel(),
        texture_modes=np.ones((len(u), 1), np.float32),
        texture_sigma=np.ones(1),
        segments=shared["segments"],
        kept=shared["indices_noneck"],
    )


@pytest.fixture(scope="module")
def models(arrays, tmp_path_factory):
    """All four, each read once."""
    found = {}
    for kind, (name, write) in WRITERS.items():
        found[kind] = load_face_model(name, write(tmp_path_factory.mktemp(kind), arrays))
    return found


@pytest.mark.parametrize("kind", ["original", "face3d", "configs"])
def test_mean_modes_landmarks_and_triangles_are_the_shared_ones(models, bfm, shared, kind):
    found = models[kind]
    assert len(found.mean) == 53215 and len(found.triangles) == 105840
    np.testing.assert_allclose(found.mean.ravel(), shared["u"], atol=0.02)
    np.testing.assert_array_equal(found.shape_basis, bfm.shape_basis)
    np.testing.assert_array_equal(found.expression_basis, bfm.expression_basis)
    np.testing.assert_allclose(found.shape_sigma, bfm.shape_sigma)
    np.testing.assert_array_equal(found.keypoints, bfm.keypoints)
    np.testing.assert_array_equal(found.triangles, bfm.triangles)
    np.testing.assert_array_equal(found.uv, bfm.uv)
    if kind != "configs":
        np.testing.assert_allclose(found.albedo_mean, bfm.albedo_mean, atol=1e-6)
        np.testing.assert_array_equal(found.regions, bfm.regions)
    assert vertex_normals(found.mean, found.triangles)[:, 2].mean() > 0.3


def test_the_mesh_without_ears_and_neck_is_the_shared_part(models, bfm, shared):
    found, kept = models["v2"], shared["indices_noneck"]
    assert len(found.mean) == 38365
    np.testing.assert_allclose(found.mean, bfm.mean[kept], atol=0.02)
    np.testing.assert_array_equal(found.shape_basis, bfm.shape_basis[kept])
    np.testing.assert_array_equal(found.keypoints, shared["keypoints_noneck"])
    np.testing.assert_array_equal(found.uv, bfm.uv[kept])
    rng = np.random.default_rng(0)
    shape, expression = rng.normal(size=40) * bfm.shape_sigma, rng.normal(size=10) * bfm.expression_sigma
    np.testing.assert_allclose(
        found.landmarks(shape, expression), bfm.landmarks(shape, expression), atol=0.05
    )
    np.testing.assert_allclose(
        found.vertices(shape, expression), bfm.vertices(shape, expression)[kept], atol=0.2
    )


def test_3ddfa_v2s_own_triangles_are_turned_outward(shared, arrays, tmp_path):
    path = write_v2(tmp_path, arrays)
    dump2(tmp_path / "configs" / "tri.pkl", shared["tri_noneck"].T)
    found = load_face_model("tddfa_v2", path)
    assert found.triangles.shape == (76073, 3)
    np.testing.assert_array_equal(found.triangles, shared["tri_noneck"][:, ::-1])
    assert vertex_normals(found.mean, found.triangles)[:, 2].mean() > 0.3


def test_without_the_published_list_the_face_is_nearly_the_published_one(models, bfm):
    """`pipeline.morphable.bfm` states an intersection over union of 0.985."""
    for kind in ("original", "face3d", "configs"):
        mask = models[kind].face_mask
        share = (mask & bfm.face_mask).sum() / (mask | bfm.face_mask).sum()
        assert round(share, 3) == 0.985
        assert mask[bfm.keypoints].all()


def test_all_199_and_29_coefficients_give_the_annotated_landmarks_back(data, annotations, tmp_path):
    """face3d's layout with the recovered full basis at the landmarks: raw Shape_Para and Exp_Para, to 0.01 px."""
    full = dict(np.load(data / "bfm" / "bfm68_full.npz"))
    points = full["u68"].reshape(68, 3)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    face = FaceArrays(
        shape_mean=full["u68"],
        expression_mean=np.zeros(204, np.float32),
        shape=full["w_shp199"],
        expression=full["w_exp29"],
        shape_sigma=np.ones(199),
        expression_sigma=np.ones(29),
        tri=Delaunay(points[:, :2]).simplices,
        keypoints=np.arange(68),
        uv=(points[:, :2] - low) / (high - low),
        texture=np.full(204, 128.0),
        texture_modes=np.zeros((204, 199), np.float32),
        texture_sigma=np.ones(199),
        segments=np.zeros((68, 4), np.uint8),
        kept=np.arange(68),
    )
    for kind in ("face3d", "original"):
        name, write = WRITERS[kind]
        model = load_face_model(name, write(tmp_path / kind, face))
        assert not model.truncated and model.shape_basis.shape[2] == 199
        errors = np.array([np.abs(a.modelled(model) - a.landmarks68).max() for a in annotations])
        assert len(errors) == 400 and errors.max() < 0.01


def test_stored_parameters_give_the_same_points_through_every_adapter(data, models, bfm):
    stored = np.load(data / "aflw2000-dev" / "reference" / "outputs.npz")["mb05_params_gtroi"][::40]
    for kind in ("configs", "v2"):
        for row in stored:
            found = params62.crop_points(row, models[kind], 120, legacy="3ddfa_v2", keypoints=True)
            expected = params62.crop_points(row, bfm, 120, legacy="3ddfa_v2", keypoints=True)
            np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_labellers_statistics_are_the_shared_ones(data, shared):
    found = load_whitening(data / "weights" / "mb05_param_mean_std.npz")
    np.testing.assert_array_equal(found.mean.astype(np.float32), shared["param_mean_v2"])
    np.testing.assert_array_equal(found.std.astype(np.float32), shared["param_std_v2"])


def test_prnets_chart_is_bfm_uv(data, models):
    """Its 68 texels are those of the keypoints in this chart, and its face lies inside it but for the open mouth."""
    prnet = np.load(data / "prnet-uv" / "prnet_uv.npz")
    model = models["face3d"]
    np.testing.assert_array_equal(nearest_texels(model.uv[model.keypoints], 256).T, prnet["uv_kpt_ind"])
    table = UVTable(model.uv, model.uv_triangles, model.triangles, 256)
    bare = prnet["face_ind"][~table.inside.ravel()[prnet["face_ind"]]]
    lips = prnet["uv_kpt_ind"][:, 60:]
    assert len(bare) == 129
    for axis, texels in enumerate((bare % 256, bare // 256)):
        assert lips[axis].min() <= texels.min() and texels.max() <= lips[axis].max()
    fit = charts.measure(model.uv, model.uv_triangles)
    assert fit.folded < 2e-5 and fit.overlapping < 1e-4 and fit.covered > 0.99


def test_bfm_uv_replaces_another_chart(models, bfm, arrays, tmp_path):
    squeezed = replace(arrays, uv=arrays.uv * 0.5)
    path = write_face3d(tmp_path / "own", squeezed)
    other = load_face_model("bfm2009", path, write_chart(tmp_path / "other", arrays))
    np.testing.assert_array_equal(other.uv, bfm.uv)


def test_icts_chart_is_one_to_one_on_the_skin_and_not_on_the_whole_head(data, bfm):
    """A chart with seams is a pair of points and triangles; ICT's whole one has several tiles and is refused."""
    ict = np.load(data / "ict" / "ict_facekit.npz")

    def fan(polygons):
        return np.concatenate([polygons[:, :3], polygons[polygons[:, 3] >= 0][:, [0, 2, 3]]]).astype(np.int32)

    def head(polygons):
        corners = fan(ict["faces"][:polygons])
        count = len(ict["neutral"])
        shape = np.zeros((count, 3, 0), np.float32)
        return replace(
            bfm,
            mean=ict["neutral"],
            shape_basis=shape,
            expression_basis=shape,
            shape_sigma=np.zeros(0),
            expression_sigma=np.zeros(0),
            triangles=corners,
            keypoints=ict["landmarks68"].astype(np.int32),
            uv=np.zeros((0, 2), np.float32),
            uv_triangles=corners,
            face_mask=np.ones(count, bool),
            albedo_mean=None,
            regions=np.zeros(count, np.uint8),
        ), fan(ict["uv_faces"][:polygons])

    model, rows = head(9230)
    found = charts.with_chart(model, ict["uv"], rows, "ICT-FaceKit")
    np.testing.assert_array_equal(found.uv_triangles, rows)
    fit = charts.measure(found.uv, rows)
    assert fit.folded == 0 and fit.overlapping < 1e-4 and 0.95 < fit.covered < 0.96
    model, rows = head(len(ict["faces"]))
    with pytest.raises(FacemillError, match=r"ICT-FaceKit: expected u and v from 0 to 1, found .* 6\.988"):
        charts.with_chart(model, ict["uv"], rows, "ICT-FaceKit")
