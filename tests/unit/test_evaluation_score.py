"""Scores of a small benchmark: who counts as failed, what the mean face is, what the files hold."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_cases import TARGET, annotation, model, truth_maps, write_pack, write_predictions

from pipeline.datasets.base import AnnotationProblem
from pipeline.evaluation import predictions, protocols
from pipeline.evaluation.benchmark import AnnotatedTruth, BenchmarkPicture, benchmark_pictures
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.score import (
    LEFT_OUT,
    TRUTH_FLOOR,
    Score,
    read_scores,
    score_benchmark,
    score_given,
    truth_floor,
    write_scores,
)
from pipeline.evaluation.shapes import PointsShape, Shape
from pipeline.evaluation.truth import Truth, of_annotation
from pipeline.io import hdf5
from pipeline.io.tables import write_tsv
from pipeline.records import PACK, SOURCE_COLUMNS, FacemillError, Reason

PROTOCOLS = [protocols.load(name) for name in ("nme68_2d", "head_pose")]
FACES = {"a#0": annotation(0, 0, 0), "b#0": annotation(0, 45, 0), "c#0": annotation(0, -100, 0)}
PICTURES = [BenchmarkPicture(name, f"{name}.jpg", f"{name}.mat") for name in "abcd"]


@pytest.fixture(scope="module")
def chart(tmp_path_factory) -> Chart:
    return Chart(model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def pack(chart, tmp_path_factory):
    return write_pack(tmp_path_factory.mktemp("pack") / "test.h5", chart.model, FACES)


def scored(tmp_path, pack, chart, maps, pictures=PICTURES, failed=(0, 70, 0)) -> dict[tuple[str, str], Score]:
    write_predictions(tmp_path / "predictions.h5", pack, chart, maps)
    angles = np.radians(failed)
    lost = Truth("d", Shape(), angles, {"fitted": float(np.degrees(angles[1]))})
    with hdf5.open_checked(pack, PACK) as opened:
        truth = AnnotatedTruth(pictures, None, tmp_path, chart)
        stored = predictions.shapes(tmp_path / "predictions.h5", opened, chart)
        found = score_benchmark(
            {"model": ((prediction.picture, shape) for prediction, shape in stored)},
            truth.of_pack(opened),
            [picture.id for picture in pictures],
            PROTOCOLS,
            lambda _: lost,
            lambda one: truth_floor(one.shape.annotation, chart),
        )["model"]
    return {(score.picture, score.protocol): score for score in found}


def test_stored_truth_scores_next_to_nothing_and_a_picture_without_a_face_has_failed(tmp_path, pack, chart):
    found = scored(tmp_path, pack, chart, truth_maps(pack))
    assert all(found[name, "nme68_2d"].value < 0.5 for name in "abc")
    assert found["a", "head_pose"].value < 4
    assert found["b", "nme68_2d"].yaw_deg == pytest.approx(45)
    assert found["d", "nme68_2d"] == Score("d", "nme68_2d", 100.0, pytest.approx(70), True)
    assert found["d", "head_pose"] == Score("d", "head_pose", 90.0, pytest.approx(70), True)
    assert found["c", "head_pose"].value is None and not found["c", "head_pose"].failed
    assert found["c", "head_pose"].why == LEFT_OUT


@pytest.mark.parametrize(
    ("angles", "value"), [((0, 98, 0), 90), ((0, 100, 0), None), ((0, 0, -100), None), ((np.nan,) * 3, 90)]
)
def test_a_failed_picture_that_the_protocol_leaves_out_costs_nothing_there(
    tmp_path, pack, chart, angles, value
):
    found = scored(tmp_path, pack, chart, truth_maps(pack), failed=angles)
    assert found["d", "head_pose"].value == value and found["d", "head_pose"].failed
    assert found["d", "nme68_2d"].value == 100.0


def test_a_prediction_that_is_not_finite_has_failed(tmp_path, pack, chart):
    maps = truth_maps(pack)
    maps[1, 3, 4, 2] = np.nan
    found = scored(tmp_path, pack, chart, maps)
    assert found["b", "nme68_2d"].failed and not found["a", "nme68_2d"].failed


def test_faces_of_pictures_outside_the_benchmark_do_not_count(tmp_path, pack, chart):
    found = scored(tmp_path, pack, chart, truth_maps(pack), pictures=PICTURES[:1])
    assert {picture for picture, _ in found} == {"a"}


def test_the_first_face_of_a_picture_counts(tmp_path, chart):
    faces = {"a#0": annotation(0, 0, 0), "a#1": annotation(0, 80, 0)}
    pack = write_pack(tmp_path / "two.h5", chart.model, faces)
    found = scored(tmp_path, pack, chart, truth_maps(pack), pictures=PICTURES[:1])
    assert found["a", "nme68_2d"].yaw_deg == 0.0


def test_the_floor_of_the_truth_is_what_the_face_models_modes_cannot_say(tmp_path, pack, chart):
    found = scored(tmp_path, pack, chart, truth_maps(pack))
    assert found["a", TRUTH_FLOOR].value == pytest.approx(0, abs=1e-6)
    other = tmp_path / "other.h5"
    write_pack(other, chart.model, FACES)
    import h5py

    with h5py.File(other, "r+") as file:
        file["landmarks68"][0] = file["landmarks68"][0] + [2.0, 0.0, 0.0]
    assert scored(tmp_path, other, chart, truth_maps(other))["a", TRUTH_FLOOR].value > 1


def test_predictions_of_another_pack_are_refused(tmp_path, pack, chart):
    other = write_pack(tmp_path / "other.h5", chart.model, dict(list(FACES.items())[:2]))
    write_predictions(tmp_path / "predictions.h5", other, chart, truth_maps(other))
    with hdf5.open_checked(pack, PACK) as truth, pytest.raises(FacemillError, match="different runs"):
        list(predictions.shapes(tmp_path / "predictions.h5", truth, chart))


def test_the_mean_face_is_the_mean_of_the_targets_taken_back_by_each_crop(pack, chart):
    answers = predictions.Answers(TARGET, chart)
    maps = truth_maps(pack)
    (stored, size), (twice, _) = answers.output.mean([pack]), answers.output.mean([pack, pack])
    mean = stored["map"]
    assert size == 32
    assert mean == pytest.approx(maps.mean(axis=0, dtype=np.float64), abs=1e-5)
    assert twice["map"] == pytest.approx(mean)
    with hdf5.open_checked(pack, PACK) as truth:
        found = list(answers.constant(stored, size, truth))
    assert [prediction.picture for prediction in found] == ["a", "b", "c"]
    scale = found[0].transform.scale
    assert scale == pytest.approx(0.35 * 32 / 48)
    assert answers.shape(found[0]).position_map[..., 2] == pytest.approx(mean[..., 2] / scale)


def test_scores_come_back_from_their_file(tmp_path):
    rows = [
        Score("a", "nme68_2d", 3.25, -12.5, False),
        Score("b", "head_pose", None, 101.0, False, LEFT_OUT),
        Score("c", "nme68_2d", 100.0, float("nan"), True),
    ]
    write_scores(tmp_path / "scores.tsv", {"model": rows, "mean_face": rows[:1]})
    found = read_scores(tmp_path / "scores.tsv")
    assert found["model"][:2] == rows[:2] and found["mean_face"] == rows[:1]
    assert np.isnan(found["model"][2].yaw_deg) and found["model"][2].failed
    (tmp_path / "scores.tsv").write_text((tmp_path / "scores.tsv").read_text().replace("3.25", "3,25"))
    with pytest.raises(FacemillError, match="damaged"):
        read_scores(tmp_path / "scores.tsv")


def test_a_benchmark_is_its_pictures_with_exactly_one_true_face(tmp_path):
    def row(name, annotations):
        return [name, f"{name}.jpg", "test", name, annotations, "", "", ""]

    path = tmp_path / "source.tsv"
    write_tsv(
        path, SOURCE_COLUMNS, [row("a", "a.mat"), row("b", ""), row("c", "c.mat;c_f1.mat"), row("d", "d.mat")]
    )
    expected = [BenchmarkPicture(name, f"{name}.jpg", f"{name}.mat") for name in "ad"]
    assert benchmark_pictures(path) == expected
    write_tsv(path, SOURCE_COLUMNS, [row("b", "")])
    with pytest.raises(FacemillError, match="one annotated face"):
        benchmark_pictures(path)


def test_the_angles_of_a_failed_picture_come_from_its_annotation(tmp_path, chart):
    def broken(path, height):
        raise AnnotationProblem(Reason.ANNOTATION_MISSING, "no file")

    reader = SimpleNamespace(annotation=lambda path, height: annotation(0, 33, 0))
    found = AnnotatedTruth(PICTURES, reader, tmp_path, chart).of("a")
    assert np.degrees(found.angles) == pytest.approx([0, 33, 0]) and found.yaw("fitted") == pytest.approx(33)
    lost = AnnotatedTruth(PICTURES, SimpleNamespace(annotation=broken), tmp_path, chart).of("a")
    assert np.isnan(lost.angles).all() and np.isnan(lost.yaw("fitted"))


def test_points_that_no_pack_holds_come_from_the_annotation_file(tmp_path, pack, chart):
    again = np.ones((68, 2))
    read = replace(annotation(0, 0, 0), points={"landmarks68_re": again}, yaws_deg={"aflw": 12.0})
    reader = SimpleNamespace(annotation=lambda path, height: read)
    with hdf5.open_checked(pack, PACK) as opened:
        plain = next(iter(AnnotatedTruth(PICTURES, reader, tmp_path, chart).of_pack(opened)))
        full = next(iter(AnnotatedTruth(PICTURES, reader, tmp_path, chart, further=True).of_pack(opened)))
    assert "landmarks68_re" not in plain.shape.named and np.isnan(plain.yaw("aflw"))
    assert full.landmarks("reannotated") is again and full.yaw("aflw") == 12.0
    assert full.landmarks("original") == pytest.approx(plain.landmarks("original"))


def test_given_predictions_are_found_by_id_or_by_its_last_part_and_none_is_lost(chart):
    truths = [of_annotation(f"images/{name}", annotation(0, 10, 0), chart) for name in "abc"]
    right = PointsShape(truths[0].landmarks("original"), chart.model.landmarks())
    scores, strangers = score_given({"a": right, "images/b": right, "z": right}, truths, PROTOCOLS[:1])
    assert [(score.value, score.failed) for score in scores] == [(0.0, False), (0.0, False), (100.0, True)]
    assert strangers == ["z"]
    with pytest.raises(FacemillError, match="named as the truth's pictures, as images/a; found z"):
        score_given({"z": right}, truths, PROTOCOLS)


def test_a_prediction_that_lacks_what_a_protocol_compares_has_no_score_and_has_not_failed(chart):
    truths = [of_annotation("a", annotation(0, 10, 0), chart)]
    flat = PointsShape(truths[0].landmarks("original")[:, :2], chart.model.landmarks())
    chosen = [protocols.load(name) for name in ("nme68_2d", "nme68_3d", "dense_2d")]
    scores, _ = score_given({"a": flat}, truths, chosen)
    assert [score.value for score in scores] == [0.0, None, None]
    assert not any(score.failed for score in scores)
    assert "no depth" in scores[1].why and "dense" in scores[2].why
