"""Geometry, light and camera of the synthesiser on scenes whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_head import egg, settings

from pipeline.datasets.synthetic import degrade, lights, meshes, textures, viewpoint
from pipeline.datasets.synthetic.anatomy import CENTRE, Head, HeadModel
from pipeline.datasets.synthetic.meshes import Part
from pipeline.datasets.synthetic.scene import draw, nearest, visibility
from pipeline.geometry.mesh import vertex_normals

SIZE = 64
EVEN = lights.Lighting(np.ones(3), np.ones(3), np.array([[0.0, 0.0, 1.0]]), np.zeros((1, 3)), 0.0)


def head(angles=(0.0, 0.0, 0.0), side=30.0):
    traits = HeadModel(egg())
    vertices = traits.vertices(np.zeros(2), np.zeros(1))
    marks = vertices[egg().keypoints]
    pose = viewpoint.pose_for(marks, np.array(angles), side, np.array([32.0, 34.0]), SIZE)
    return Head(traits, vertices, pose.astype(np.float64), SIZE)


def face(subject):
    return Part(subject.image, egg().triangles, np.full(3, 0.5), gloss=0.0, face=0)


def square(z, low, high, colour):
    corners = np.array([[low, low, z], [high, low, z], [low, high, z], [high, high, z]], np.float64)
    return Part(
        corners, np.array([[0, 2, 1], [1, 2, 3]], np.int32), np.asarray(colour), gloss=0.0, sheet=True
    )


@pytest.mark.parametrize(
    "shape",
    [
        meshes.ellipsoid([1, 2, 3], [1, 2, 3]),
        meshes.box([0, 5, 0], [1, 2, 3]),
        meshes.capsule([0, 0, 0], [0, 10, 0], 2.0),
        meshes.tube(np.array([[0, 0, 0], [0, 5, 1], [0, 9, 4]]), 1.0),
    ],
    ids=["ellipsoid", "box", "capsule", "tube"],
)
def test_shapes_face_outwards(shape):
    normals = vertex_normals(shape.vertices, shape.triangles)
    out = shape.vertices - shape.vertices.mean(0)
    if len(shape.vertices) == 30:
        rings = shape.vertices.reshape(3, 10, 3)
        out = (rings - rings.mean(1, keepdims=True)).reshape(-1, 3)
    assert ((normals * out).sum(1) > -1e-9).mean() > 0.97


def test_a_face_lands_where_it_was_asked_to():
    marks = head(angles=(0.3, -0.8, 0.4), side=30.0).image[egg().keypoints, :2]
    low, high = marks.min(0), marks.max(0)
    assert np.sqrt(np.prod(high - low)) == pytest.approx(30.0, abs=1e-3)
    assert (low + high) / 2 == pytest.approx([32.0, 34.0], abs=1e-3)


def test_nothing_is_mirrored():
    marks = head().image[egg().keypoints]
    assert marks[36:42, 0].mean() < marks[42:48, 0].mean() and marks[8, 1] > marks[27, 1]
    turned = head(angles=(0.0, 0.7, 0.0))
    tip = turned.place(np.array([[0.0, -34.0, 40.0]]))[0]
    assert tip[0] < turned.place(CENTRE[None])[0, 0]


def test_the_nearer_part_hides_the_other_and_edges_are_blended():
    drawn = draw([square(0, 10, 50.3, [0.2, 0.2, 0.2]), square(5, 30, 40, [0.8, 0, 0])], EVEN, SIZE, 40)
    assert drawn.colour[35, 35] == pytest.approx([0.8, 0, 0], abs=1e-5)
    assert drawn.colour[20, 20] == pytest.approx([0.2, 0.2, 0.2], abs=1e-5)
    assert drawn.cover[20, 20] == 1 and drawn.cover[60, 60] == 0
    assert 0 < drawn.cover[20, 50] < 1
    depth = nearest(drawn)
    assert (
        depth[35, 35] == pytest.approx(5) and depth[20, 20] == pytest.approx(0) and depth[60, 60] == -np.inf
    )


def test_light_from_the_right_brightens_the_right():
    lamp = lights.Lighting(np.zeros(3), np.zeros(3), np.array([[0.8, 0.0, 0.6]]), np.ones((1, 3)), 0.0)
    drawn = draw([face(head())], lamp, SIZE, 40)
    assert drawn.colour[34, 44].mean() > 2 * drawn.colour[34, 20].mean()
    above = lights.Lighting(np.zeros(3), np.zeros(3), np.array([[0.0, 0.8, 0.6]]), np.ones((1, 3)), 0.0)
    drawn = draw([face(head())], above, SIZE, 40)
    assert drawn.colour[18, 32].mean() > 2 * drawn.colour[52, 32].mean()


def test_a_disc_casts_its_shadow_on_the_wall_behind():
    x, y = np.meshgrid(np.linspace(-20, 20, 41), np.linspace(-20, 20, 41))
    wall = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1)
    plate = np.array([[-6.0, -6, 10], [6, -6, 10], [-6, 6, 10], [6, 6, 10]])
    points = np.concatenate([wall, plate])
    triangles = np.concatenate([meshes.grid_triangles(41, 41), np.array([[0, 1, 2], [1, 3, 2]]) + len(wall)])
    normals = np.tile([0.0, 0, 1], (len(points), 1))
    lit = lights.shadow_factor(points, triangles.astype(np.int32), normals, np.array([0.0, 0, 1]), 40.0)
    grid = lit[: len(wall)].reshape(41, 41)
    assert grid[20, 20] == 0 and grid[20, 2] == 1 and grid[2, 20] == 1 and lit[-1] == 1


def test_landmarks_behind_a_board_are_not_seen():
    subject = head()
    free, hidden = visibility(draw([face(subject)], EVEN, SIZE, 40), subject, 0)
    assert free[[30, 33, 48, 54]].all() and hidden < 0.1
    left = subject.image[egg().keypoints, 0] < 31
    board = square(subject.image[:, 2].max() + 5, -10, 31, [0.1, 0.1, 0.1])
    board.vertices[[2, 3], 1] = 90
    seen, covered = visibility(draw([face(subject), board], EVEN, SIZE, 40), subject, 0)
    assert not seen[left].any() and 0.3 < covered < 0.7 and seen[54]


def test_the_head_is_measured_in_millimetres():
    subject = head()
    eyes = subject.points[36:42].mean(0), subject.points[42:48].mean(0)
    assert np.linalg.norm(eyes[1] - eyes[0]) == pytest.approx(63.0, rel=1e-6)
    on_skin, _ = subject.shell(np.zeros(3), np.array([0.0, 1.0, 3.0]), np.zeros(3))
    scaled = (subject.place(on_skin) - subject.place(CENTRE[None])) / subject.pixels_per_mm
    assert np.linalg.norm(scaled, axis=1) == pytest.approx(
        subject.radius(np.zeros(3), np.array([0.0, 1.0, 3.0]))
    )


def test_textures_repeat_and_stay_apart():
    place = np.array([[3.0, 7.0], [3.0 + 256, 7.0 - 512], [-40.0, -1.0]])
    for kind in textures.Texture:
        folded = textures.fold(kind, place)
        gains = textures.sample(folded[:, 0], folded[:, 1])
        assert gains == pytest.approx(textures.atlas()[kind, [7, 7, 255], [3, 3, 216]])
    assert (textures.atlas()[textures.Texture.PLAIN] == 1).all()


def test_the_camera_darkens_blurs_and_adds_noise():
    rng = np.random.default_rng(0)
    linear = rng.uniform(0.2, 0.8, (64, 64, 3)).astype(np.float32)
    plain = degrade.Camera(1.0, np.ones(3), 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 90)

    def shot(**changed):
        return degrade.expose(np.random.default_rng(1), linear, replace(plain, **changed)).astype(float)

    assert shot(target=0.05).mean() < 0.4 * shot().mean()
    assert shot(blur=3.0).std() < 0.4 * shot().std()
    assert shot(motion=8.0).std() < 0.8 * shot().std()
    assert shot(shrink=4.0).std() < 0.6 * shot().std()
    assert (shot(noise=0.1) - shot()).std() > 15
    grey = shot(saturation=0.0)
    assert np.ptp(grey, axis=2).max() <= 1 < np.ptp(shot(), axis=2).max()
    assert shot(vignette=0.8)[0, 0].mean() < 0.9 * shot()[0, 0].mean()


def test_angles_keep_their_limits_and_reach_far():
    options = settings(yaw_limit=90.0, pitch_limit=20.0, roll_limit=0.0)
    rng = np.random.default_rng(0)
    angles = np.degrees([viewpoint.sample_angles(rng, options) for _ in range(400)])
    assert np.abs(angles).max(0) == pytest.approx([20, 90, 0], abs=2) and np.abs(angles[:, 1]).max() <= 90
    for low, high in ((0, 30), (30, 60), (60, 90)):
        yaw = np.abs(angles[:, 1])
        assert ((yaw >= low) & (yaw < high)).mean() > 0.15
