"""Depth, PNCC and visibility: against the numpy twins, against plain geometry, and through the stages."""

from functools import partial

import numpy as np
import pytest
from stage_world import build
from stage_world import model as stage_model
from target_cases import POSE, face, model, settings

from pipeline.geometry import reference
from pipeline.io import hdf5
from pipeline.records import PACK, Reason
from pipeline.registry import TARGETS
from pipeline.stages import ground_truth, pack
from pipeline.targets.depth import BACKGROUND, grey_picture
from pipeline.targets.pncc import face_code
from pipeline.targets.posmap import positions

SIDE = 48
KINDS = ("depth", "pncc", "visibility")


@pytest.fixture(scope="module")
def dome():
    return model()


def made(kind, vertices, of, context, side=SIDE):
    """The stored array of one kind, and what decode makes of it."""
    target = TARGETS[kind](settings(kind=kind, size=side))
    stored, problem = target.make(vertices, of, context)
    assert problem is None
    return stored[kind], target.decode(stored)


@pytest.mark.parametrize("yaw", [0.0, 1.2])
def test_each_is_what_the_twins_draw(dome, yaw):
    vertices, context = face(dome, SIDE, np.array([0.1, yaw, 0.2, *POSE[3:]]))
    triangle, barycentric, depth = reference.rasterize(positions(vertices), dome.triangles, SIDE, SIDE)
    there = triangle >= 0
    found, _ = made("depth", vertices, dome, context)
    np.testing.assert_allclose(found[there], depth[there], atol=1e-3)
    assert (found[~there] == BACKGROUND).all() and found[there].min() >= 0
    colours = 255 * reference.interpolate(triangle, barycentric, dome.triangles, face_code(dome))
    found, decoded = made("pncc", vertices, dome, context)
    assert np.abs(found - colours).max() <= 0.51 and (found[~there] == 0).all()
    assert decoded.max() <= 1 and decoded.dtype == np.float32
    found, decoded = made("visibility", vertices, dome, context)
    seen = reference.visible_vertices(triangle, vertices, dome.triangles, SIDE / 192)
    np.testing.assert_array_equal(decoded, seen)
    assert (seen.sum() == len(seen)) == (yaw == 0.0)


def test_depth_is_the_surface_and_its_grey_picture_runs_from_1_to_255(dome):
    vertices, context = face(dome, SIDE, np.array([0.0, 0.0, 0.0, *POSE[3:]]))
    depth, decoded = made("depth", vertices, dome, context)
    np.testing.assert_array_equal(depth, decoded)
    x, y, z = positions(vertices).T
    nearest = np.argmax(z)
    assert depth[round(y[nearest]), round(x[nearest])] == pytest.approx(z[nearest], abs=0.3)
    grey, there = grey_picture(depth), depth != BACKGROUND
    assert grey.dtype == np.uint8 and (grey[~there] == 0).all()
    assert grey[there].min() == 1 and grey.max() == 255
    assert grey.flat[np.argmax(depth)] == 255


def test_the_code_is_the_mean_faces_whatever_the_pose(dome):
    code = face_code(dome)
    for pose in (POSE, np.array([0.0, -0.6, 0.3, *POSE[3:]])):
        vertices, context = face(dome, SIDE, pose)
        colours, _ = made("pncc", vertices, dome, context)
        middle = len(vertices) // 2
        column, row = np.rint(vertices[middle, :2]).astype(int)
        assert np.abs(colours[row, column] / 255 - code[middle]).max() < 0.06


def test_a_vertex_behind_the_surface_or_outside_the_crop_is_not_seen(dome):
    vertices, context = face(dome, SIDE, np.array([0.0, 1.4, 0.0, *POSE[3:]]))
    _, seen = made("visibility", vertices, dome, context)
    assert 0.3 < seen.mean() < 0.8
    half = vertices - [vertices[:, 0].mean(), 0, 0]
    _, seen = made("visibility", half, dome, context)
    assert not seen[half[:, 0] < -0.5].any() and seen.any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_mesh_that_no_pixel_shows_is_a_reason(dome, kind):
    vertices, context = face(dome, SIDE)
    target = TARGETS[kind](settings(kind=kind, size=SIDE))
    stored, problem = target.make(vertices + np.array([500.0, 0, 0]), dome, context)
    assert stored == {} and problem.reason is Reason.MESH_OUTSIDE_FRAME and "of 48 px" in problem.detail


@pytest.mark.parametrize("kind", KINDS)
def test_through_ground_truth_reap_and_pack(kind, tmp_path, monkeypatch):
    world = build(tmp_path, monkeypatch)
    for stage in (ground_truth, pack):
        monkeypatch.setattr(stage, "TARGETS", {"posmap": partial(_named, kind)})
    kept, reaped = world.all()
    assert [row["face"] for row in kept][:2] == ["P_001_0#0", "P_005_0#0"]
    assert len(kept) + len(reaped) == 13
    target = TARGETS[kind](settings(kind=kind, size=96))
    with (
        hdf5.open_checked(world.pack("test", benchmark=True), PACK.extended(**target.fields)) as file,
        hdf5.open_checked(
            world.path("truth.h5"), ground_truth.GROUND_TRUTH.extended(**target.fields)
        ) as truth,
    ):
        assert len(file["face"]) == len(kept)
        assert {key: file.attrs[key] for key in target.attributes} == target.attributes
        for k in range(len(kept)):
            np.testing.assert_array_equal(file[kind][k], truth[kind][k])
        assert file[kind].chunks == (1, *file[kind].shape[1:])
        if kind == "visibility":
            assert file[kind].shape[1] == len(stage_model().mean)
        assert file[kind][0].any()


def test_a_shard_without_a_face_keeps_its_contract(tmp_path, monkeypatch):
    world = build(tmp_path, monkeypatch)
    monkeypatch.setattr(ground_truth, "TARGETS", {"posmap": partial(_named, "visibility")})
    world.source()
    world.detect()
    world.crop()
    for mat in (world.folder / "data").glob("*.mat"):
        mat.unlink()
    assert {row.reason for row in world.ground_truth().values()} == {Reason.ANNOTATION_MISSING}
    fields = TARGETS["visibility"](settings(kind="visibility")).fields
    with hdf5.open_checked(world.path("truth.h5"), ground_truth.GROUND_TRUTH.extended(**fields)) as file:
        assert file["visibility"].shape[0] == 0


def _named(kind, values):
    """The target of this kind with the size that the stage was given."""
    return TARGETS[kind](settings(kind=kind, size=values.size))
