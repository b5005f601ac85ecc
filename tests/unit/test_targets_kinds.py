"""Every kind of ground truth: what is stored gives the truth back, and what does not fit is a reason."""

from dataclasses import replace

import numpy as np
import pytest
from target_cases import POSE, face, model, settings

from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.posmap import texel_coordinates
from pipeline.geometry.volume import place_depth, voxelize
from pipeline.io import hdf5
from pipeline.morphable import params62
from pipeline.records import Contract, FacemillError, Reason
from pipeline.registry import TARGETS
from pipeline.targets.posmap import positions, uv_table
from pipeline.targets.volume import face_mesh


@pytest.fixture(scope="module")
def dome():
    return model()


@pytest.mark.parametrize("kind", TARGETS.names())
def test_what_is_stored_keeps_its_declaration(kind, dome):
    target = TARGETS[kind](settings(kind=kind, size=96))
    vertices, context = face(dome, target.side)
    before = vertices.copy()
    stored, problem = target.make(vertices, dome, context)
    assert problem is None
    np.testing.assert_array_equal(vertices, before)
    for name, value in stored.items():
        field = target.fields[name]
        open_sizes = {"N": len(dome.mean)}
        shape = tuple(open_sizes.get(size, size) for size in field.shape)
        assert np.asarray(value).dtype == np.dtype(field.dtype) and np.shape(value) == shape
    assert np.isfinite(np.asarray(target.decode(stored), np.float64)).all()
    assert all(isinstance(value, int | float | str) for value in target.attributes.values())


@pytest.mark.parametrize("size", [64, 96])
def test_position_map_gives_the_vertices_back(dome, size):
    target = TARGETS["posmap"](settings(kind="posmap", size=size))
    vertices, context = face(dome, size)
    stored, _ = target.make(vertices, dome, context)
    drawn = target.decode(stored)
    assert np.abs(drawn - uv_table(dome, size).gather(positions(vertices))).max() <= 1 / 256
    assert drawn[..., 2].min() == 0
    columns, rows = np.rint(texel_coordinates(dome.uv[[0, 20, 420, 440]], size)).astype(int).T
    corner = positions(vertices)[[0, 20, 420, 440]]
    np.testing.assert_allclose(drawn[rows, columns], corner, atol=1 / 128)


@pytest.mark.parametrize("shift", [(-400.0, 0, 0), (0, 500.0, 0)])
def test_a_map_value_outside_the_range_is_a_reason(dome, shift):
    target = TARGETS["posmap"](settings(kind="posmap", size=96))
    vertices, context = face(dome, 96)
    stored, problem = target.make(vertices + shift, dome, context)
    assert stored == {} and problem.reason is Reason.OUT_OF_MAP_RANGE
    expected = (vertices + shift)[:, 1].max() if shift[1] else (vertices + shift)[:, 0].min()
    assert problem.value == pytest.approx(expected, abs=0.01)


def test_a_map_of_odd_size_is_refused():
    with pytest.raises(FacemillError, match="multiple of 32, found 100"):
        TARGETS["posmap"](settings(kind="posmap", size=100))


@pytest.mark.parametrize("variant", ["frontal_backfill", "solid", "shell"])
@pytest.mark.parametrize("yaw", [0.0, 1.0])
def test_volume_gives_back_the_voxels(dome, variant, yaw):
    target = TARGETS["volume"](settings(kind="volume", variant=variant))
    pose = np.array([0.0, yaw, 0.0, *POSE[3:]])
    vertices, context = face(dome, target.side, pose)
    stored, problem = target.make(vertices, dome, context)
    assert problem is None and stored["volume_clipped"] == 0
    kept, closure = face_mesh(dome)
    assert len(kept) == dome.face_mask.sum() < len(vertices)
    direct = voxelize(
        place_depth(vertices[kept]), closure.triangles, variant, rotation=rotation_from_angles(*pose[:3])
    )
    np.testing.assert_array_equal(target.decode(stored), direct.dense())
    assert ("volume_bits" in stored) == (stored["volume_several"] > 0)


def test_bits_that_no_volume_needs_take_no_room_on_disk(dome, tmp_path):
    target = TARGETS["volume"](settings(kind="volume", variant="solid"))
    pose = np.array([0.0, 0.0, 0.0, *POSE[3:]])
    vertices, context = face(dome, target.side, pose)
    stored, _ = target.make(vertices, dome, context)
    assert "volume_bits" not in stored
    contract = Contract("test", 1, target.fields)
    with hdf5.create(tmp_path / "volumes.h5", contract, 4) as file:
        for name, value in stored.items():
            file[name][2] = value
    assert (tmp_path / "volumes.h5").stat().st_size < 500_000
    with hdf5.open_checked(tmp_path / "volumes.h5", contract) as file:
        again = target.decode({name: file[name][2] for name in target.fields})
    np.testing.assert_array_equal(again, target.decode(stored))


def test_a_mesh_outside_the_volume_is_a_reason_and_the_papers_depth_is_cut(dome):
    vertices, context = face(dome, 192)
    deep = vertices * [1, 1, 4]
    stored, problem = TARGETS["volume"](settings(kind="volume")).make(deep, dome, context)
    assert stored == {} and problem.reason is Reason.MESH_OUTSIDE_VOLUME and "along z" in problem.detail
    stored, problem = TARGETS["volume"](settings(kind="volume", depth_scale=2.0)).make(deep, dome, context)
    assert problem is None and 0 < stored["volume_clipped"] < 1
    for scale in (1.25, 2.0):
        target = TARGETS["volume"](settings(kind="volume", depth_scale=scale))
        _, problem = target.make(vertices + np.array([90, 0, 0]), dome, context)
        assert problem.reason is Reason.MESH_OUTSIDE_VOLUME and "along x" in problem.detail


def test_a_volume_may_cut_off_as_much_of_a_face_as_its_settings_say(dome):
    vertices, context = face(dome, 192)
    shown = vertices[face_mesh(dome)[0]]
    pushed = vertices + np.array([192.0 - shown[:, 0].max(), 0, 0])
    whole = TARGETS["volume"](settings(kind="volume", outside=0.0))
    _, problem = whole.make(pushed, dome, context)
    assert problem.reason is Reason.MESH_OUTSIDE_VOLUME and "more than 0.00%" in problem.detail
    stored, problem = TARGETS["volume"](settings(kind="volume")).make(pushed, dome, context)
    assert problem is None and whole.decode(stored)[:, :, -1].any()


def test_parameters_give_the_vertices_back(dome):
    target = TARGETS["params"](settings(kind="params", size=120))
    vertices, context = face(dome, 120)
    context = replace(context, shape=np.array([3e3, 2e3]), expression=np.zeros(1))
    stored, _ = target.make(vertices, dome, context)
    camera, shape, _ = params62.split(target.decode(stored))
    assert shape[:2].tolist() == [3e3, 2e3]
    plain = params62.join(camera, np.zeros(2), np.zeros(1))
    found = params62.crop_points(plain, dome, 120)
    np.testing.assert_allclose(found, vertices, atol=1e-6)


def test_landmarks_are_the_annotations_own_where_it_has_some(dome):
    target = TARGETS["landmarks"](settings(kind="landmarks", size=96))
    vertices, context = face(dome, 96)
    own = target.decode(target.make(vertices, dome, context).stored)
    np.testing.assert_allclose(own[:, :2], vertices[dome.keypoints, :2], atol=1e-4)
    assert own[:, 2].min() == 0
    given = np.arange(204.0).reshape(68, 3)
    found = target.decode(target.make(vertices, dome, replace(context, landmarks=given)).stored)
    np.testing.assert_allclose(found, given - [0, 0, 2])
