"""What networks see of faces whose detector has no networks of its own."""

import numpy as np
import pytest

from pipeline import checks
from pipeline.config import DetectionSettings
from pipeline.detect import second_look
from pipeline.detect.base import Face, Sight, no_landmarks
from pipeline.geometry.boxes import landmark_box
from pipeline.io.tables import read_status, write_tsv
from pipeline.jobs.weights import weights_of
from pipeline.records import SOURCE_COLUMNS, Reason
from pipeline.settings import load
from pipeline.stages import detect

TRUE = np.random.default_rng(0).uniform(40, 80, (68, 2)).astype(np.float32)
SIGHT = Sight(np.zeros((120, 120, 3), np.uint8))
WHOLE = np.array([-0.5, -0.5, 119.5, 119.5], np.float32)


class Given:
    """A detector with one list of faces for each picture."""

    uses_annotations, uses_paths = True, False

    def __init__(self, *faces):
        self.faces = faces

    def detect(self, sights):
        return [list(faces) if not isinstance(faces, str) else faces for faces in self.faces]


@pytest.fixture
def looked(monkeypatch):
    """The boxes in which FAN looked, call by call; it finds 68 points spread over each box's inner half."""
    calls = []

    def find(self, pictures, boxes):
        calls.append(np.array(boxes, np.float64).reshape(-1, 4))
        spread = np.linspace(0.25, 0.75, 68)[:, None] * [1.0, 1.0]
        points = [box[:2] + spread * (box[2:] - box[:2]) for box in calls[-1]]
        return np.array(points, np.float32).reshape(-1, 68, 2), None, None

    monkeypatch.setattr(second_look.LandmarkFinder, "find", find)
    return calls


def look(*faces):
    settings = DetectionSettings(detector="annotation", points="fan", device="cpu")
    return second_look.SecondLook(Given(*faces), settings).detect([SIGHT] * len(faces))


def test_fan_looks_in_the_faces_box_and_again_in_what_it_found(looked):
    face = Face(landmark_box(TRUE), 1.0, TRUE, np.ones(68))
    ((found,),) = look([face])
    np.testing.assert_allclose(looked[0][0], face.box)
    np.testing.assert_allclose(
        looked[1][0, 2:] - looked[1][0, :2], (face.box[2:] - face.box[:2]) / 2, rtol=1e-5
    )
    assert found.landmarks is TRUE and found.seen.shape == (68, 2)
    assert np.ptp(found.seen, axis=0) == pytest.approx((face.box[2:] - face.box[:2]) / 4, rel=1e-4)


def test_a_picture_that_is_the_crop_is_looked_at_in_its_middle(looked):
    look([Face(WHOLE, 1.0, *no_landmarks())])
    side = 120 / np.sqrt(2)
    np.testing.assert_allclose(looked[0][0], [59.5 - side / 2] * 2 + [59.5 + side / 2] * 2, rtol=1e-6)


def test_faces_with_a_reason_and_pictures_without_a_face_stay_as_they_are(looked):
    refused = Face(WHOLE, 0.0, *no_landmarks(), Reason.ANNOTATION_MISSING)
    found = look([], "no row", [refused, Face(landmark_box(TRUE), 1.0, TRUE, np.ones(68))])
    assert found[0] == [] and found[1] == "no row" and found[2][0] is refused and len(looked[0]) == 1


def test_a_face_whose_landmarks_span_no_box_is_left_to_the_crop_and_stops_nobody(looked):
    good = Face(landmark_box(TRUE), 1.0, TRUE, np.ones(68))
    points = np.full((68, 2), 50, np.float32)
    part = np.where(np.arange(68)[:, None] == 3, np.nan, TRUE).astype(np.float32)
    bad = [Face(landmark_box(each), 1.0, each, np.ones(68)) for each in (points, part)]
    (found,) = look([bad[0], good, bad[1]])
    assert [bool(np.isfinite(face.seen).all()) for face in found] == [False, True, False]
    assert all(np.isnan(found[k].seen).all() for k in (0, 2)) and len(looked[0]) == len(looked[1]) == 1


def test_the_shipped_fan_finds_nothing_worse_than_numbers():
    settings = DetectionSettings(detector="whole", points="fan", device="cpu")
    ((found,),) = second_look.SecondLook(Given([Face(WHOLE, 1.0, *no_landmarks())]), settings).detect([SIGHT])
    assert np.isfinite(found.seen).all() and np.isnan(found.landmarks).all()


def test_the_job_waits_for_fans_weights_only_where_it_looks():
    assert weights_of(DetectionSettings(detector="whole")) == {}
    files = weights_of(DetectionSettings(detector="whole", points="fan", fan_weights="a.safetensors"))
    assert files == {"fan_weights": ["a.safetensors"]}


@pytest.mark.parametrize(("detector", "shown"), [("annotation", "the truth"), ("whole", "nothing")])
def test_a_network_that_sees_landmarks_gets_neither_the_truth_nor_nothing(detector, shown):
    def said(config):
        return [line for line in checks.problems(config, ["default"]) if line.startswith("detection.points")]

    config = load()
    config.datasets["synth_test"].detection.update(detector=detector)
    (line,) = said(config)
    assert f"for synth_test, of whose faces the detector {detector} shows {shown} to 2dasl, fan_lift" in line
    config.datasets["synth_test"].detection.update(points="fan")
    assert said(config) == []
    config.datasets["synth_test"].detection.update(points="own")
    for name in ("2dasl", "fan_lift"):
        del config.models[name]
    assert said(config) == []


def test_a_detector_with_fans_own_landmarks_does_not_look_again(tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "SecondLook", lambda *_: pytest.fail("looked again"))
    write_tsv(tmp_path / "source.tsv", SOURCE_COLUMNS, [])
    outputs = {"detections": str(tmp_path / "d.h5"), "status": str(tmp_path / "d.tsv")}
    detect.run(
        inputs={"source": str(tmp_path / "source.tsv")},
        outputs=outputs,
        settings={
            "root": str(tmp_path),
            "shards": 1,
            "detection": {"detector": "faceboxes", "points": "fan"},
        },
        wildcards={"shard": "0"},
        attributes={},
    )
    assert read_status(outputs["status"]) == []
