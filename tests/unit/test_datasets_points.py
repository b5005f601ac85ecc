"""Data sets that have points and no parameters: AFLW and AFLW-LFPA on small fake trees."""

import cv2
import numpy as np
import pytest
import scipy.io
from reader_trees import AFLW_NAMES as NAMES
from reader_trees import aflw, lfpa, picture

from pipeline.datasets.aflw import in_crop
from pipeline.datasets.base import AnnotationProblem, FaceAnnotation
from pipeline.datasets.plausible import checked_points
from pipeline.datasets.points import known_points
from pipeline.evaluation.benchmark import AnnotatedTruth, BenchmarkPicture
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS


def test_a_point_of_a_crop_lies_where_its_pixels_went():
    """A white dot of a 450 picture, cut and resized as the crops were, has its centre of mass at the mapped point."""
    first_x, first_y, last_x, last_y = 101, 51, 340, 410
    image = np.zeros((450, 450), np.float32)
    image[200:206, 220:230] = 1
    cut = cv2.resize(
        image[first_y - 1 : last_y, first_x - 1 : last_x], (120, 120), interpolation=cv2.INTER_AREA
    )
    y, x = np.indices(cut.shape)
    mass = np.array([(x * cut).sum(), (y * cut).sum()]) / cut.sum()
    centre = np.array([[224.5, 202.5]])
    box = (first_x, first_y, last_x, last_y)
    np.testing.assert_allclose(in_crop(centre, box)[0], mass, atol=1e-4)
    deep = in_crop(np.array([[224.5, 202.5, 30.0]]), box)[0]
    np.testing.assert_allclose(deep, [*mass, 30 * (0.5 + 1 / 3) / 2], atol=1e-4)


@pytest.mark.parametrize("layout", ["flat", "3ddfa", "archive"])
def test_aflw_in_its_layouts(tmp_path, layout):
    points, yaws, folder = aflw(tmp_path, layout)
    (folder / f"{NAMES[3]}.jpg").unlink()
    reader = DATASETS["aflw"]()
    pictures = reader.pictures(tmp_path)
    assert [p.id for p in pictures] == NAMES
    assert [p.group for p in pictures] == ["image00002", "image00004", "image00004", "image00013"]
    assert {p.split for p in pictures} == {"train"}
    assert [(tmp_path / p.path).is_file() for p in pictures] == [True, True, True, False]
    for k, one in enumerate(pictures):
        found = reader.annotation(tmp_path / one.annotations[0], 120)
        assert not found.dense
        assert found.landmarks68 is None
        assert found.yaw_deg == yaws[k]
        assert np.isnan(found.points["aflw21"][3]).all()
        expected = (points[k].T.astype(float) - [81, 71] + 0.5) / 2 - 0.5
        np.testing.assert_allclose(np.delete(found.points["aflw21"], 3, 0), np.delete(expected, 3, 0))
    one = BenchmarkPicture(pictures[0].id, pictures[0].path, pictures[0].annotations[0])
    truth = AnnotatedTruth([one], reader, tmp_path, chart=None).of(one.id)
    assert np.isnan(truth.angles).all() and truth.yaw("fitted") == yaws[0]
    assert truth.shape.points("aflw21").shape == (21, 2)


def test_aflw_subsets_share_no_photograph_and_fitted_points_come_along(tmp_path):
    aflw(tmp_path, "3ddfa")
    parts = {part: DATASETS["aflw"](subset=part, every=2).pictures(tmp_path) for part in ("train", "test")}
    assert [p.id for p in parts["test"]] == NAMES[1:3]
    assert [p.id for p in parts["train"]] == [NAMES[0], NAMES[3]]
    np.save(tmp_path / "test.configs/AFLW_GT_pts68.npy", np.full((4, 3, 68), 91.0))
    found = DATASETS["aflw"]().annotation(tmp_path / "test.configs/AFLW_GT_pts21.npy#1", 120)
    np.testing.assert_allclose(found.points["landmarks68_fit"], np.tile([4.75, 9.75, 45.5], (68, 1)))


def save(name, array):
    return lambda root: np.save(root / "test.configs" / name, array)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda r: (r / "test.configs/AFLW_GT_pts21.npy").unlink(),
            "AFLW_GT_pts21.npy there or in .*test.configs",
        ),
        (lambda r: (r / "test.data/AFLW_GT_crop.list").unlink(), "AFLW_GT_crop.list there or in .*test.data"),
        (lambda r: (r / "test.data/AFLW_GT_crop.list").write_text("a.jpg"), "each of the 4 rows .* found 1"),
        (lambda r: (r / "test.configs/AFLW_GT_crop_yaws.npy").unlink(), "AFLW_GT_crop_yaws.npy"),
        (
            save("AFLW_GT_crop_roi_box.npy", np.zeros((4, 5))),
            r"roi_box.npy: expected .*\(4, 4\), found .*\(4, 5\)",
        ),
        (save("AFLW_GT_pts21.npy", np.zeros((4, 21, 2))), r"pts21.npy: expected .*\(4, 2, 21\)"),
        (save("AFLW_GT_pts21.npy", np.array(["a"])), "pts21.npy: expected numbers"),
        (
            lambda r: (r / "test.configs/AFLW_GT_pts21.npy").write_text("no array"),
            "pts21.npy: expected a .npy array",
        ),
        (save("AFLW_GT_pts68.npy", np.zeros((4, 68))), r"pts68.npy: expected .*\(4, 2, 68\) or \(4, 3, 68\)"),
    ],
)
def test_a_part_of_aflw_that_is_missing_or_does_not_fit_is_named(tmp_path, change, words):
    aflw(tmp_path, "3ddfa")
    change(tmp_path)
    with pytest.raises(FacemillError, match=words):
        DATASETS["aflw"]().pictures(tmp_path)


def test_an_archive_of_aflw_that_does_not_fit_is_named(tmp_path):
    _, _, folder = aflw(tmp_path, "archive")
    picture(tmp_path / "more" / f"{NAMES[0]}.jpg")
    with pytest.raises(FacemillError, match=f"one crop called {NAMES[0]}, found "):
        DATASETS["aflw"]().pictures(tmp_path)
    for path in (*folder.iterdir(), *(tmp_path / "more").iterdir()):
        path.unlink()
    with pytest.raises(FacemillError, match="unpack the crops"):
        DATASETS["aflw"]().pictures(tmp_path)
    np.savez(tmp_path / "labels.npz", names=np.array(NAMES))
    with pytest.raises(FacemillError, match=r"labels.npz: expected .*pts21_450"):
        DATASETS["aflw"]().pictures(tmp_path)


def test_a_row_of_aflw_that_gives_no_points_has_a_reason(tmp_path):
    aflw(tmp_path, "flat")
    np.save(tmp_path / "AFLW_GT_crop_roi_box.npy", np.zeros((4, 4)))
    reader = DATASETS["aflw"]()
    for row, words in ((4, "expected row 4, found 4 rows"), (0, "expected a box")):
        with pytest.raises(AnnotationProblem, match=words):
            reader.annotation(tmp_path / f"AFLW_GT_pts21.npy#{row}", 120)


@pytest.mark.parametrize("flag", [0.0, 1.0])
def test_aflw_lfpa_has_34_points_and_hides_those_of_the_rarer_flag(tmp_path, flag):
    tables = lfpa(tmp_path, flag)
    boxes = {"bboxesT": np.full((2, 4), 20.0), "bboxesTr": np.full((3, 4), 30.0)}
    scipy.io.savemat(tmp_path / "BoundingBox.mat", boxes)
    reader = DATASETS["aflw_lfpa"]()
    pictures = reader.pictures(tmp_path)
    assert [(p.id, p.split) for p in pictures] == [
        *((f"TrainImages/{k}", "train") for k in (1, 2, 3)),
        *((f"TestImages/{k}", "test") for k in (1, 2)),
    ]
    found = reader.annotation(tmp_path / pictures[4].annotations[0], 200)
    assert np.isnan(found.points["lfpa34"][:10]).all()
    expected = np.column_stack([tables["phisT"][1, :34], tables["phisT"][1, 34:68]]) - 1
    np.testing.assert_allclose(found.points["lfpa34"][10:], expected[10:])
    np.testing.assert_array_equal(found.points["lfpa_box"], [[18.5, 18.5], [38.5, 38.5]])
    assert not found.dense


def test_numbers_order_the_pictures_of_aflw_lfpa_and_rows_beyond_the_table_have_a_reason(tmp_path):
    lfpa(tmp_path)
    for k in (10, 4):
        picture(tmp_path / f"TestImages/{k}.jpg")
    reader = DATASETS["aflw_lfpa"](subset="test")
    pictures = reader.pictures(tmp_path)
    assert [p.id for p in pictures] == [f"TestImages/{k}" for k in (1, 2, 4, 10)]
    with pytest.raises(AnnotationProblem, match="table phisT: expected row 9, found 2 rows"):
        reader.annotation(tmp_path / pictures[3].annotations[0], 200)
    assert sorted(reader.annotation(tmp_path / pictures[0].annotations[0], 200).points) == ["lfpa34"]
    with pytest.raises(AnnotationProblem, match="expected phisX, found phisTr, phisT"):
        reader.annotation(tmp_path / "Landmark.mat#phisX:0", 200)
    picture(tmp_path / "TestImages/cover.jpg")
    with pytest.raises(FacemillError, match=r"cover.jpg: expected a picture called by its number"):
        reader.pictures(tmp_path)


def test_what_aflw_lfpa_lacks_is_named(tmp_path):
    with pytest.raises(FacemillError, match="expected the folders TrainImages and TestImages"):
        DATASETS["aflw_lfpa"]().pictures(tmp_path)
    lfpa(tmp_path)
    reader = DATASETS["aflw_lfpa"]()
    for content, words in (
        ({"other": np.zeros(3)}, "expected phisTr or phisT, found other"),
        ({"phisT": np.zeros((2, 68))}, r"phisT: expected numbers of shape \(2, 102\)"),
    ):
        scipy.io.savemat(tmp_path / "Landmark.mat", content)
        with pytest.raises(FacemillError, match=words):
            DATASETS["aflw_lfpa"]().annotation(tmp_path / "Landmark.mat#phisT:0", 200)
    scipy.io.savemat(tmp_path / "Landmark.mat", {"phisT": np.full((2, 102), np.nan)})
    with pytest.raises(AnnotationProblem, match="102 of 102 numbers are not finite") as caught:
        reader.annotation(tmp_path / "Landmark.mat#phisT:0", 200)
    assert caught.value.reason is Reason.ANNOTATION_NOT_FINITE
    (tmp_path / "Landmark.mat").unlink()
    with pytest.raises(FacemillError, match=r"expected Landmark\.mat"):
        DATASETS["aflw_lfpa"]().annotation(tmp_path / "Landmark.mat#phisT:0", 200)


def points_only(**sets) -> FaceAnnotation:
    """An annotation of these sets of points, of `marks` as its 68 landmarks."""
    marks = sets.pop("marks", None)
    return FaceAnnotation(None, None, None, 120, landmarks68=marks, points=sets)


def test_a_face_is_known_by_its_landmarks_or_by_the_first_set_that_shows_where_it_lies():
    random = np.random.default_rng(0)
    marks, many, deep = (
        random.uniform(0, 99, (68, 3)),
        random.uniform(0, 99, (21, 2)),
        random.uniform(0, 99, (5, 3)),
    )
    hidden = np.where(np.arange(21)[:, None] < 19, np.nan, many)
    tip = deep[:1]
    for sets, expected in (
        ({"a": many, "marks": marks}, marks[:, :2]),
        ({"a": many, "b": deep}, many),
        ({"tip": tip, "b": deep, "a": many}, deep[:, :2]),
        ({"a": hidden, "b": deep}, deep[:, :2]),
        ({"tip": tip, "a": hidden}, many[19:]),
        ({"a": np.full((21, 2), np.nan)}, np.empty((0, 2))),
        ({}, np.empty((0, 2))),
    ):
        np.testing.assert_array_equal(known_points(points_only(**sets)), expected)


def test_points_that_cannot_be_true_have_a_reason_and_hidden_ones_have_none():
    spread = np.random.default_rng(0).uniform(0, 99, (21, 2))
    far, endless, hidden = spread.copy(), spread.copy(), spread.copy()
    far[3], endless[3], hidden[3:] = (1e7, 0), (np.inf, 0), np.nan
    for sets, reason, words in (
        ({"a": spread, "b": far}, Reason.ANNOTATION_IMPLAUSIBLE, r"^x: .*found one at 1e\+07 px"),
        ({"a": spread, "b": endless}, Reason.ANNOTATION_NOT_FINITE, "^x: b is not finite"),
        ({"marks": spread / 200, "a": spread}, Reason.ANNOTATION_IMPLAUSIBLE, "at least 1 px"),
        ({"a": spread * np.nan}, Reason.ANNOTATION_MISSING, "that is visible, found none"),
        ({}, Reason.ANNOTATION_MISSING, "that is visible, found none"),
    ):
        with pytest.raises(AnnotationProblem, match=words) as caught:
            checked_points(points_only(**sets), "x")
        assert caught.value.reason is reason
    for sets in ({"a": hidden}, {"a": spread[:1]}, {"a": spread, "b": spread[:1]}):
        given = points_only(**sets)
        assert checked_points(given, "x") is given
