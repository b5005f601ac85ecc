"""Boxes that somebody has found: from a table or beside the pictures, through the stage to landmarks with depth."""

import cv2
import numpy as np
import pytest
import torch

from pipeline.config import DetectionSettings
from pipeline.detect import given
from pipeline.detect.base import Sight
from pipeline.detect.boxed import BoxedDetector
from pipeline.io import hdf5
from pipeline.io.tables import read_status, write_tsv
from pipeline.models.fan import FAN
from pipeline.models.fan_depth import DepthNetwork
from pipeline.records import DETECTIONS, SOURCE_COLUMNS, FacemillError, Reason
from pipeline.stages import detect

TABLE = ("path", "x1", "y1", "x2", "y2", "score")


def detector(boxes=None, **changed):
    values = {"detector": "boxes", "peak": 0.0, "device": "cpu", "boxes": boxes and str(boxes)}
    return given.GivenBoxes(DetectionSettings(**{**values, **changed}))


def sight(root, path):
    return Sight(np.full((120, 140, 3), 90, np.uint8), path=path, root=root)


def test_a_table_gives_each_picture_its_rows_best_first(tmp_path):
    rows = [("a/p.jpg", 1, 2, 60.5, 70, 0.3), ("a/p.jpg", 5, 6, 50, 60, 0.9), ("q.jpg", 0, 0, 9, 9, 1)]
    write_tsv(tmp_path / "b.tsv", TABLE, rows)
    found = detector(tmp_path / "b.tsv").find_boxes([sight(tmp_path, "a/p.jpg"), sight(tmp_path, "r.jpg")])
    np.testing.assert_array_equal(found[0][0], [[5, 6, 50, 60], [1, 2, 60.5, 70]])
    np.testing.assert_array_equal(found[0][1], [0.9, 0.3])
    assert found[1] == "no row for r.jpg in b.tsv"


def test_a_table_without_scores_gives_ones(tmp_path):
    write_tsv(tmp_path / "b.tsv", TABLE[:5], [("p.jpg", 1, 2, 60, 70)])
    write_tsv(tmp_path / "c.tsv", TABLE, [("p.jpg", 1, 2, 60, 70, ""), ("p.jpg", 1, 2, 60, 70, 0.5)])
    scores = [detector(tmp_path / f).find_boxes([sight(tmp_path, "p.jpg")])[0][1] for f in ("b.tsv", "c.tsv")]
    assert [s.tolist() for s in scores] == [[1.0], [1.0, 0.5]]


@pytest.mark.parametrize("cell", ["six", "nan", "inf", ""])
def test_a_row_that_is_no_box_is_named(tmp_path, cell):
    write_tsv(tmp_path / "b.tsv", TABLE, [("p.jpg", 1, 2, 60, cell, 1)])
    with pytest.raises(
        FacemillError, match=r"b\.tsv, p\.jpg: expected x1 y1 x2 y2 and perhaps a score, found '1"
    ):
        detector(tmp_path / "b.tsv")


def test_a_table_that_is_missing_or_has_other_columns_is_named(tmp_path):
    with pytest.raises(FacemillError, match=r"no file .*b\.tsv"):
        detector(tmp_path / "b.tsv")
    write_tsv(tmp_path / "b.tsv", ("path", "x", "y"), [])
    with pytest.raises(FacemillError, match="missing: x1, y1, x2, y2"):
        detector(tmp_path / "b.tsv")


def test_boxes_beside_the_pictures(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "p.txt").write_text("1 2 60 70 0.4\n\n3,4,50,60,0.8\n")
    np.save(tmp_path / "q.npy", np.float32([[1, 2, 60, 70]]))
    np.save(tmp_path / "r.npy", np.float32([1, 2, 60, 70, 0.2]))
    found = detector().find_boxes([sight(tmp_path, name) for name in ("a/p.jpg", "q.png", "r.png")])
    np.testing.assert_array_equal(found[0][0], [[3, 4, 50, 60], [1, 2, 60, 70]])
    assert [scores.tolist() for _, scores in found] == [[0.8, 0.4], [1.0], [pytest.approx(0.2)]]


def test_what_is_wrong_beside_a_picture_is_said_in_words(tmp_path):
    (tmp_path / "a.txt").write_text("1 2 60\n")
    (tmp_path / "b.txt").write_text("\n")
    (tmp_path / "c.npy").write_bytes(b"no array")
    np.save(tmp_path / "d.npy", np.zeros((2, 2, 4)))
    np.save(tmp_path / "e.npy", np.zeros((0, 4)))
    np.save(tmp_path / "f.npy", np.array([{"x": 1}], object), allow_pickle=True)
    found = detector().find_boxes([sight(tmp_path, f"{name}.jpg") for name in "abcdefg"])
    assert found[0] == "a.txt: expected x1 y1 x2 y2 and perhaps a score, found '1 2 60'"
    assert found[1] == "b.txt holds no box" and found[4] == "e.npy holds no box"
    assert found[2].startswith("c.npy: ") and "(2, 2, 4)" in found[3] and found[5].startswith("f.npy: ")
    assert found[6] == "no boxes beside the picture: expected g.txt or g.npy"


def test_a_box_that_can_hold_no_face_has_a_reason_and_no_landmarks(tmp_path):
    rows = [(10, 10, 90, 100), (60, 50, 20, 90), (-50, -50, -10, -10), (-900, -900, 900, 900)]
    write_tsv(tmp_path / "b.tsv", TABLE[:5], [("p.jpg", *row) for row in rows])
    faces = detector(tmp_path / "b.tsv").detect([sight(tmp_path, "p.jpg")])[0]
    assert [np.isnan(face.landmarks).all() for face in faces] == [False, True, True, True]
    assert all(face.reason is Reason.IMPLAUSIBLE for face in faces[1:])
    words = [face.detail for face in faces[1:]]
    assert "with an area" in words[0] and "outside" in words[1] and "times as long" in words[2]


def test_every_given_box_has_its_row_and_a_found_one_only_once(tmp_path):
    """Two boxes on one face: a detector's second is dropped, a person's is kept."""
    write_tsv(tmp_path / "b.tsv", TABLE[:5], [("p.jpg", 10, 10, 90, 100), ("p.jpg", 11, 10, 91, 100)])
    theirs = detector(tmp_path / "b.tsv")
    assert len(theirs.detect([sight(tmp_path, "p.jpg")])[0]) == 2

    class Found(given.GivenBoxes):
        repeats = BoxedDetector.repeats

    assert len(Found(theirs.settings).detect([sight(tmp_path, "p.jpg")])[0]) == 1


@pytest.fixture
def networks(tmp_path):
    """A small FAN and a small depth network in the published formats, of random weights."""
    torch.manual_seed(0)
    fan, depth = FAN(2, 32), DepthNetwork((1, 1, 1, 1), 8)
    with torch.no_grad():
        fan(torch.rand(2, 3, 128, 128))
        depth(torch.rand(2, 71, 256, 256))
    torch.save(fan.state_dict(), tmp_path / "fan.pth.tar")
    state = {f"module.{k}": v for k, v in depth.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3, "arch": "resnet"}, tmp_path / "depth.pth.tar")
    return {"fan_weights": str(tmp_path / "fan.pth.tar"), "depth_weights": str(tmp_path / "depth.pth.tar")}


def test_the_stage_stores_depth_and_says_why_a_picture_has_no_face(tmp_path, networks, monkeypatch):
    monkeypatch.setattr("pipeline.detect.plausible.BOX_OVERLAP", 0.0)
    (tmp_path / "images" / "deep").mkdir(parents=True)
    rows = []
    for name in ("p", "q"):
        noise = np.random.default_rng(0).integers(0, 256, (120, 140, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "images" / "deep" / f"{name}.png"), noise)
        rows.append([name, f"deep/{name}.png", "train", name, "a.mat", "", "", ""])
    write_tsv(tmp_path / "source.tsv", SOURCE_COLUMNS, rows)
    boxes = [("deep/p.png", 20, 15, 100, 90), ("deep/p.png", 30, 30, 30, 80)]
    write_tsv(tmp_path / "boxes.tsv", TABLE[:5], boxes)
    files = {}
    for kind in ("2.5d", "3d"):
        files[kind] = {"detections": str(tmp_path / f"{kind}.h5"), "status": str(tmp_path / f"{kind}.tsv")}
        own = {"detector": "boxes", "boxes": str(tmp_path / "boxes.tsv"), "peak": 0.0, "landmarks": kind}
        detect.run(
            inputs={"source": str(tmp_path / "source.tsv")},
            outputs=files[kind],
            settings={"root": str(tmp_path / "images"), "shards": 1, "detection": {**own, **networks}},
            wildcards={"shard": "0"},
            attributes={},
        )
    status = read_status(files["3d"]["status"])
    assert [(row.face, row.reason) for row in status] == [
        ("p#0", None),
        ("p#1", Reason.IMPLAUSIBLE),
        ("q", Reason.NO_FACE),
    ]
    assert status[2].detail == "no row for deep/q.png in boxes.tsv"
    depths = {}
    for kind, paths in files.items():
        with hdf5.open_checked(paths["detections"], DETECTIONS) as file:
            depths[kind] = file["landmark_depth"][:]
            assert np.isfinite(file["landmarks68"][:]).all()
            assert np.isnan(file["rejected/landmark_depth"][:]).all()
    assert depths["3d"].shape == (1, 68) and np.isfinite(depths["3d"]).all() and depths["3d"].std() > 0
    assert np.isnan(depths["2.5d"]).all()
