"""Surfaces of true volumes lie on the meshes that these were made from, and landmarks are found on them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from volume_faces import DEPTH_SCALE, face, model, volume_of

from pipeline.evaluation.isosurface import crop_surface, isosurface
from pipeline.evaluation.register import METHOD, MeanMesh, registered
from pipeline.geometry.closest import Tree
from pipeline.geometry.surface import enclosed, pooled
from pipeline.geometry.volume import Frontal
from pipeline.records import FacemillError
from pipeline.targets.volume import face_mesh

MEAN, MOST = 0.3, 0.6  # voxels: on average, and for 99 %
POSES = [(0, 6, 6, 0), (40, 6, 6, 40), (85, 6, 6, 85), (60, 40, -40, 5), (-30, -40, 40, 30)]
FRONT = 0.2  # least cosine between a front-facing vertex's normal and the view of the turned-back face


def ball(side=24, radius=7.0, centre=(11.3, 11.8, 12.4)):
    z, y, x = np.ogrid[: side * 200 // 192, :side, :side]
    distance = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    return np.clip(0.5 + radius - distance, 0, 1)


def test_a_ball_is_found_where_it_is():
    vertices, triangles = isosurface(ball())
    distance = np.linalg.norm(vertices - [11.3, 11.8, 12.4], axis=1)
    assert np.abs(distance - 7).max() < 0.15
    assert enclosed(vertices, triangles) == pytest.approx(4 / 3 * np.pi * 343, rel=0.02)
    edges = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_what_reaches_the_ends_is_closed_there():
    volume = np.zeros((25, 24, 24))
    volume[:, 4:9, 20:] = 1
    vertices, triangles = isosurface(volume)
    np.testing.assert_allclose(vertices.min(axis=0), [19.5, 3.5, -0.5])
    np.testing.assert_allclose(vertices.max(axis=0), [23.5, 8.5, 24.5])
    assert enclosed(vertices, triangles) == pytest.approx(4 * 5 * 25, rel=0.05)


def test_the_surface_stands_in_px_of_the_crop_with_its_depth_unstretched():
    vertices, _ = crop_surface(ball(), 2.0)
    reach = np.ptp(vertices, axis=0)
    np.testing.assert_allclose(reach, [112, 112, 56], rtol=0.01)
    middle = (vertices.max(axis=0) + vertices.min(axis=0)) / 2
    np.testing.assert_allclose(middle, [11.8 * 8 - 0.5, 12.3 * 8 - 0.5, (12.9 * 8 - 0.5 - 100) / 2], atol=0.8)


@pytest.mark.parametrize(("fill", "words"), [(0.0, "found none"), (1.0, "found all")])
def test_a_volume_without_a_surface_is_refused(fill, words):
    with pytest.raises(FacemillError, match=words):
        isosurface(np.full((25, 24, 24), fill))


@pytest.mark.parametrize(("yaw", "pitch", "roll", "seed"), POSES)
def test_the_surface_of_a_solid_lies_on_its_mesh(yaw, pitch, roll, seed):
    points, rotation = face(yaw, pitch, roll, seed)
    volume, placed = volume_of(points, rotation, "solid")
    closure = face_mesh(model())[1]
    distances = Tree(*closure.close(placed)).closest(isosurface(volume)[0]).distances
    assert distances.mean() < MEAN
    assert np.quantile(distances, 0.99) < MOST


@pytest.mark.parametrize(("yaw", "pitch", "roll", "seed"), POSES)
def test_the_front_of_a_backfilled_volume_lies_on_its_mesh(yaw, pitch, roll, seed):
    """Front-facing where the surface's normal, in the frame of the face turned to the front, points to the viewer; on
    a binary volume a vertex's own normal is one of few directions, so it is that of the blurred volume. Where the block
    cuts off what is filled behind a turned face, the surface is the block's end and no part of the face."""
    points, rotation = face(yaw, pitch, roll, seed)
    volume, placed = volume_of(points, rotation, "frontal_backfill")
    vertices, _ = isosurface(volume)
    slope = np.stack(np.gradient(gaussian_filter(volume.astype(np.float32), 1.5))[::-1], axis=-1)
    z, y, x = np.rint(vertices[:, ::-1]).astype(int).T
    frontal = Frontal(placed, rotation, DEPTH_SCALE)
    normals = -(slope[z, y, x] * [1, 1, DEPTH_SCALE]) @ frontal.turn.T
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    front = (normals[:, 2] > FRONT) & (frontal.apply(vertices)[:, 2] > frontal.back + 3)
    front &= (vertices[:, 2] > 2) & (vertices[:, 2] < volume.shape[0] - 3)
    mesh = face_mesh(model())[1].close(placed, outline=False)
    distances = Tree(*mesh).closest(vertices[front]).distances
    assert front.mean() > 0.25
    assert distances.mean() < MEAN
    assert np.quantile(distances, 0.99) < MOST


@pytest.fixture(scope="module")
def mean_mesh():
    return MeanMesh(model())


@pytest.mark.parametrize("variant", ["solid", "frontal_backfill"])
@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 15, -10), (-45, -20, 25), (60, 10, -30), (90, 20, 20), (-90, 0, 0)]
)
def test_landmarks_are_found_on_true_volumes_at_every_yaw(mean_mesh, variant, yaw, pitch, roll):
    points, rotation = face(yaw, pitch, roll, seed=abs(yaw))
    volume, _ = volume_of(points, rotation, variant)
    found = mean_mesh.register(volume, DEPTH_SCALE)
    truth = points[model().keypoints]
    size = np.sqrt(np.ptp(truth[:, :2], axis=0).prod())
    assert 100 * np.linalg.norm(found.landmarks[:, :2] - truth[:, :2], axis=1).mean() / size < 5
    kept = face_mesh(model())[0]
    depth = points[kept, 2].mean()
    assert np.abs(found.vertices[kept, 2] - (points[kept, 2] - depth)).mean() < 6
    assert found.residual < 4 and found.motion.rotation[2, 2] > -0.2


def test_a_coarse_volume_of_probabilities_gives_the_same_landmarks(mean_mesh):
    points, rotation = face(30, seed=3)
    volume, _ = volume_of(points, rotation, "solid")
    fine, coarse = (mean_mesh.register(v, DEPTH_SCALE).landmarks for v in (volume, pooled(pooled(volume))))
    assert np.linalg.norm(fine - coarse, axis=1).mean() < 2.5
    vertices, landmarks = registered(volume, model(), DEPTH_SCALE)
    np.testing.assert_allclose(landmarks, fine, atol=1e-4)
    np.testing.assert_array_equal(vertices[model().keypoints], landmarks)
    assert vertices.shape == model().mean.shape and "mean mesh" in METHOD


def test_an_empty_volume_is_a_failed_prediction():
    vertices, landmarks = registered(np.zeros((100, 96, 96)), model())
    assert np.isnan(vertices).all() and vertices.shape == model().mean.shape
    assert np.isnan(landmarks).all() and landmarks.shape == (68, 3)
