"""Rendered scans: where the points are, which are seen, what the picture shows, the same bytes however sharded."""

import hashlib
import io

import numpy as np
import pytest
from scan_world import (
    PLACE,
    QUARTERS,
    TIP,
    bu4dfe,
    florence,
    head,
    hidden_by_brute_force,
    render,
    settings,
    sign,
    towards_viewer,
)

from pipeline.datasets.scans import poses
from pipeline.geometry.camera import apply_camera, camera_matrix, flip_matrix
from pipeline.geometry.euler import rotation_from_angles
from pipeline.io.images import read_picture
from pipeline.io.meshes import read_mesh, write_ply
from pipeline.io.tables import read_tsv

FRONT, LEFT = "p+0_y+0_r+0", "p+0_y+80_r+0"
DIP = 20.0


def truth(files: dict[str, bytes], name: str) -> dict[str, np.ndarray]:
    """The arrays of one truth file."""
    with np.load(io.BytesIO(files[f"{name}.npz"])) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def dipped(tmp_path_factory):
    """The Florence tree of bent heads at the lifted poses of the paper: root, images folder, files."""
    folder = tmp_path_factory.mktemp("dipped")
    root = florence(folder / "florence", DIP)
    options = settings(root, poses="florence_lifted", upright=[DIP, 0, 0])
    return root, folder / "images", render(folder, options)


@pytest.fixture(scope="module")
def frontal(tmp_path_factory):
    """Upright heads at two poses, larger: root and images folder and files."""
    folder = tmp_path_factory.mktemp("frontal")
    root = florence(folder / "florence")
    options = settings(
        root, poses=[[0, 0, 0], [0, 80, 0], [0, -80, 0], [25, 0, 0], [0, 0, 30], [0, 50, 0]], size=240
    )
    return root, folder / "images", render(folder, options)


def test_every_subject_has_every_pose_of_the_paper(dipped):
    _, _, files = dipped
    pictures = [name for name in files if name.endswith(".jpg")]
    assert len(pictures) == 2 * 15
    assert (
        "subject_01/frontal1_p+15_y-80_r+0.jpg" in pictures
        and "subject_02/frontal2_p+25_y+40_r+0.jpg" in pictures
    )
    assert {name.replace(".jpg", ".npz") for name in pictures} == set(files) - set(pictures)


def test_the_presets_are_the_papers():
    """Spec prn_vrn E.6 and G.3: 53 meshes at 15 poses are 795 pictures."""
    sets = {name: poses.poses_of(settings(".", poses=name)) for name in poses.PRESETS}
    assert {name: len(found) for name, found in sets.items()} == {
        "florence": 15,
        "florence_lifted": 15,
        "florence_20": 20,
        "bu4dfe": 15,
    }
    assert 53 * len(sets["florence"]) == 795
    for found in sets.values():
        assert sorted({yaw for _, yaw, _ in found}) == [-80, -40, 0, 40, 80]
        assert {roll for _, _, roll in found} == {0}
    assert {pitch for pitch, _, _ in sets["florence"]} == {-15, 20, 25}


def test_a_vertex_projected_by_the_stored_camera_is_the_stored_point(dipped):
    root, _, files = dipped
    for name in [name[:-4] for name in files if name.endswith(".npz")]:
        arrays = truth(files, name)
        mesh = read_mesh(root / str(arrays["scan"]))
        points = apply_camera(mesh.vertices, flip_matrix(arrays["camera"], 96))
        assert np.abs(points - arrays["vertices"]).max() < 0.01
        assert arrays["identity"] == name.split("/")[0]


def test_the_pose_is_that_of_the_upright_head(dipped):
    root, _, files = dipped
    arrays = truth(files, "subject_01/frontal1_p+20_y-40_r+0")
    assert np.degrees(arrays["pose"][:3]) == pytest.approx([0, -40, 0], abs=1e-6)
    assert arrays["angles"].tolist() == [20, -40, 0]
    upright = read_mesh(root / str(arrays["scan"])).vertices @ rotation_from_angles(np.radians(DIP), 0, 0).T
    points = apply_camera(upright, camera_matrix(arrays["pose"], 96))
    assert np.abs(points - arrays["vertices"]).max() < 0.01
    assert np.degrees(truth(files, "subject_01/frontal1_p+15_y+0_r+0")["pose"][0]) == pytest.approx(-5)


@pytest.mark.parametrize("order", ["pitch_first", "300w_lp"])
def test_from_upright_the_angles_of_300w_lp_are_the_pose(tmp_path, order):
    root = florence(tmp_path / "f", DIP)
    options = settings(root, poses=[[10, 50, -20]], upright=[DIP, 0, 0], start="upright", order=order)
    found = truth(render(tmp_path, options), "subject_01/frontal1_p+10_y+50_r-20")
    pitch, yaw, roll = np.radians([10, 50, -20])
    turned = rotation_from_angles(0, yaw, 0) @ rotation_from_angles(pitch, 0, roll)
    expected = rotation_from_angles(pitch, yaw, roll) if order == "300w_lp" else turned
    assert rotation_from_angles(*found["pose"][:3]) == pytest.approx(expected, abs=1e-12)


def test_the_tip_of_the_nose_is_found_and_the_picture_is_about_the_face(dipped):
    _, _, files = dipped
    turn = rotation_from_angles(np.radians(-DIP), 0, 0)
    for name in ("subject_01/frontal1_p+20_y+0_r+0", "subject_02/frontal2_p+25_y-80_r+0"):
        arrays = truth(files, name)
        true = apply_camera((TIP @ turn.T + PLACE)[None], flip_matrix(arrays["camera"], 96))
        assert np.linalg.norm(arrays["tip"] - true[0]) < 4
        region = arrays["vertices"][arrays["region"]]
        assert np.abs((region[:, :2].min(0) + region[:, :2].max(0)) / 2 - 47.5).max() < 12
    scale = truth(files, "subject_01/frontal1_p+20_y+0_r+0")["pose"][6]
    assert scale == pytest.approx(0.5 * 96 / (2 * 95))


@pytest.mark.parametrize("pose", [FRONT, LEFT])
def test_visible_vertices_are_those_with_nothing_before_them(frontal, pose):
    root, _, files = frontal
    for name in (f"subject_01/frontal1_{pose}", f"subject_02/frontal2_{pose}"):
        arrays = truth(files, name)
        triangles = read_mesh(root / str(arrays["scan"])).triangles
        points = arrays["vertices"].astype(np.float64)
        free = ~hidden_by_brute_force(points, triangles, 240 / 192)
        near = towards_viewer(points, triangles)
        assert not arrays["visible"][near < 0].any()
        wrong = np.flatnonzero((free != arrays["visible"]) & (near > 0.05))
        assert len(wrong) <= 3, f"{name}: {len(wrong)} of {int((near > 0.05).sum())}"
        assert 0.3 < arrays["visible"].mean() < 0.6


def test_the_nose_hides_the_cheek_behind_it(frontal):
    root, _, files = frontal
    arrays = truth(files, "subject_01/frontal1_p+0_y+50_r+0")
    points = head().vertices - PLACE
    facing = (
        towards_viewer(arrays["vertices"].astype(float), read_mesh(root / str(arrays["scan"])).triangles)
        > 0.02
    )
    beside = (np.abs(points[:, 1] - TIP[1]) < 6) & (points[:, 2] > 60) & facing
    behind = beside & (points[:, 0] > -34) & (points[:, 0] < -20)
    before = beside & (points[:, 0] < 34) & (points[:, 0] > 20)
    assert behind.any() and before.any()
    assert not arrays["visible"][behind].any() and arrays["visible"][before].all()


def test_the_picture_is_upright_not_mirrored_and_has_the_right_texture(frontal):
    root, images, files = frontal
    for pose in (FRONT, LEFT, "p+0_y-80_r+0", "p+25_y+0_r+0", "p+0_y+0_r+30"):
        for name in (f"subject_01/frontal1_{pose}", f"subject_02/frontal2_{pose}"):
            arrays = truth(files, name)
            picture = read_picture(images / f"{name}.jpg").astype(float)
            points = read_mesh(root / str(arrays["scan"])).vertices - PLACE
            near = towards_viewer(
                arrays["vertices"].astype(float), read_mesh(root / str(arrays["scan"])).triangles
            )
            clear = (
                arrays["visible"]
                & (np.abs(points[:, :2]) > 12).all(axis=1)
                & (points[:, 2] > 20)
                & (near > 0.4)
            )
            assert clear.sum() > 40
            for point, (x, y) in zip(arrays["vertices"][clear], points[clear, :2], strict=True):
                shown = picture[round(float(point[1])), round(float(point[0]))]
                assert np.abs(shown - QUARTERS[sign(x), sign(y)]).max() < 40, (name, point)
    front = truth(files, f"subject_01/frontal1_{FRONT}")["vertices"]
    turned = truth(files, f"subject_01/frontal1_{LEFT}")
    points = head().vertices - PLACE
    assert front[np.argmin(points[:, 0]), 0] < front[np.argmax(points[:, 0]), 0]
    assert front[np.argmax(points[:, 1]), 1] < front[np.argmin(points[:, 1]), 1]
    assert turned["tip"][0] < turned["vertices"][:, 0].mean(), (
        "a positive yaw turns the nose to the picture's left"
    )
    lifted = truth(files, "subject_01/frontal1_p+25_y+0_r+0")
    assert lifted["tip"][1] < lifted["vertices"][:, 1].mean(), "a positive pitch lifts the face"


def test_behind_the_head_is_the_background(frontal, tmp_path):
    root, images, _ = frontal
    picture = read_picture(images / f"subject_01/frontal1_{FRONT}.jpg")
    assert np.abs(picture[:8].astype(int) - 128).max() <= 3
    other = render(tmp_path, settings(root, poses=[[0, 0, 0]], background="clutter", skip=["subject_02"]))
    cluttered = read_picture(tmp_path / "images" / f"subject_01/frontal1_{FRONT}.jpg")
    assert cluttered[:10].std() > 5 and sorted(other) == [
        f"subject_01/frontal1_{FRONT}{e}" for e in (".jpg", ".npz")
    ]


def test_regions_are_named_and_about_the_nose(tmp_path):
    root = florence(tmp_path / "f")
    points, masks = head().vertices - PLACE, {}
    for region in ("all", "sphere", "front"):
        options = settings(root, region=region, radius=60.0, poses=[[0, 0, 0]])
        masks[region] = truth(render(tmp_path, options), f"subject_01/frontal1_{FRONT}")["region"]
    assert masks["all"].all()
    near = np.linalg.norm(points - points[np.argmax(points[:, 2])], axis=1) <= 60
    assert (masks["sphere"] == near).mean() > 0.98
    assert (masks["front"] <= masks["sphere"]).all() and masks["front"].sum() > 50
    wide = settings(root, region="front", radius=400.0, poses=[[0, 0, 0]], face_share=2.0)
    front = truth(render(tmp_path, wide), f"subject_01/frontal1_{FRONT}")["region"]
    assert points[front, 2].min() > -10 and points[~front, 2].max() < 10


def test_bu4dfe_gives_one_scan_of_each_sequence_and_its_landmarks(tmp_path):
    scans, marks = bu4dfe(tmp_path)
    options = settings(scans, kind="bu4dfe", landmarks=str(marks), poses=[[0, 0, 0], [0, 40, 0]], nose=5)
    files = render(tmp_path, options)
    assert {name.split("_p+")[0] for name in files} == {
        f"{person}/{expression}_001" for person in ("F001", "M010") for expression in ("Happy", "Surprise")
    }
    for pose in (FRONT, "p+0_y+40_r+0"):
        arrays = truth(files, f"M010/Surprise_001_{pose}")
        assert arrays["scan"] == "M010/Surprise/001.wrl"
        assert np.abs(arrays["landmarks"] - arrays["vertices"][:1660:20]).max() < 0.01
        assert np.abs(arrays["tip"] - arrays["landmarks"][5]).max() < 1e-4
    shown = read_picture(tmp_path / "images" / f"M010/Surprise_001_{FRONT}.jpg")
    x, y = truth(files, f"M010/Surprise_001_{FRONT}")["vertices"].mean(axis=0)[:2].round().astype(int)
    assert np.argmax(shown[y - 12, x - 10]) == 0 and np.argmax(shown[y + 12, x - 10]) == 2
    first = settings(scans, kind="bu4dfe", frame=2, expressions=["Angry"], poses=[[0, 0, 0]])
    assert {name.split("_p+")[0] for name in render(tmp_path, first)} == {"F001/Angry_002", "M010/Angry_002"}


def test_colours_at_the_vertices_and_the_lamp(tmp_path):
    (tmp_path / "scans" / "anna").mkdir(parents=True)
    for path in ("bert.ply", "anna/smile.ply"):
        write_ply(tmp_path / "scans" / path, head())
    options = settings(tmp_path / "scans", kind="generic", poses=[[0, 0, 0]], size=120)
    flat = render(tmp_path, options)
    names = ["anna/smile", "bert/bert"]
    assert sorted(flat) == [f"{name}_{FRONT}{e}" for name in names for e in (".jpg", ".npz")]
    arrays = truth(flat, f"bert/bert_{FRONT}")
    points = head().vertices - PLACE
    plain = read_picture(tmp_path / "images" / f"bert/bert_{FRONT}.jpg").astype(float)
    lamp = options.model_copy(update={"ambient": 0.2, "lamp": 0.8, "lamp_from": (-1.0, 0.0, 0.2)})
    render(tmp_path, lamp)
    lit = read_picture(tmp_path / "images" / f"bert/bert_{FRONT}.jpg").astype(float)
    sides = []
    for x in (-45, 45):
        near = np.argmin(np.abs(points - [x, 40, 70]).sum(axis=1))
        j, i = np.rint(arrays["vertices"][near, :2]).astype(int)
        assert np.abs(plain[i, j] - QUARTERS[sign(x), 1]).max() < 30
        sides.append(lit[i, j].sum() / plain[i, j].sum())
    assert sides[0] > 1.3 * sides[1]


def test_the_same_bytes_whatever_the_shards(tmp_path):
    scans, marks = bu4dfe(tmp_path)
    options = settings(
        scans, kind="bu4dfe", landmarks=str(marks), poses=[[0, 0, 0], [5, 40, -3.5]], background="clutter"
    )
    whole, parts = render(tmp_path / "a", options), render(tmp_path / "b", options, shards=3)
    assert whole == parts and len(whole) == 16
    listed = {row["file"]: row["sha256"] for k in range(3) for row in read_tsv(tmp_path / "b" / f"{k}.tsv")}
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    other = render(tmp_path / "a", options, seed=1)
    assert [name for name in whole if whole[name] != other[name]] == [
        name for name in whole if name.endswith("jpg")
    ]


def test_other_poses_leave_no_old_pictures(tmp_path):
    root = florence(tmp_path / "f")
    render(tmp_path, settings(root, poses=[[0, 0, 0], [0, 40, 0]]))
    (tmp_path / "images" / "subject_01" / "note.txt").write_text("a user's own")
    files = render(tmp_path, settings(root, poses=[[0, 40, 0]], skip=["subject_02"]), shards=2)
    assert sorted(files) == [
        "subject_01/frontal1_p+0_y+40_r+0.jpg",
        "subject_01/frontal1_p+0_y+40_r+0.npz",
        "subject_01/note.txt",
    ]
