"""ICT-FaceKit against its own arrays, its chart, our colours on it, and pictures of it."""

import numpy as np
import pytest

from pipeline.config import SyntheticSettings
from pipeline.datasets.face_300w_lp import Face300WLP
from pipeline.datasets.synthetic import hair, people, writer
from pipeline.datasets.synthetic.anatomy import Head, HeadModel
from pipeline.datasets.synthetic.picture import Synthesiser
from pipeline.datasets.synthetic.plan import Kind
from pipeline.morphable import Region, load_face_model
from pipeline.morphable.ict import UNITS, build, parts, source
from pipeline.training.posmap_task import require_symmetric


@pytest.fixture(scope="module")
def path(data):
    return data / "ict" / "ict_facekit.npz"


@pytest.fixture(scope="module")
def content(path):
    return source.read(path)


@pytest.fixture(scope="module")
def face(path):
    return load_face_model("ict", path)


@pytest.fixture(scope="module")
def kept(content):
    return parts.select(content["neutral"], content["faces"])


@pytest.fixture(scope="module")
def synthesiser(face):
    ordinary = {f"share_{kind.value}": 0.0 for kind in Kind if kind is not Kind.ORDINARY}
    return Synthesiser(SyntheticSettings(pictures=8, identities=8, **ordinary), HeadModel(face), 0, "heads")


def row(content, name):
    return content["expression_names"].tolist().index(name)


def test_mean_and_modes_are_the_files(face, content, kept):
    neutral, identity, expression = (content[k].astype(float) for k in ("neutral", "identity", "expression"))
    assert face.shape_basis.shape == (len(kept.vertices), 3, 100)
    assert face.expression_basis.shape == (len(kept.vertices), 3, 53)
    assert face.mean == pytest.approx(neutral[kept.vertices] * UNITS, abs=0.02)
    shape, weights = np.random.default_rng(1).normal(size=100), np.zeros(53)
    weights[[3, 26]] = 0.7, 0.4
    expected = neutral + np.tensordot(shape, identity, 1) + np.tensordot(weights, expression, 1)
    found = face.vertices(shape, weights)
    assert np.abs(found - expected[kept.vertices] * UNITS).max() < 0.5  # micrometres: single precision
    assert (face.shape_sigma == 1).all() and (face.expression_floor == 0).all()
    assert (face.expression_sigma > 0).all()


def test_landmarks_stand_in_ibug_order(face, content):
    points = face.landmarks() / UNITS
    assert points == pytest.approx(content["neutral"][content["landmarks68"]], abs=1e-5)
    assert content["landmarks68"].tolist() == source.LANDMARKS68.tolist()
    assert points[:17, 0].tolist() == sorted(points[:17, 0].tolist())
    assert np.argmin(points[:17, 1]) == 8 and points[27, 1] > points[30, 1] > points[33, 1]
    assert points[36:42, 0].max() < 0 < points[42:48, 0].min()
    assert points[51, 1] > points[62, 1] > points[66, 1] > points[57, 1]
    assert points[30, 2] == points[:, 2].max()
    width = np.ptp(face.mean[face.face_mask, 0])
    assert 1.3e5 < width < 1.6e5


def test_the_triangles_are_the_kept_polygons(face, content, kept):
    quads = (content["faces"][kept.polygons][:, 3] >= 0).sum()
    assert len(face.triangles) == len(kept.polygons) + quads
    assert len(np.unique(face.triangles)) == len(face.mean)
    skin = np.isin(face.regions[face.triangles], [Region.SKIN, Region.SCALP]).all(1)
    a, b, c = (face.mean[face.triangles[:, k]].astype(float) for k in range(3))
    outward = (np.cross(b - a, c - a) * (a + b + c - [0, 0, 6e4])).sum(1) > 0
    assert outward[skin].mean() > 0.98


def test_the_chart_is_one_to_one_and_symmetric(face):
    corners = face.uv[face.uv_triangles].astype(float)
    edge, spread = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = (edge[:, 0] * spread[:, 1] - edge[:, 1] * spread[:, 0]) / 2
    assert face.uv.min() >= 0 and face.uv.max() <= 1
    assert (areas > 0).all() and 0.7 < areas.sum() < 1
    low, high = corners.min(1), corners.max(1)
    covered = 0
    for place in np.random.default_rng(0).random((800, 2)):
        near = corners[((low <= place) & (place <= high)).all(1)]
        edge, offset = np.roll(near, -1, axis=1) - near, place - near
        left = edge[..., 0] * offset[..., 1] - edge[..., 1] * offset[..., 0]
        inside = (left > 0).all(1).sum()
        assert inside <= 1
        covered += inside
    assert covered / 800 == pytest.approx(areas.sum(), abs=0.05)
    for size in (96, 256):
        require_symmetric(face, size)


def test_regions_are_where_they_should_be(face):
    points = face.mean / 1000
    assert set(np.unique(face.regions)) == {int(region) for region in Region}
    at = {region: points[face.regions == region] for region in Region}
    marks = face.landmarks() / 1000
    throat = at[Region.NECK][at[Region.NECK][:, 2] > 50]
    assert at[Region.SCALP][:, 1].mean() > marks[19, 1] and throat[:, 1].max() < marks[48, 1]
    assert np.abs(at[Region.EAR][:, 0]).min() > 60
    assert at[Region.TEETH][:, 2].max() < marks[48:60, 2].max()
    assert len(at[Region.EYE]) > 800 and np.abs(at[Region.EYE][:, 1] - marks[36:48, 1].mean()).max() < 18
    lips = at[Region.LIPS]
    assert lips[:, 1].max() < marks[33, 1] and lips[:, 1].min() > marks[8, 1] and np.ptp(lips[:, 0]) < 62
    assert face.face_mask[face.keypoints].all()
    outside = [Region.EAR, Region.NECK, Region.SCALP, Region.MOUTH_INNER, Region.TEETH, Region.EYE]
    assert not np.isin(face.regions[face.face_mask], outside).any()


def test_colours_are_ours_and_lie_in_their_places(face):
    mean = face.albedo_mean
    skin = mean[face.face_mask & (face.regions == Region.SKIN)].mean(0)
    assert skin[0] > skin[1] > skin[2]
    teeth, lips = (np.median(mean[face.regions == region], axis=0) for region in (Region.TEETH, Region.LIPS))
    assert teeth.min() > 0.25 and lips[0] / lips[1] > 1.2 * skin[0] / skin[1]
    assert mean[face.regions == Region.BROW].mean() < 0.8 * skin.mean()
    eyes = face.regions == Region.EYE
    pupil = face.mean[eyes & (mean.max(1) < 0.01)] / 1000
    for side in (-1, 1):
        own = pupil[pupil[:, 0] * side > 0]
        others = face.mean[eyes & (face.mean[:, 0] * side > 0)] / 1000
        assert len(own) > 8
        assert own[:, 2].min() > others[:, 2].max() - 4 and np.ptp(own, axis=0)[:2].max() < 8
    assert np.isfinite(face.albedo_basis).all() and (face.albedo_sigma > 0).all()


def test_a_second_reading_has_the_same_bytes(face, content):
    again = build(content)
    for name, value in vars(face).items():
        if isinstance(value, np.ndarray):
            assert value.tobytes() == getattr(again, name).tobytes(), name


def test_a_folder_of_obj_files_is_the_same_model(content, face, tmp_path):
    few = {**content, "identity": content["identity"][:2]}
    write_folder(tmp_path, few)
    read = source.read(tmp_path)
    assert read["expression_names"].tolist() == content["expression_names"].tolist()
    built = load_face_model("ict", tmp_path)
    assert built.triangles.tobytes() == face.triangles.tobytes()
    assert built.uv_triangles.tobytes() == face.uv_triangles.tobytes()
    assert built.mean == pytest.approx(face.mean, abs=1)
    assert built.shape_basis == pytest.approx(face.shape_basis[:, :, :2], abs=1)
    jaw = row(content, "jawOpen")
    assert built.expression_basis[:, :, jaw] == pytest.approx(face.expression_basis[:, :, jaw], abs=1)


def write_folder(folder, content):
    """The arrays as FaceXModel's OBJ files: the expressions that move something as vertices alone."""

    def lines(start, rows):
        return (
            "\n".join(f"{start} " + " ".join(f"{value:.5f}" for value in line) for line in rows.tolist())
            + "\n"
        )

    neutral = content["neutral"].astype(float)
    polygons = [
        "f " + " ".join(f"{v + 1}/{t + 1}" for v, t in zip(vs, ts, strict=True) if v >= 0)
        for vs, ts in zip(content["faces"].tolist(), content["uv_faces"].tolist(), strict=True)
    ]
    text = lines("v", neutral) + "".join(f"vt {u:.6f} {v:.6f}\n" for u, v in content["uv"].tolist())
    (folder / "generic_neutral_mesh.obj").write_text(text + "\n".join(polygons) + "\n")
    still = lines("v", neutral)
    for number, offset in enumerate(content["identity"]):
        (folder / f"identity{number:03d}.obj").write_text(lines("v", neutral + offset))
    for name, offset in zip(content["expression_names"].tolist(), content["expression"], strict=True):
        moved = lines("v", neutral + offset) if name == "jawOpen" else still
        (folder / f"{name}.obj").write_text(moved)


def test_drawn_eyes_look_one_way(face, content):
    rng = np.random.default_rng(2)
    out, into = row(content, "eyeLookOut_L"), row(content, "eyeLookIn_R")
    drawn = np.array([face.draw_expression(rng) for _ in range(100)])
    assert drawn[:, out] == pytest.approx(drawn[:, into])
    assert drawn.min() == 0 and drawn.max() < 1.2 and (drawn[:, row(content, "mouthClose")] == 0).all()
    weights = np.zeros(53)
    weights[[out, into]] = 1.0
    moved = (face.vertices(None, weights) - face.mean)[:, 0] / 1000
    for side in (-1, 1):
        lids = (face.regions == Region.EYELID) & (face.mean[:, 0] * side > 0)
        assert moved[lids].mean() > 0.1


def test_pictures_are_the_same_twice_and_their_files_give_the_face_back(synthesiser, face, tmp_path):
    for index in range(2):
        rendered = synthesiser.picture(index)
        assert synthesiser.picture(index).jpeg == rendered.jpeg
        writer.write_files(tmp_path, writer.files_of(f"p{index}", rendered))
        annotation = Face300WLP().annotation(tmp_path / f"p{index}.mat", rendered.image.shape[0])
        assert len(annotation.expression) == 53
        truth = rendered.faces[0]
        head = Head(
            synthesiser.traits, face.vertices(truth.shape, truth.expression), truth.pose.astype(float), 450
        )
        assert np.abs(annotation.vertices(face) - head.image).max() < 0.01
        assert head.image[face.keypoints] == pytest.approx(truth.landmarks, abs=0.01)


def test_only_shoulders_are_drawn_elsewhere_than_they_are(synthesiser, face):
    truth = synthesiser.picture(0).faces[0]
    head = Head(
        synthesiser.traits, face.vertices(truth.shape, truth.expression), truth.pose.astype(float), 450
    )
    moved = np.abs(head.drawn - head.image).max(1) > 1e-9
    assert 100 < moved.sum() < 1500
    assert (face.regions[moved] == Region.NECK).all() and not face.face_mask[moved].any()


def test_a_shaved_head_has_roots_and_a_bald_one_bare_skin(synthesiser):
    traits, person = synthesiser.traits, synthesiser.person(0)
    roots = hair.roots(traits, person.style)
    scalp, face_ = traits.model.regions == Region.SCALP, traits.model.face_mask
    assert roots[scalp].mean() > 0.6 and roots[face_].mean() < 0.12
    assert not traits.painted_hair
    plain = people.skin_colour(traits, person)
    assert plain[scalp].mean() == pytest.approx(plain[face_].mean(), rel=0.4)
