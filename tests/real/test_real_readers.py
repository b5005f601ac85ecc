"""The readers on the shared real data: AFLW2000-3D with all its labels, and AFLW's crops."""

import zipfile

import numpy as np
import pytest

from pipeline.io.images import read_picture
from pipeline.registry import DATASETS

BEYOND_99 = (
    32, 88, 91, 139, 150, 179, 188, 260, 290, 339, 352, 392, 400, 450, 617, 734, 983, 1486, 1530, 1547, 1845, 1916,
    2000, 2958, 3123, 3162, 3173, 3174, 3273, 3286, 4157,
)  # fmt: skip
"""The 31 pictures that head-pose benchmarks leave out, by the number in their names (spec landmarks 6)."""


def test_aflw2000_has_the_labels_that_lie_beside_it(annotations, labels):
    again = np.stack([a.points["landmarks68_re"] for a in annotations])
    np.testing.assert_array_equal(again, labels["pts68_re"].transpose(0, 2, 1))
    aflw = np.stack([a.points["aflw21"] for a in annotations])
    hidden = (labels["pts21"] == -1).any(axis=1)
    assert hidden.sum() == 1755
    np.testing.assert_array_equal(np.isnan(aflw).all(axis=2), hidden)
    expected = labels["pts21"].transpose(0, 2, 1) - 1
    assert np.abs(aflw - expected)[~hidden].max() < 1e-4
    for name, key in (("fitted", "yaw_deg"), ("aflw", "yaw_aflw_abs_deg")):
        found = [a.yaws_deg[name] for a in annotations]
        np.testing.assert_allclose(found, labels[key], atol=1e-3)


def test_the_re_annotated_points_are_0_based_and_cut_to_whole_pixels(annotations):
    again = np.stack([a.points["landmarks68_re"] for a in annotations])
    assert (again == np.round(again)).all()
    frontal = np.abs([a.yaws_deg["fitted"] for a in annotations]) < 15
    offset = again[frontal] - np.stack([a.landmarks68[:, :2] for a in annotations])[frontal]
    assert np.abs(np.median(offset, axis=(0, 1)) + 0.5).max() < 0.2


def test_the_bins_of_both_yaw_lists(annotations):
    def bins(name):
        yaw = np.abs([a.yaws_deg[name] for a in annotations])
        return [int((yaw <= 30).sum()), int(((yaw > 30) & (yaw <= 60)).sum()), int((yaw > 60).sum())]

    assert bins("fitted") == [272, 76, 52]
    assert bins("aflw") != bins("fitted")


def test_the_pictures_beyond_99_degrees_are_those_of_the_published_list(data, labels):
    found = DATASETS["aflw2000_3d"]().beyond_largest_angle(data / "aflw2000-dev")
    published = {f"image{number:05d}" for number in BEYOND_99}
    assert len(published) == 31
    assert {name.split("/")[-1] for name in found} == published & {str(name) for name in labels["names"]}
    assert len(found) == 4


def test_the_300w_lp_sample_has_no_landmarks_folder_and_its_parameters(data):
    reader = DATASETS["face_300w_lp"]()
    annotation = reader.annotation(data / "300wlp-sample" / "IBUG_image_008_1_0.mat", 450)
    assert annotation.points == {}
    assert annotation.dense


@pytest.fixture(scope="module")
def crops(data, tmp_path_factory):
    root = tmp_path_factory.mktemp("aflw")
    (root / "labels.npz").symlink_to(data / "aflw-gt-crops" / "labels.npz")
    with zipfile.ZipFile(data / "aflw-gt-crops" / "crops120.zip") as archive:
        archive.extractall(root / "crops120")
    return root


def test_aflw_crops_with_their_21_points(data, crops):
    content = dict(np.load(data / "aflw-gt-crops" / "labels.npz"))
    reader = DATASETS["aflw"]()
    pictures = reader.pictures(crops)
    assert [p.id for p in pictures] == [str(name) for name in content["names"]]
    assert all((crops / p.path).is_file() for p in pictures)
    found = [reader.annotation(crops / p.annotations[0], 120) for p in pictures]
    points = np.stack([a.points["aflw21"] for a in found])
    np.testing.assert_array_equal(~np.isnan(points).any(axis=2), content["visible"])
    yaw = np.abs([a.yaw_deg for a in found])
    assert [(yaw <= 30).sum(), ((yaw > 30) & (yaw <= 60)).sum(), (yaw > 60).sum()] == [1595, 817, 588]
    peers = content["pts21_crop120"].transpose(0, 2, 1)
    width = (content["roi_box"][:, None, 2:] - content["roi_box"][:, None, :2]).astype(float)
    exact = (peers * width / 120 + 0.5) * 120 / (width + 1) - 0.5
    np.testing.assert_allclose(points, np.where(np.isnan(points), np.nan, exact), atol=1e-3)
    assert read_picture(crops / pictures[0].path).shape == (120, 120, 3)


def test_aflw_is_cut_by_photograph(crops):
    parts = {part: DATASETS["aflw"](subset=part).pictures(crops) for part in ("train", "test")}
    assert sum(len(part) for part in parts.values()) == 3000
    groups = {part: {p.group for p in pictures} for part, pictures in parts.items()}
    assert not groups["train"] & groups["test"]
