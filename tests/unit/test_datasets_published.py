"""300W-LP with its landmarks, 300W-3D, and AFLW2000-3D with the labels that lie beside it, on small fake trees."""

import numpy as np
import pytest
from reader_trees import mat, picture

from pipeline.datasets.base import AnnotationProblem
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

POINTS = np.arange(136.0).reshape(68, 2) + 10


def test_300w_lp_has_the_points_of_its_landmarks_folder_where_they_are(tmp_path):
    for folder in ("AFW", "AFW_Flip"):
        picture(tmp_path / folder / "AFW_1_1_0.jpg")
        mat(tmp_path / folder / "AFW_1_1_0.mat")
    mat(tmp_path / "landmarks/AFW/AFW_1_1_0_pts.mat", pts_2d=POINTS, pts_3d=POINTS + 0.25)
    reader = DATASETS["face_300w_lp"]()
    original, flipped = reader.pictures(tmp_path)
    assert original.group == flipped.group == "AFW_1"
    found = reader.annotation(tmp_path / original.annotations[0], 450)
    assert sorted(found.points) == ["pts_2d", "pts_3d"]
    np.testing.assert_array_equal(found.points["pts_2d"], POINTS - 1)
    np.testing.assert_array_equal(found.points["pts_3d"], POINTS - 0.75)
    assert found.dense
    assert found.landmarks68 is None
    assert reader.annotation(tmp_path / flipped.annotations[0], 450).points == {}


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ({"pts_2d": POINTS}, "no pts_3d"),
        ({"pts_2d": POINTS.T, "pts_3d": POINTS}, r"expected pts_2d of shape \(68, 2\), found \(2, 68\)"),
        ({"pts_2d": POINTS[:67], "pts_3d": POINTS}, "expected 136 numbers in pts_2d, found 134"),
    ],
)
def test_a_broken_landmarks_file_of_300w_lp_has_a_reason(tmp_path, points, words):
    mat(tmp_path / "AFW/a.mat")
    mat(tmp_path / "landmarks/AFW/a_pts.mat", **points)
    with pytest.raises(AnnotationProblem, match=words) as caught:
        DATASETS["face_300w_lp"]().annotation(tmp_path / "AFW/a.mat", 450)
    assert caught.value.reason is Reason.ANNOTATION_MISSING


def test_300w_3d_calls_a_photograph_as_300w_lp_does(tmp_path):
    names = {
        "AFW/134212_1": "AFW_134212",
        "AFW/134212_2": "AFW_134212",
        "HELEN/100040721_1": "HELEN_100040721",
        "IBUG/image_008_1": "IBUG_image_008",
        "LFPW/image_train_0001": "LFPW_image_train_0001",
    }
    lp = ["AFW_134212_2_17", "HELEN_100040721_1_0", "IBUG_image_008_1_0", "LFPW_image_train_0001_0"]
    for name in names:
        picture(tmp_path / f"3d/{name}.jpg")
        mat(tmp_path / f"3d/{name}.mat", yaw=20)
    for name in lp:
        picture(tmp_path / f"lp/{name.split('_')[0]}/{name}.jpg")
    reader = DATASETS["face_300w_3d"]()
    pictures = reader.pictures(tmp_path / "3d")
    assert {p.id: p.group for p in pictures} == names
    assert {p.licence for p in pictures} == {reader.licence}
    assert {p.group for p in DATASETS["face_300w_lp"]().pictures(tmp_path / "lp")} == set(names.values())
    annotation = reader.annotation(tmp_path / "3d" / pictures[0].annotations[0], 600)
    assert np.degrees(annotation.pose[1]) == pytest.approx(20)
    assert annotation.dense
    test = {p.group for p in DATASETS["face_300w_3d"](subset="test", every=2).pictures(tmp_path / "3d")}
    train = {p.group for p in DATASETS["face_300w_3d"](subset="train", every=2).pictures(tmp_path / "3d")}
    assert test == {"HELEN_100040721", "LFPW_image_train_0001"}
    assert not test & train


YAWS = [-70.0, 10.0, 40.0, -5.0]
AGAIN = np.arange(4 * 136.0).reshape(4, 2, 68)


def aflw2000(root):
    """Four pictures; the third point of the second is hidden as AFLW2000-3D hides it."""
    names = [f"image{k:05d}" for k in (2, 4, 6, 8)]
    for k, name in enumerate(names):
        points = np.full((2, 21), 100.0 + k)
        points[:, 2] = (-1, 452)
        picture(root / f"{name}.jpg", side=450, seed=k)
        more = {"pt3d_68": np.ones((3, 68)), "pt2d": points}
        mat(root / f"{name}.mat", yaw=YAWS[k], **more)
    return names


def published(folder, rows=slice(None)):
    folder.mkdir(exist_ok=True)
    np.save(folder / "AFLW2000-3D-Reannotated.pts68.npy", AGAIN[rows].astype(np.float32))
    np.save(folder / "AFLW2000-3D.pose.npy", np.array(YAWS)[rows])
    np.save(folder / "AFLW2000-3D-new.pose.npy", np.array([-71.0, 12.0, 42.0, -6.0])[rows])


def archive(folder, names):
    np.savez(
        folder / "labels.npz",
        names=np.array(names),
        pts68_re=AGAIN,
        yaw_deg=np.array(YAWS),
        yaw_aflw_abs_deg=np.abs([-71.0, 12.0, 42.0, -6.0]),
    )


@pytest.mark.parametrize("layout", ["beside", "above", "test.configs", "archive"])
def test_aflw2000_finds_its_labels_beside_it(tmp_path, layout):
    root = tmp_path / "AFLW2000"
    names = aflw2000(root)
    if layout == "archive":
        archive(tmp_path, names)
    else:
        published({"beside": root, "above": tmp_path, "test.configs": tmp_path / "test.configs"}[layout])
    reader = DATASETS["aflw2000_3d"]()
    for k, one in enumerate(reader.pictures(root)):
        found = reader.annotation(root / one.annotations[0], 450)
        assert sorted(found.points) == ["aflw21", "landmarks68_re"]
        np.testing.assert_array_equal(found.points["landmarks68_re"], AGAIN[k].T)
        np.testing.assert_array_equal(found.points["aflw21"][[0, 20]], np.full((2, 2), 99.0 + k))
        assert np.isnan(found.points["aflw21"][2]).all()
        assert found.yaws_deg == pytest.approx({"fitted": YAWS[k], "aflw": abs([-71, 12, 42, -6][k])})
        assert found.yaw_deg is None
        np.testing.assert_array_equal(found.landmarks68[0], [0, 0, 1])


def test_aflw2000_without_labels_has_its_own_points_and_the_yaw_of_its_pose(tmp_path):
    names = aflw2000(tmp_path)
    np.savez(tmp_path / "labels.npz", pts21_450=np.zeros(3))
    found = DATASETS["aflw2000_3d"]().annotation(tmp_path / f"{names[0]}.mat", 450)
    assert sorted(found.points) == ["aflw21"]
    assert found.yaws_deg == pytest.approx({"fitted": -70})


def test_a_list_says_which_pictures_the_rows_of_aflw2000_are(tmp_path):
    names = aflw2000(tmp_path)
    (tmp_path / f"{names[3]}.mat").unlink()
    published(tmp_path / "test.configs", rows=[2, 1, 0])
    with pytest.raises(FacemillError, match=r"differ from the .mat files by .*AFLW2000-3D_crop.list"):
        DATASETS["aflw2000_3d"]().annotation(tmp_path / f"{names[0]}.mat", 450)
    (tmp_path / "test.data").mkdir()
    (tmp_path / "test.data/AFLW2000-3D_crop.list").write_text("\n".join(f"{names[k]}.jpg" for k in (2, 1, 0)))
    found = DATASETS["aflw2000_3d"]().annotation(tmp_path / f"{names[0]}.mat", 450)
    np.testing.assert_array_equal(found.points["landmarks68_re"], AGAIN[0].T)


def test_labels_of_aflw2000_that_cannot_belong_to_it_are_refused(tmp_path):
    names = aflw2000(tmp_path / "few")
    published(tmp_path / "few", rows=slice(3))
    with pytest.raises(FacemillError, match=r"expected a .mat for each of the 3 rows .* found 4"):
        DATASETS["aflw2000_3d"]().annotation(tmp_path / f"few/{names[0]}.mat", 450)
    names = aflw2000(tmp_path / "shape")
    published(tmp_path / "shape")
    np.save(tmp_path / "shape/AFLW2000-3D-Reannotated.pts68.npy", np.zeros((4, 68, 2)))
    with pytest.raises(FacemillError, match=r"Reannotated.* expected numbers of shape \(4, 2, 68\)"):
        DATASETS["aflw2000_3d"]().annotation(tmp_path / f"shape/{names[0]}.mat", 450)
    names = aflw2000(tmp_path / "keys")
    np.savez(tmp_path / "keys/labels.npz", names=np.array(names), pts68_re=AGAIN)
    with pytest.raises(FacemillError, match=r"labels.npz: expected .*yaw_deg"):
        DATASETS["aflw2000_3d"]().annotation(tmp_path / f"keys/{names[0]}.mat", 450)


def test_pictures_beyond_99_degrees_are_those_of_the_rule(tmp_path):
    for k, yaw in enumerate((98.9, -99.1, 0.0, 120.0)):
        picture(tmp_path / f"image{k:05d}.jpg")
        mat(tmp_path / f"image{k:05d}.mat", yaw=yaw, pt3d_68=np.ones((3, 68)))
    picture(tmp_path / "image00009.jpg")
    assert DATASETS["aflw2000_3d"]().beyond_largest_angle(tmp_path) == ["image00001", "image00003"]
