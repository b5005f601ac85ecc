"""The detect stage: every picture of the shard gets its rows, and no annotation reaches a detector that needs none."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from pipeline.detect.annotation import AnnotationDetector
from pipeline.detect.base import Face, Sight
from pipeline.detect.faceboxes import FaceBoxesDetector
from pipeline.io import hdf5
from pipeline.io.tables import read_status, write_tsv
from pipeline.records import DETECTIONS, SOURCE_COLUMNS, FacemillError, Reason
from pipeline.registry import DETECTORS
from pipeline.seeding import shard_of
from pipeline.stages import detect

POINTS = np.random.default_rng(0).uniform(10, 50, (68, 2)).astype(np.float32)


class Counting:
    """A detector that finds as many faces as the picture's red channel says; every third is implausible."""

    uses_annotations = False
    uses_paths = False
    seen: list[Sight] = []  # noqa: RUF012

    def __init__(self, settings, annotate=None):
        assert annotate is None

    def detect(self, sights):
        Counting.seen += sights
        return [[self.face(k) for k in range(int(sight.image[0, 0, 0]))] for sight in sights]

    def face(self, k):
        reason = Reason.IMPLAUSIBLE if k % 3 == 2 else None
        value = None if reason is None else 0.07
        return Face(np.array([10, 10, 50, 50]), 0.9 - 0.1 * k, POINTS + k, np.ones(68), reason, value, "odd")


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Five pictures with 0, 1, 2, 3 and 1 faces, and one that is no picture."""
    Counting.seen = []
    monkeypatch.setattr(detect, "DETECTORS", {"counting": Counting})
    rows = []
    for k, count in enumerate([0, 1, 2, 3, 1, None]):
        path = tmp_path / "images" / f"p{k}.png"
        path.parent.mkdir(exist_ok=True)
        if count is None:
            path.write_text("this is text")
        else:
            cv2.imwrite(str(path), np.full((60, 60, 3), count, np.uint8))
        rows.append([f"p{k}", path.name, "train", f"p{k}", "a.mat;b.mat", "", "", ""])
    write_tsv(tmp_path / "source.tsv", SOURCE_COLUMNS, rows)
    return tmp_path


def run(world: Path, shard=0, shards=1, **detection):
    outputs = {"detections": str(world / f"{shard}.h5"), "status": str(world / f"{shard}.status.tsv")}
    detect.run(
        inputs={"source": str(world / "source.tsv")},
        outputs=outputs,
        settings={"root": str(world / "images"), "shards": shards, "detection": detection},
        wildcards={"shard": str(shard)},
        attributes={"command": "test"},
    )
    return outputs


def test_every_picture_has_its_rows(world):
    outputs = run(world, detector="counting", batch=2)
    rows = read_status(outputs["status"])
    assert [row.face for row in rows] == ["p0", "p1#0", "p2#0", "p2#1", "p3#0", "p3#1", "p3#2", "p4#0", "p5"]
    reasons = {row.face: row.reason for row in rows if row.reason}
    assert reasons == {"p0": Reason.NO_FACE, "p3#2": Reason.IMPLAUSIBLE, "p5": Reason.UNREADABLE}
    unreadable = rows[-1]
    assert str(world) not in unreadable.detail and "p5.png" in unreadable.detail
    assert next(row for row in rows if row.face == "p3#2").value == pytest.approx(0.07)


def test_only_faces_that_go_on_are_in_the_file_and_the_others_beside_them(world):
    outputs = run(world, detector="counting")
    with hdf5.open_checked(outputs["detections"], DETECTIONS) as file:
        assert hdf5.texts(file["face"]) == ["p1#0", "p2#0", "p2#1", "p3#0", "p3#1", "p4#0"]
        np.testing.assert_array_equal(file["landmarks68"][2], POINTS + 1)
        assert hdf5.texts(file["rejected/face"]) == ["p3#2"]
        np.testing.assert_array_equal(file["rejected/landmarks68"][0], POINTS + 2)


def test_no_annotation_is_handed_over(world):
    run(world, detector="counting")
    assert len(Counting.seen) == 5 and all(sight.annotations == () for sight in Counting.seen)


def test_shards_share_the_pictures_by_their_ids(world):
    faces = []
    for shard in (0, 1):
        rows = read_status(run(world, shard, 2, detector="counting")["status"])
        assert {shard_of(row.picture, 2) for row in rows} == {shard}
        faces += [row.face for row in rows]
    assert sorted(faces) == ["p0", "p1#0", "p2#0", "p2#1", "p3#0", "p3#1", "p3#2", "p4#0", "p5"]


def test_two_runs_are_equal_to_the_byte(world):
    first = Path(run(world, detector="counting")["detections"]).read_bytes()
    assert Path(run(world, detector="counting")["detections"]).read_bytes() == first


def test_whole_takes_the_picture_as_it_is(world, monkeypatch):
    monkeypatch.setattr(detect, "DETECTORS", DETECTORS)
    outputs = run(world, detector="whole")
    with hdf5.open_checked(outputs["detections"], DETECTIONS) as file:
        assert len(file["face"]) == 5
        np.testing.assert_array_equal(file["box"][0], [-0.5, -0.5, 59.5, 59.5])
        assert np.isnan(file["landmarks68"][0]).all()


def test_annotation_gives_the_data_sets_own_landmarks_or_the_reason(tmp_path, monkeypatch):
    image = np.full((60, 60, 3), 1, np.uint8)
    good = np.zeros((3, 68))
    good[:2] = POINTS.T + 1
    common = {
        "Pose_Para": [[0, 0, 0, 30, 30, 0, 1e-3]],
        "Shape_Para": np.zeros((199, 1)),
        "Exp_Para": np.zeros((29, 1)),
    }
    scipy.io.savemat(tmp_path / "image00001.mat", {**common, "pt3d_68": good})
    scipy.io.savemat(tmp_path / "image00002.mat", {**common, "pt3d_68": good * np.nan})
    rows = []
    for k, mats in enumerate(["image00001.mat", "image00002.mat", "image00003.mat", ""], start=1):
        cv2.imwrite(str(tmp_path / f"image{k:05d}.png"), image)
        rows.append([f"image{k:05d}", f"image{k:05d}.png", "test", "g", mats, "", "", ""])
    write_tsv(tmp_path / "source.tsv", SOURCE_COLUMNS, rows)
    outputs = {"detections": str(tmp_path / "0.h5"), "status": str(tmp_path / "0.status.tsv")}
    detect.run(
        inputs={"source": str(tmp_path / "source.tsv")},
        outputs=outputs,
        settings={
            "root": str(tmp_path),
            "shards": 1,
            "reader": "aflw2000_3d",
            "face_model": {"id": "none", "path": None},
            "detection": {"detector": "annotation"},
        },
        wildcards={"shard": "0"},
        attributes={},
    )
    reasons = [row.reason for row in read_status(outputs["status"])]
    assert reasons == [
        None,
        Reason.ANNOTATION_NOT_FINITE,
        Reason.ANNOTATION_MISSING,
        Reason.ANNOTATION_MISSING,
    ]
    with hdf5.open_checked(outputs["detections"], DETECTIONS) as file:
        np.testing.assert_allclose(file["landmarks68"][0], POINTS, atol=1e-4)


def test_detectors_are_there_by_name():
    assert {"faceboxes", "annotation", "whole"} <= set(DETECTORS)
    assert DETECTORS["faceboxes"] is FaceBoxesDetector
    assert AnnotationDetector.uses_annotations and not FaceBoxesDetector.uses_annotations
    with pytest.raises(FacemillError, match="Did you mean 'faceboxes'"):
        DETECTORS["facebox"]


def test_large_pictures_are_taken_in_smaller_groups(world, monkeypatch):
    """The rows are the same; no more than the limit and one picture are held at once."""
    groups = []

    class Grouping(Counting):
        def detect(self, sights):
            groups.append(len(sights))
            return super().detect(sights)

    before = Path(run(world, detector="counting")["status"]).read_bytes()
    monkeypatch.setattr(detect, "DETECTORS", {"counting": Grouping})
    monkeypatch.setattr(detect, "PIXELS_AT_ONCE", 60 * 60)
    after = Path(run(world, detector="counting")["status"]).read_bytes()
    assert groups == [2, 2, 1]
    assert before == after
