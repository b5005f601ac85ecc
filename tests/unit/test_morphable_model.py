"""MorphableModel: sums of modes, padded vectors, one-way modes, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.morphable import MorphableModel, load_face_model
from pipeline.records import FacemillError


@pytest.fixture
def small() -> MorphableModel:
    rng = np.random.default_rng(3)
    return MorphableModel(
        name="small",
        licence="test",
        mean=rng.normal(size=(80, 3)).astype(np.float32),
        shape_basis=rng.normal(size=(80, 3, 4)).astype(np.float32),
        shape_sigma=np.array([4.0, 3.0, 2.0, 1.0]),
        expression_basis=rng.normal(size=(80, 3, 2)).astype(np.float32),
        expression_sigma=np.array([2.0, 1.0]),
        triangles=np.array([[0, 1, 2], [2, 1, 3]], np.int32),
        keypoints=np.arange(68, dtype=np.int32),
        uv=rng.random((80, 2)).astype(np.float32),
        uv_triangles=np.array([[0, 1, 2], [2, 1, 3]], np.int32),
        face_mask=np.ones(80, bool),
        albedo_mean=np.full((80, 3), 0.5, np.float32),
        albedo_basis=np.ones((80, 3, 1), np.float32),
        albedo_sigma=np.array([0.4]),
        regions=np.zeros(80, np.uint8),
        expression_floor=np.array([0.0, -np.inf]),
        albedo_floor=np.array([0.0]),
    )


def test_vertices_are_the_mean_plus_the_modes(small):
    shape, expression = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.3, -0.7])
    expected = small.mean + np.einsum("nck,k->nc", small.shape_basis.astype(float), shape)
    expected = expected + np.einsum("nck,k->nc", small.expression_basis.astype(float), expression)
    np.testing.assert_allclose(small.vertices(shape, expression), expected, atol=1e-5)
    np.testing.assert_array_equal(small.vertices(), small.mean)
    np.testing.assert_allclose(small.landmarks(shape, expression), expected[small.keypoints], atol=1e-5)


def test_shorter_and_zero_padded_vectors_are_the_same_face(small):
    padded = np.concatenate([[1.0, -2.0], np.zeros(197)])
    np.testing.assert_array_equal(small.vertices([1.0, -2.0]), small.vertices(padded))


def test_a_coefficient_beyond_the_modes_is_refused_unless_the_model_is_a_truncated_one(small):
    beyond = np.zeros(199)
    beyond[7] = 1e-3
    with pytest.raises(FacemillError, match="small has 4 shape modes; coefficient 7 of 199"):
        small.vertices(beyond)
    np.testing.assert_array_equal(replace(small, truncated=True).vertices(beyond), small.mean)


def test_a_batch_gives_the_same_surfaces_as_one_at_a_time(small):
    rng = np.random.default_rng(4)
    shapes, expressions = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    batch = small.batch_vertices(shapes, expressions)
    for row, shape, expression in zip(batch, shapes, expressions, strict=True):
        np.testing.assert_allclose(row, small.vertices(shape, expression), atol=1e-5)
    with pytest.raises(FacemillError, match="got none"):
        small.batch_vertices()


def test_draws_depend_on_the_generator_alone_and_keep_to_the_floors(small):
    first, again = (small.draw_shape(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    rng = np.random.default_rng(6)
    drawn = np.array([small.draw_expression(rng) for _ in range(200)])
    assert (drawn[:, 0] >= 0).all() and (drawn[:, 1] < 0).any()
    assert np.abs(drawn).max() <= 2.5 * 2.0
    colours = [small.albedo(small.draw_albedo(rng)) for _ in range(40)]
    assert min(c.min() for c in colours) >= 0.5 and max(c.max() for c in colours) == 1.0


def test_a_mixture_draws_expressions_together(small):
    together = replace(small, expression_mixture=np.array([[0.5, 0.0, 0.1], [-1.0, 0.2, 0.0]]))
    rng = np.random.default_rng(7)
    drawn = np.array([together.draw_expression(rng, 2.0) for _ in range(300)])
    assert (drawn[:, 0] >= 0).all() and (drawn[:, 0] == 0).mean() == pytest.approx(0.5, abs=0.1)
    assert np.corrcoef(drawn.T)[0, 1] < -0.7
    assert np.abs(drawn[:, 1]).max() <= 2.5 * 2.0 * 1.2
    with pytest.raises(FacemillError, match=r"expression_mixture should have the shape \(2, 3\)"):
        replace(small, expression_mixture=np.zeros((5, 3)))


def test_a_model_without_colours_says_so(small):
    bare = replace(small, albedo_mean=None, albedo_basis=None, albedo_sigma=None)
    for call in (lambda: bare.albedo([0.0]), lambda: bare.draw_albedo(np.random.default_rng(0))):
        with pytest.raises(FacemillError, match="no albedo modes"):
            call()


def test_arrays_of_another_shape_or_indices_out_of_range_are_refused(small):
    with pytest.raises(FacemillError, match=r"regions should have the shape \(80,\) and has \(79,\)"):
        replace(small, regions=small.regions[:-1])
    with pytest.raises(FacemillError, match="triangles holds indices from 0 to 80, expected 0 to 79"):
        replace(small, triangles=np.array([[0, 1, 80], [0, 1, 2]], np.int32))


def test_an_unknown_face_model_is_named_with_a_suggestion():
    with pytest.raises(FacemillError, match="Did you mean 'procedural'"):
        load_face_model("procedual")


def test_the_path_of_a_face_model_may_hold_variables(tmp_path, monkeypatch, small):
    """Presets say ${FACEMILL_DATA}/bfm/bfm_sim.npz, and every stage hands that on as it stands."""
    arrays = {
        "u": small.mean.ravel(),
        "w_shp": small.shape_basis.reshape(240, -1),
        "w_exp": small.expression_basis.reshape(240, -1),
        "keypoints": small.keypoints,
        "tri": small.triangles,
        "uv": small.uv,
        "indices_noneck": np.arange(80),
    }
    np.savez(tmp_path / "model.npz", **arrays)
    monkeypatch.setenv("A_FOLDER", str(tmp_path))
    np.testing.assert_array_equal(load_face_model("npz", "${A_FOLDER}/model.npz").mean, small.mean)
    monkeypatch.delenv("A_FOLDER")
    with pytest.raises(FacemillError, match="A_FOLDER is not set"):
        load_face_model("npz", "${A_FOLDER}/model.npz")
