"""Angles, cameras and similarity fits against their own inverses and against hand-made cases."""

import numpy as np
import pytest

from pipeline.geometry import camera, euler, similarity
from pipeline.records import FacemillError


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_rotation_is_rx_ry_rz_of_the_spec():
    a, b, c = 0.2, 0.7, -0.4
    rx = np.array([[1, 0, 0], [0, np.cos(a), np.sin(a)], [0, -np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), np.sin(c), 0], [-np.sin(c), np.cos(c), 0], [0, 0, 1]])
    np.testing.assert_allclose(euler.rotation_from_angles(a, b, c), rx @ ry @ rz, atol=1e-15)


def test_exact_decode_inverts_to_machine_precision(rng):
    angles = rng.uniform(-1, 1, (500, 3)) * [np.pi, np.pi / 2 - 1e-3, np.pi]
    found = euler.angles_from_rotation(euler.rotation_from_angles(*angles.T))
    np.testing.assert_allclose(found, angles, atol=1e-12)


def test_a_yaw_beyond_ninety_degrees_keeps_its_rotation():
    rotation = euler.rotation_from_angles(0.1, 1.9, 0.3)
    found = euler.angles_from_rotation(rotation)
    assert abs(found[1]) <= np.pi / 2
    np.testing.assert_allclose(euler.rotation_from_angles(*found), rotation, atol=1e-12)


@pytest.mark.parametrize("yaw", [np.pi / 2, -np.pi / 2])
def test_gimbal_lock_gives_the_rotation_back(yaw):
    rotation = euler.rotation_from_angles(0.3, yaw, 0.5)
    found = euler.angles_from_rotation(rotation)
    assert found[2] == 0
    np.testing.assert_allclose(euler.rotation_from_angles(*found), rotation, atol=1e-9)


def test_published_decodes_reproduce_the_numbers_of_the_spec():
    rotation = euler.rotation_from_angles(0.2, 0.7, -0.4)
    np.testing.assert_allclose(euler.decode_angles(rotation, "3ddfa"), [-0.520, 0.528, 0.617], atol=5e-4)
    pitch, yaw, roll = euler.decode_angles(rotation, "synergynet")
    np.testing.assert_allclose([pitch, roll], [0.2, -0.4], atol=1e-12)
    assert abs(yaw - 0.528) < 5e-4
    for axis, sign in enumerate((-1, 1, -1)):
        angles = np.zeros(3)
        angles[axis] = 0.3
        found = euler.decode_angles(euler.rotation_from_angles(*angles), "3ddfa")
        np.testing.assert_allclose(found, angles * sign, atol=1e-12)


def test_an_unknown_decode_names_the_known_ones():
    with pytest.raises(FacemillError, match="synergynet"):
        euler.decode_angles(np.eye(3), "synergy")


def test_nearest_rotation_of_two_published_rows():
    rotation = euler.rotation_from_angles(0.2, 0.5, 0.1)
    for matrix in (2.5 * rotation, 2.5 * rotation[:2]):
        scale, found = euler.nearest_rotation(matrix)
        assert scale == pytest.approx(2.5)
        np.testing.assert_allclose(found, rotation, atol=1e-12)
    with pytest.raises(FacemillError):
        euler.nearest_rotation(np.full((3, 3), np.nan))


def test_geodesic_angle_is_the_angle_turned():
    first = euler.rotation_from_angles(0.2, 0.5, 0.1)
    for turned in (1e-7, 0.4, np.pi - 1e-7):
        second = first @ euler.rotation_from_angles(0, 0, turned)
        assert euler.geodesic_angle(first, second) == pytest.approx(turned, abs=1e-12)


def test_projection_is_the_matlab_frame_less_one_and_flipped(rng):
    pose = np.array([0.1, -0.4, 0.2, 210.0, 190.0, -60.0, 1e-3])
    vertices = rng.normal(0, 8e4, (20, 3))
    matlab = vertices @ (pose[6] * euler.rotation_from_angles(*pose[:3])).T + pose[3:6]
    expected = np.stack([matlab[:, 0] - 1, 450 - matlab[:, 1], matlab[:, 2]], axis=1)
    found = camera.project(vertices, pose, 450)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_axes_of_the_image_frame():
    pose = np.array([0, 0, 0, 100.0, 100.0, 0, 1.0])
    right, up, front = camera.project(np.eye(3) * 10, pose, 200) - camera.project(np.zeros((1, 3)), pose, 200)
    np.testing.assert_allclose([right, up, front], [[10, 0, 0], [0, -10, 0], [0, 0, 10]])


def test_pose_and_matrix_are_inverse(rng):
    pose = np.array([0.1, -0.4, 0.2, 210.0, 190.0, -60.0, 1e-3])
    np.testing.assert_allclose(camera.pose_from_matrix(camera.pose_matrix(pose)), pose, atol=1e-12)
    image = camera.camera_matrix(pose, 450)
    np.testing.assert_allclose(camera.unflip_matrix(image, 450), camera.pose_matrix(pose), atol=1e-12)
    points = rng.normal(0, 100, (5, 3))
    np.testing.assert_allclose(camera.image_to_matlab(camera.matlab_to_image(points, 450), 450), points)
    with pytest.raises(FacemillError, match="7 pose parameters"):
        camera.pose_matrix(np.zeros(6))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_umeyama_finds_a_planted_similarity(rng, dimensions):
    points = rng.normal(size=(30, dimensions))
    turn = (
        euler.rotation_from_angles(0, 0, 0.8)
        if dimensions == 2
        else euler.rotation_from_angles(0.5, 0.3, 2.8)
    )
    truth = similarity.Similarity(1.7, turn[:dimensions, :dimensions], np.arange(dimensions) + 3.0)
    found = similarity.umeyama(points, truth.apply(points))
    assert found.scale == pytest.approx(1.7)
    np.testing.assert_allclose(found.rotation, truth.rotation, atol=1e-12)
    np.testing.assert_allclose(found.translation, truth.translation, atol=1e-12)
    np.testing.assert_allclose(found.inverse().apply(truth.apply(points)), points, atol=1e-12)


def test_umeyama_never_mirrors_and_can_keep_the_scale(rng):
    points = rng.normal(size=(30, 3))
    found = similarity.umeyama(points, points * [-1, 1, 1])
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)
    assert similarity.umeyama(points, 3 * points, with_scale=False).scale == 1.0


def test_umeyama_weights_leave_out_a_broken_point(rng):
    points = rng.normal(size=(10, 3))
    target = points + np.arange(1.0, 4.0)
    target[0] += 50
    weights = np.r_[0.0, np.ones(9)]
    np.testing.assert_allclose(
        similarity.umeyama(points, target, weights=weights).apply(points[1:]), target[1:], atol=1e-9
    )
    with pytest.raises(FacemillError, match="one place"):
        similarity.umeyama(np.zeros((5, 3)), points[:5])
