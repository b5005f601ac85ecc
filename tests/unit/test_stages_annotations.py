"""An annotation that cannot be true is a ledger row that names the file, what was expected and what was found."""

from dataclasses import replace

import numpy as np
import pytest
from stage_world import POSE, SIDE, DomeTarget, build, model, pose_at, save_mat

from pipeline.datasets.base import AnnotationProblem, FaceAnnotation
from pipeline.datasets.matching import Cropped
from pipeline.datasets.plausible import checked
from pipeline.geometry.frames import CropTransform
from pipeline.records import FacemillError, Reason
from pipeline.stages import detect, ground_truth

ONE, NONE = np.eye(199, 1), np.zeros(29)
BEYOND = np.zeros((199, 1))
BEYOND[7] = 3.5


def annotation(pose=POSE, shape=NONE, **more) -> FaceAnnotation:
    return FaceAnnotation(np.asarray(pose, float), np.ravel(shape), NONE, SIDE, **more)


def moved(x: float) -> np.ndarray:
    """The ordinary pose, `x` px to the right."""
    return POSE + np.array([0, 0, 0, x, 0, 0, 0])


def test_each_is_a_row_of_its_own_and_the_other_faces_go_on(tmp_path, monkeypatch):
    world = build(tmp_path, monkeypatch)
    data = tmp_path / "data"
    save_mat(data / "P_001_0.mat", POSE, Shape_Para=BEYOND)
    save_mat(data / "P_007_0.mat", POSE.astype(complex) + 1j)
    save_mat(data / "P_010_0.mat", POSE, Shape_Para=22 * ONE)
    save_mat(data / "P_011_1.mat", moved(1e38))
    kept, reaped = world.all()
    assert [row["face"] for row in kept] == ["P_005_0#0", "P_011_0#0"]
    found = {row["face"]: (row["code"], row["detail"]) for row in reaped}
    assert found["P_001_0#0"] == (
        "annotation_beyond_model",
        "P_001_0.mat: expected zeros beyond the 1 shape modes of the face model dome, "
        "found 3.5 as coefficient 7 of 199",
    )
    code, detail = found["P_007_0#0"]
    assert code == "annotation_implausible" and "7 real numbers in Pose_Para, found complex" in detail
    code, detail = found["P_010_0#0"]
    assert (
        code == "annotation_implausible" and "P_010_0.mat: expected shape" in detail and "found 22" in detail
    )
    code, detail = found["P_011_1#0"]
    assert code == "annotation_implausible" and "P_011_1.mat: expected landmarks within" in detail
    assert "1e+38 px" in detail


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (annotation(POSE * [1, 1, 1, 1, 1, 1, 1e-5]), "at least 1 px"),
        (annotation(moved(1e300)), r"1e\+300 px"),
        (annotation(POSE * [1, 1, 1, 1, 1, 1, 1e307]), "found one at (inf|nan) px"),
        (annotation(landmarks68=np.full((68, 3), -1e7)), r"found one at 1e\+07 px"),
        (annotation(shape=[-20.5]), "found -20.5 as coefficient 0"),
    ],
)
def test_what_is_refused(given, words):
    with pytest.raises(AnnotationProblem, match=rf"^a\.mat: expected .*{words}") as caught:
        checked(given, model(), "a.mat")
    assert caught.value.reason is Reason.ANNOTATION_IMPLAUSIBLE


def test_what_is_not_refused():
    face = model()
    for given in (annotation(), annotation(shape=[19.5]), annotation(shape=ONE)):
        assert checked(given, face, "a.mat") is given
    checked(annotation(shape=BEYOND), replace(face, truncated=True), "a.mat")
    unknown = replace(face, shape_sigma=np.full(1, np.nan))
    checked(annotation(shape=[1e3]), unknown, "a.mat")
    with pytest.raises(FacemillError, match="knows its deviations"):
        unknown.draw_shape(np.random.default_rng(0))


def test_a_face_of_which_no_landmark_lies_in_the_crop_is_a_row():
    whole = CropTransform.whole(SIDE, SIDE, 192)
    cropped = Cropped([0], ["P#0"], np.full((1, 4), np.nan), [whole], SIDE)
    beside = annotation(pose_at(5000, 100))
    kind = ground_truth.Dense(model(), DomeTarget(None))
    row = kind.make("P", cropped, 0, beside)
    assert row.reason is Reason.MESH_OUTSIDE_FRAME and "of 96 px" in row.detail
    inside = annotation(pose_at(100, 100, 4e-4))
    assert isinstance(kind.make("P", cropped, 0, inside), ground_truth.Truth)


def test_the_annotation_detector_gives_the_same_reasons(tmp_path, monkeypatch):
    save_mat(tmp_path / "a.mat", POSE, Shape_Para=BEYOND)
    monkeypatch.setattr(detect, "load_face_model", lambda **block: model())
    annotate = detect._annotate({"reader": "face_300w_lp", "face_model": {"id": "dome", "path": None}})
    with pytest.raises(AnnotationProblem, match=r"a\.mat: expected zeros beyond the 1 shape modes") as caught:
        annotate(str(tmp_path / "a.mat"), SIDE)
    assert caught.value.reason is Reason.ANNOTATION_BEYOND_MODEL
