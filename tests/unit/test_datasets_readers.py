"""Readers: what a folder of pictures and .mat files says, and every way in which an annotation can be broken."""

import numpy as np
import pytest
import scipy.io

from pipeline.datasets.base import AnnotationProblem
from pipeline.datasets.face_300w_lp import photograph
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS

MAT = {
    "Pose_Para": np.array([[0.1, -0.4, 0.2, 210.0, 190.0, -60.0, 1e-3]], np.float32),
    "Shape_Para": np.arange(199.0)[:, None],
    "Exp_Para": np.arange(29.0)[:, None],
    "pt3d_68": np.arange(204, dtype=np.float32).reshape(3, 68),
}


def folder(root, names, mats=()):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    for name in mats:
        scipy.io.savemat(root / name, MAT)
    return root


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("IBUG_image_008_1_0", "IBUG_image_008"),
        ("AFW_134212_2_17", "AFW_134212"),
        ("HELEN_100040721_1_0", "HELEN_100040721"),
        ("LFPW_image_train_0001_0", "LFPW_image_train_0001"),
        ("SYN_00012_0", "SYN_00012"),
        ("image00002", "image00002"),
        ("holiday", "holiday"),
    ],
)
def test_the_photograph_behind_a_name(name, group):
    assert photograph(name) == group


def test_300w_lp_groups_profiling_steps_faces_and_flips(tmp_path):
    names = ["AFW/AFW_1_1_0.jpg", "AFW/AFW_1_1_5.jpg", "AFW_Flip/AFW_1_1_0.jpg", "AFW/AFW_2_1_0.jpg"]
    folder(tmp_path, names, ["AFW/AFW_1_1_0.mat", "AFW/AFW_2_1_0.mat", "AFW/AFW_2_1_0_f1.mat"])
    pictures = DATASETS["face_300w_lp"]().pictures(tmp_path)
    assert [p.id for p in pictures] == [
        "AFW/AFW_1_1_0",
        "AFW/AFW_1_1_5",
        "AFW/AFW_2_1_0",
        "AFW_Flip/AFW_1_1_0",
    ]
    assert [p.group for p in pictures] == ["AFW_1", "AFW_1", "AFW_2", "AFW_1"]
    assert [p.annotations for p in pictures] == [
        ("AFW/AFW_1_1_0.mat",),
        (),
        ("AFW/AFW_2_1_0.mat", "AFW/AFW_2_1_0_f1.mat"),
        (),
    ]
    assert {p.split for p in pictures} == {"train"}


def test_a_link_that_leads_nowhere_is_listed_and_a_folder_is_not(tmp_path):
    (folder(tmp_path, ["a.jpg"]) / "b.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "c.jpg").mkdir()
    assert [p.id for p in DATASETS["face_300w_lp"]().pictures(tmp_path)] == ["a", "b"]


def test_300w_lp_subsets_never_share_a_photograph(tmp_path):
    folder(tmp_path, [f"X_{photo:03d}_1_{step}.jpg" for photo in range(10) for step in range(3)])
    groups = {}
    for subset in ("train", "test"):
        pictures = DATASETS["face_300w_lp"](subset=subset).pictures(tmp_path)
        assert {p.split for p in pictures} == {subset}
        groups[subset] = {p.group for p in pictures}
    assert groups["test"] == {"X_004", "X_009"}
    assert not groups["test"] & groups["train"]


def test_aflw2000_subset_is_every_fifth_of_the_sorted_names(tmp_path):
    folder(tmp_path, [f"image{number:05d}.jpg" for number in range(20, 9, -1)])
    reader = DATASETS["aflw2000_3d"]
    test = reader(subset="test").pictures(tmp_path)
    assert [p.id for p in test] == ["image00014", "image00019"]
    assert len(reader(subset="train").pictures(tmp_path)) == 9
    whole = reader().pictures(tmp_path)
    assert len(whole) == 11
    assert {p.split for p in whole} == {"test"}
    assert whole[0].annotations == ("image00010.mat",)


def test_a_missing_or_empty_folder_is_named(tmp_path):
    reader = DATASETS["face_300w_lp"]()
    with pytest.raises(FacemillError, match=r"no data folder .*nowhere"):
        reader.pictures(tmp_path / "nowhere")
    with pytest.raises(FacemillError, match="expected pictures"):
        reader.pictures(tmp_path)


def test_a_mat_comes_back_in_the_image_frame(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", MAT)
    annotation = DATASETS["aflw2000_3d"]().annotation(tmp_path / "a.mat", 450)
    np.testing.assert_array_equal(annotation.pose.astype(np.float32), MAT["Pose_Para"][0])
    np.testing.assert_array_equal(annotation.shape, np.arange(199.0))
    np.testing.assert_array_equal(annotation.expression, np.arange(29.0))
    np.testing.assert_array_equal(annotation.landmarks68[3], [2, 70, 139])


BROKEN = {
    "missing key": ({"Exp_Para": None}, Reason.ANNOTATION_MISSING, "Exp_Para"),
    "wrong length": ({"Pose_Para": np.zeros((1, 6))}, Reason.ANNOTATION_MISSING, "expected 7"),
    "text": ({"Shape_Para": np.array(["a", "b"])}, Reason.ANNOTATION_MISSING, "no numbers"),
    "complex": (
        {"Pose_Para": np.full((1, 7), 1 + 1j)},
        Reason.ANNOTATION_IMPLAUSIBLE,
        "7 real numbers in Pose_Para, found complex",
    ),
    "nan": ({"Shape_Para": np.full((199, 1), np.nan)}, Reason.ANNOTATION_NOT_FINITE, "199 of Shape_Para"),
    "no scale": ({"Pose_Para": np.zeros((1, 7))}, Reason.ANNOTATION_NOT_FINITE, "not positive"),
}


@pytest.mark.parametrize("reader", ["face_300w_lp", "aflw2000_3d"])
@pytest.mark.parametrize("case", sorted(BROKEN))
def test_a_broken_mat_has_a_reason(tmp_path, reader, case):
    changed, reason, words = BROKEN[case]
    content = {key: value for key, value in {**MAT, **changed}.items() if value is not None}
    scipy.io.savemat(tmp_path / "a.mat", content)
    with pytest.raises(AnnotationProblem, match=words) as caught:
        DATASETS[reader]().annotation(tmp_path / "a.mat", 450)
    assert caught.value.reason is reason


@pytest.mark.parametrize("data", [None, b"", b"not a mat file at all", b"MATLAB 5.0 MAT-file" + bytes(200)])
def test_a_mat_that_is_missing_empty_or_foreign_has_a_reason(tmp_path, data):
    path = tmp_path / "a.mat"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(AnnotationProblem, match=r"a\.mat") as caught:
        DATASETS["face_300w_lp"]().annotation(path, 450)
    assert caught.value.reason is Reason.ANNOTATION_MISSING
