"""The procedural head as a face: landmarks where the mark-up says, modes, expressions and colours."""

import numpy as np
import pytest

from pipeline.geometry.mesh import rasterize
from pipeline.morphable import Region, load_face_model

JAW_OPEN, SMILE, EYES_CLOSED, LIPS_APART = 0, 1, 7, 4
MIRROR = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31]
MIRROR += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
MIRROR += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]


@pytest.fixture(scope="module")
def face():
    return load_face_model("procedural")


def _expressed(face, mode: int, sigmas: float) -> np.ndarray:
    coefficients = np.zeros(len(face.expression_sigma))
    coefficients[mode] = sigmas * face.expression_sigma[mode]
    return face.landmarks(None, coefficients)


def _check_order(points: np.ndarray, jowl: float = 0.0) -> None:
    """What must hold on any face in frontal pose: no landmark crosses its neighbour.

    ``jowl``: how far one contour point may stand out beyond the one above it (a broad jaw does).
    """
    x, y = points[:, 0], points[:, 1]
    assert (np.diff(x[:17]) > -jowl).all() and x[0] < x[4] < x[8] < x[12] < x[16]
    assert (np.diff(y[:9]) < 0).all() and (np.diff(y[8:17]) > 0).all()
    assert (np.diff(x[17:27]) > 0).all()
    assert (np.diff(y[27:31]) < 0).all() and (np.diff(x[31:36]) > 0).all()
    for outer, inner, upper, lower in ((36, 39, (37, 38), (41, 40)), (42, 45, (43, 44), (47, 46))):
        assert x[outer] < x[upper[0]] < x[upper[1]] < x[inner]
        assert (y[list(upper)] > y[list(lower)]).all()
    assert (np.diff(x[48:55]) > 0).all() and (np.diff(x[54:60]) < 0).all()
    assert y[[50, 51, 52]].min() > y[[58, 57, 56]].max()
    assert y[33] > y[51] and y[57] > y[8]
    assert x[48] < x[60] < x[61] < x[62] < x[63] < x[64] < x[54]


def test_landmarks_are_mirrored_and_distinct(face):
    points = face.mean[face.keypoints].astype(np.float64)
    np.testing.assert_allclose(points, points[MIRROR] * [-1, 1, 1], atol=0.1)
    assert len(set(face.keypoints.tolist())) == 68
    middle = [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    assert (np.abs(points[middle, 0]) < 0.1).all()


def test_landmarks_lie_on_their_parts(face):
    points = face.mean.astype(np.float64)
    for numbers, regions in (
        (range(17, 27), [Region.BROW]),
        (range(27, 36), [Region.NOSE, Region.NOSTRIL]),
        (range(36, 48), [Region.EYE, Region.EYELID]),
        (range(48, 60), [Region.LIPS]),
        (range(60, 68), [Region.LIPS, Region.MOUTH_INNER]),
        (range(0, 17), [Region.SKIN]),
    ):
        part = points[np.isin(face.regions, regions)]
        for number in numbers:
            gap = np.linalg.norm(part - points[face.keypoints[number]], axis=1).min()
            assert gap < 2500, f"landmark {number} lies {gap / 1000:.1f} mm from its part"


def test_the_mark_up_on_the_mean(face):
    points = face.mean[face.keypoints].astype(np.float64)
    _check_order(points)
    assert points[:, 2].argmax() == 30
    assert face.mean[face.face_mask, 2].max() - points[30, 2] < 500
    assert points[:, 1].argmin() == 8
    assert points[[0, 16], 2].max() < points[[36, 45], 2].min() < points[27, 2]
    brows, eyes, lips = points[17:27, 1].min(), points[36:48, 1], points[48:68, 1]
    assert brows > eyes.max() and eyes.min() > points[30, 1] > points[33, 1] > lips.max()
    assert points[[60, 64], 1] == pytest.approx(points[[48, 54], 1], abs=1500)


def test_contour_landmarks_bound_the_front_of_the_face(face):
    points = face.mean[face.keypoints].astype(np.float64)
    ears = face.mean[face.regions == Region.EAR]
    assert points[:17, 2].min() > np.median(ears[:, 2])
    for number in range(3, 8):
        band = np.abs(face.mean[:, 1] - points[number, 1]) < 1500
        front = band & face.face_mask & (face.mean[:, 2] >= points[number, 2])
        assert points[number, 0] - face.mean[front, 0].min() < 4000


def test_shape_modes_are_orthonormal_and_fall(face):
    flat = face.shape_basis.reshape(-1, 40).astype(np.float64)
    np.testing.assert_allclose(flat.T @ flat, np.eye(40), atol=1e-4)
    assert face.shape_basis.shape[2] == len(face.shape_sigma) == 40
    assert (np.diff(face.shape_sigma) < 0).all() and face.shape_sigma[-1] > 0


def test_each_shape_mode_is_symmetric_or_a_small_asymmetry(face):
    order = np.lexsort(face.uv.T.round(5))
    twin = np.lexsort(np.column_stack([1.0 - face.uv[:, 0], face.uv[:, 1]]).T.round(5))
    flip = np.array([-1.0, 1.0, 1.0])[:, None]
    same = np.einsum("nck,nck->k", face.shape_basis[order], face.shape_basis[twin] * flip)
    assert (np.abs(np.abs(same) - 1) < 0.02).all()
    symmetric = same > 0
    assert symmetric[:8].all() and 28 <= symmetric.sum() < 40
    share = (face.shape_sigma[~symmetric] ** 2).sum() / (face.shape_sigma**2).sum()
    assert share < 0.05


def test_extreme_faces_keep_the_order_of_their_landmarks(face):
    for mode, sigma in enumerate(face.shape_sigma):
        for sign in (-2.5, 2.5):
            _check_order(face.landmarks(np.eye(40)[mode] * sign * sigma), jowl=6000)
    rng = np.random.default_rng(8)
    for _ in range(100):
        _check_order(face.landmarks(face.draw_shape(rng)), jowl=6000)


def test_the_mouth_opens(face):
    def gap(points):
        return np.linalg.norm(points[[61, 62, 63]] - points[[67, 66, 65]], axis=1)

    rest, wide = gap(_expressed(face, JAW_OPEN, 0.0)), gap(_expressed(face, JAW_OPEN, 2.0))
    assert rest.max() < 2000 and wide.min() > 12_000
    assert gap(_expressed(face, LIPS_APART, 1.5)).min() > 4000
    chin = _expressed(face, JAW_OPEN, 2.0)[8] - _expressed(face, JAW_OPEN, 0.0)[8]
    assert chin[1] < -12_000
    still = _expressed(face, JAW_OPEN, 2.0)[:48] - _expressed(face, JAW_OPEN, 0.0)[:48]
    assert np.abs(still[17:]).max() < 1000


def test_an_open_mouth_shows_its_inside_and_a_closed_one_does_not(face):
    def inside(sigmas):
        coefficients = np.zeros(10)
        coefficients[JAW_OPEN] = sigmas * face.expression_sigma[JAW_OPEN]
        points = face.vertices(None, coefficients) / 500
        image = np.column_stack([points[:, 0] + 150, 180 - points[:, 1], points[:, 2]])
        raster = rasterize(image, face.triangles, 400, 300)
        parts = face.regions[face.triangles[raster.triangle[raster.mask]]]
        return (parts == Region.MOUTH_INNER).all(axis=1).sum()

    assert inside(0.0) < 30
    assert inside(2.0) > 1500


def test_the_eyes_close(face):
    rest, shut = _expressed(face, EYES_CLOSED, 0.0), _expressed(face, EYES_CLOSED, 2.5)
    upper, lower = [37, 38, 43, 44], [41, 40, 47, 46]
    before, after = rest[upper, 1] - rest[lower, 1], shut[upper, 1] - shut[lower, 1]
    assert (before > 7000).all()
    assert (np.abs(after) < 0.12 * before).all()
    eye = face.regions == Region.EYE
    moved = np.abs(face.expression_basis[eye, :, EYES_CLOSED]) * 2.5 * face.expression_sigma[EYES_CLOSED]
    assert np.median(moved.max(axis=1)) < 1.0


def test_a_smile_lifts_and_widens_the_mouth(face):
    rest, smile = _expressed(face, SMILE, 0.0), _expressed(face, SMILE, 2.0)
    assert smile[48, 0] < rest[48, 0] - 3000 and smile[54, 0] > rest[54, 0] + 3000
    assert (smile[[48, 54], 1] > rest[[48, 54], 1] + 3000).all()


def test_ten_expressions_of_unit_norm(face):
    assert face.expression_basis.shape[2] == 10
    norms = np.linalg.norm(face.expression_basis.reshape(-1, 10).astype(np.float64), axis=0)
    np.testing.assert_allclose(norms, 1.0, atol=1e-5)


def test_colours(face):
    mean = face.albedo_mean
    assert mean.min() >= 0 and mean.max() <= 1
    colour = {region: mean[face.regions == region].mean(axis=0) for region in np.unique(face.regions)}
    skin = colour[Region.SKIN]
    assert skin[0] > skin[1] > skin[2]
    assert colour[Region.LIPS][0] / colour[Region.LIPS][1] > 1.2 * skin[0] / skin[1]
    for dark in (Region.BROW, Region.NOSTRIL, Region.SCALP, Region.MOUTH_INNER):
        assert colour[dark].sum() < 0.7 * skin.sum(), dark.name
    eye = mean[face.regions == Region.EYE].sum(axis=1)
    assert eye.max() > 1.5 and eye.min() < 0.05


def test_people_differ_in_skin_tone_and_beard(face):
    rng = np.random.default_rng(10)
    skin = (face.regions == Region.SKIN) & face.face_mask
    light = np.array([face.albedo(face.draw_albedo(rng))[skin].mean() for _ in range(30)])
    assert light.min() < 0.2 and light.max() > 0.4
