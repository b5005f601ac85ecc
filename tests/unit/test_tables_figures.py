"""Figures: the same bytes twice, the right curves, means and pictures, and sentences for what is lacking."""

import re
import shutil
import struct
from dataclasses import replace

import cv2
import h5py
import numpy as np
import pytest
from evaluation_cases import FRAME, annotation, model, truth_maps, write_pack, write_predictions

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.report import benchmark_block
from pipeline.evaluation.score import (
    LABEL_DISAGREEMENT,
    TRUTH_FLOOR,
    Score,
    label_disagreement,
    write_scores,
)
from pipeline.evaluation.shapes import PointsShape
from pipeline.evaluation.truth import LABELS, Truth
from pipeline.geometry.frames import CropTransform
from pipeline.registry import FIGURES
from pipeline.tables.figures import page as pages
from pipeline.tables.figures.ced import ced
from pipeline.tables.figures.faces import angles_of, faces_of
from pipeline.tables.figures.key import looks
from pipeline.tables.figures.label_disagreement import clouds, disagreement, groups_of
from pipeline.tables.figures.nme_by_yaw import steps_of
from pipeline.tables.figures.page import WIDTH, Page, length_of, shortened, wrapped
from pipeline.tables.figures.side_by_side import choose
from pipeline.tables.figures.tiles import course, tile_of
from pipeline.tables.figures.values import best_model, degrees, series_of, with_unit
from pipeline.tables.figures.worst_twenty import ranked
from pipeline.tables.results import MEAN_FACE, Results, Run

NAMES = ("nme68_2d", "head_pose", "volume_iou")
PROTOCOLS = [protocols.load(name) for name in NAMES]
NME = PROTOCOLS[0]
CONTENTS = {protocol.id: protocol.model_dump(exclude={"id"}) for protocol in PROTOCOLS}
FACES = {
    f"p{k}#0": annotation(0, yaw, roll)
    for k, (yaw, roll) in enumerate([(0, 0), (10, 40), (-40, 5), (50, -60), (70, 0), (-80, 20)])
}
PICTURES = [*(name.split("#")[0] for name in FACES), "lost"]
YAWS = [0.0, 10.0, -40.0, 50.0, 70.0, -80.0, 25.0]
VALUES = {"prn": [1.0, 2.0, 3.0, 4.0, 5.0, 30.0], "other": [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]}


def scores_of(values: list[float], *, labels: bool) -> list[Score]:
    """Scores of the six faces, a failure, nothing for the volume, and what is said of the truth."""
    rows = []
    for picture, yaw, value in zip(PICTURES, YAWS, [*values, None], strict=True):
        failed = value is None
        rows.append(Score(picture, "nme68_2d", 100.0 if failed else value, yaw, failed))
        rows.append(Score(picture, "head_pose", 90.0 if failed else 2 * value, yaw, failed))
        why = "a position map has no volume"
        rows.append(Score(picture, "volume_iou", 0.0 if failed else None, yaw, failed, "" if failed else why))
        if not failed:
            rows.append(Score(picture, TRUTH_FLOOR, 0.5 + value / 10, yaw, False))
            if labels:
                rows.append(Score(picture, LABEL_DISAGREEMENT, value / 2, yaw, False))
    return rows


def results_in(folder, chart, *, labels: bool = False) -> Results:
    """Two models on one benchmark, the first with two seeds; all predict the truth."""
    pack = write_pack(folder / "pack.h5", chart.model, FACES)
    path = write_predictions(folder / "predictions.h5", pack, chart, truth_maps(pack))
    runs, evaluations = [], {}
    mean = scores_of([20.0] * 6, labels=labels)
    for name, values in VALUES.items():
        by_seed = {}
        for seed in ("0", "1")[: 2 if name == "prn" else 1]:
            by_seed[seed] = scores_of([value + float(seed) for value in values], labels=labels)
            table = folder / f"{name}{seed}.tsv"
            write_scores(table, {"model": by_seed[seed], MEAN_FACE: mean})
            runs.append(Run(name, seed, "bench", str(table), str(path), str(pack)))
        evaluations[name] = {"benchmarks": {"bench": benchmark_block(by_seed, mean, PROTOCOLS)}}
    return Results(evaluations, runs, CONTENTS)


@pytest.fixture(scope="module")
def chart(tmp_path_factory) -> Chart:
    return Chart(model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def results(chart, tmp_path_factory) -> Results:
    return results_in(tmp_path_factory.mktemp("results"), chart)


@pytest.fixture(scope="module")
def relabelled(chart, tmp_path_factory) -> Results:
    return results_in(tmp_path_factory.mktemp("relabelled"), chart, labels=True)


@pytest.fixture
def words(monkeypatch) -> list[str]:
    """All that pages say, collected while figures are drawn."""
    said: list[str] = []
    own = Page.text

    def text(self, words, **more):
        said.append(words)
        own(self, words, **more)

    monkeypatch.setattr(Page, "text", text)
    return said


def axes_of(drawn):
    """The axes with a frame: not those of samples in keys, nor of tiles."""
    return [axes for axes in drawn.figure.axes if axes.axison]


@pytest.mark.parametrize("name", FIGURES.names())
def test_the_same_results_give_the_same_bytes_and_the_user_s_style_does_not_matter(name, results, chart):
    import matplotlib

    first = FIGURES[name](results, chart)
    svg, png = first.svg(), first.png()
    assert svg.startswith(b"<?xml") and b"<dc:date>" not in svg
    assert struct.unpack(">II", png[16:24])[0] == 1600
    with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": "mine", "axes.facecolor": "red"}):
        again = FIGURES[name](results, chart)
        assert again.png() == png and again.svg() == svg
        assert matplotlib.rcParams["font.size"] == 20


@pytest.mark.parametrize("name", FIGURES.names())
def test_without_results_a_figure_says_so(name, chart, words):
    assert FIGURES[name](Results({}), chart).svg().startswith(b"<?xml")
    assert any(re.search("nothing to draw|no curve to draw", said) for said in words)


def test_curves_count_failures_and_pool_seeds(results, chart):
    panels = axes_of(ced(results, chart))
    assert len(panels) == 2, "one for each protocol in which less is better"
    prn, other, mean = panels[0].lines
    x, y = prn.get_data()
    assert x[0] == 0 and x[-1] == NME.limit == panels[0].get_xlim()[1]
    assert y[-1] == pytest.approx(100 * 10 / 14), "two pictures of 14 beyond the limit, two without a face"
    assert y[np.searchsorted(x, 2.0, side="right") - 1] == pytest.approx(100 * 3 / 14)
    assert other.get_ydata()[-1] == pytest.approx(100 * 6 / 7)
    assert mean.get_ydata()[-1] == 0
    colours = looks(results)
    assert [line.get_color() for line in (prn, other, mean)] == [
        colours[name].colour for name in ("prn", "other", MEAN_FACE)
    ]


def test_the_area_under_a_drawn_curve_is_the_figure_in_its_key(results, chart):
    for line, series in zip(
        axes_of(ced(results, chart))[0].lines, series_of(results, "bench", NME)[0], strict=True
    ):
        x, y = line.get_data()
        assert np.sum(np.diff(x) * y[:-1]) / NME.limit == pytest.approx(100 * series.figures["auc"])


def test_the_curves_say_what_they_leave_out(results, chart, words):
    ced(results, chart)
    assert "Without a curve, as more is better there: volume_iou." in words
    FIGURES["nme_by_yaw"](results, chart)
    assert "Nothing for prn: a position map has no volume (6 pictures)." in words


def test_steps_take_their_upper_bound_and_the_last_takes_all_beyond():
    steps = steps_of(np.array([0, 15, 15.1, 30, 89, 351]), np.array([1.0, 3, 5, 7, 2, 4]))
    assert steps.centre == pytest.approx([7.5, 22.5, 82.5])
    assert steps.mean == pytest.approx([2, 6, 3]) and steps.n == pytest.approx([2, 2, 2])
    assert (
        (steps.low >= [1, 5, 2]).all() and (steps.high <= [3, 7, 4]).all() and (steps.low < steps.high).all()
    )
    alone = steps_of(np.array([40.0]), np.array([1.0]))
    assert np.isnan(alone.low).all() and alone.mean == 1


def test_yaw_panels_draw_every_face_but_the_failed_ones(results, chart):
    panel = axes_of(FIGURES["nme_by_yaw"](results, chart))[0]
    points = [cloud.get_offsets() for cloud in panel.collections if len(cloud.get_offsets()) > 1]
    assert [len(cloud) for cloud in points] == [6, 6]
    assert sorted(points[0][:, 0]) == [0, 10, 40, 50, 70, 80]


def test_worst_pictures_are_ranked_by_the_mean_over_models_and_seeds(results):
    order, failed = ranked(results, "bench", NME)
    assert failed == 1 and [picture for picture, _ in order] == ["p5", "p4", "p3", "p2", "p1", "p0"]
    assert order[0][1].value == pytest.approx((30.5 + 7) / 2) and order[0][1].yaw_deg == -80
    assert ranked(results, "bench", NME.model_copy(update={"better": "higher"}))[0][0][0] == "p0"


def test_the_best_model_has_the_best_headline(results):
    assert best_model(results, "bench", NME) == "other"
    assert best_model(results, "bench", NME.model_copy(update={"better": "higher"})) == "prn"
    assert best_model(results, "bench", PROTOCOLS[2]) is None


def test_meshes_and_contours_of_right_predictions_lie_on_the_truth(results, chart):
    figure = FIGURES["side_by_side"](results, chart).figure
    tiles = [axes for axes in figure.axes if axes.images]
    assert len(tiles) == 6 * 4, "six pictures: crop, two models, truth"
    crop, prn, other, truth = tiles[:4]
    assert not crop.lines and len(truth.lines) == 2 and len(prn.lines) == 4
    _, true, _, found = (line.get_xydata() for line in prn.lines)
    assert np.nanmax(np.abs(true - found)) < 0.6
    first = choose(angles_of(results.runs))[0]
    crop_of_first, annotated = (
        CropTransform(0.35, 99.0, 99.5, FRAME),
        FACES[f"{first}#0"].landmarks(chart.model),
    )
    assert true == pytest.approx(course(crop_of_first.apply(annotated)), nan_ok=True)
    shown = [tile.images[0].get_array() for tile in (crop, prn, other, truth)]
    assert (shown[0] != shown[1]).any() and (shown[1] == shown[2]).all()
    assert np.abs(shown[1].astype(int) - shown[3]).mean() < 4


def test_systems_whose_predictions_were_given_have_curves_and_no_pictures(results, chart, words):
    run = replace(results.of("bench", "other")[0], model="theirs", predictions=None, pack=None)
    block = results.evaluations["other"]
    both = replace(results, evaluations={**results.evaluations, "theirs": block}, runs=[*results.runs, run])
    assert len(axes_of(ced(both, chart))[0].lines) == 4
    FIGURES["side_by_side"](both, chart)
    assert "Not drawn, as their predictions are not stored here: theirs." in words
    alone = replace(results, evaluations={"theirs": block}, runs=[run])
    for name in ("side_by_side", "worst_twenty"):
        words.clear()
        assert not [axes for axes in FIGURES[name](alone, chart).figure.axes if axes.images]
        assert any("nothing to draw" in said for said in words)


def test_a_truth_of_few_points_leaves_their_contours_open_and_has_no_mesh(results, chart, tmp_path):
    copy = tmp_path / "points.h5"
    shutil.copy(results.runs[0].pack, copy)
    with h5py.File(copy, "r+") as pack:
        for name in ("pose_para", "camera", "shape_para", "exp_para"):
            pack[name][:2] = np.nan
        pack["landmarks68"][0] = np.nan
        pack["landmarks68"][1, 20:] = np.nan
    runs = [replace(run, pack=str(copy)) for run in results.runs]
    faces = faces_of(runs, ["p0", "p1"], chart)
    bare = tile_of(faces["p0"], chart, [], faces["p0"].truth, ("red", faces["p0"].truth))
    assert bare.contours == [] and (bare.image == faces["p0"].image).all()
    few = tile_of(faces["p1"], chart, [], faces["p1"].truth, ("red", faces["p1"].truth))
    assert np.isfinite(few.contours[0][1]).all(axis=1).sum() == 20
    angles = angles_of(runs)
    assert np.isnan(angles["p1"][[0, 2]]).all() and angles["p1"][1] == pytest.approx(10)
    assert set(choose(angles)) == {f"p{k}" for k in range(6)}
    assert FIGURES["side_by_side"](replace(results, runs=runs), chart).svg().startswith(b"<?xml")


def test_tilted_heads_come_first_and_glitches_of_labels_do_not_count():
    angles = {f"a{k}": np.array([0.0, 10.0 * k, k]) for k in range(9)}
    angles |= {"glitch": np.array([0, 0, 170.0]), "unknown": np.full(3, np.nan)}
    found = choose(angles)
    assert found == ["a6", "a5", "a4", "a3", "a0", "a1", "a7", "a8"]
    assert choose({"b": np.zeros(3), "glitch": angles["glitch"]}) == ["b", "glitch"]
    assert choose({"only": np.full(3, np.nan)}) == ["only"]
    assert choose({}) == []


def test_labels_of_two_annotators_are_set_against_the_best_model(relabelled, chart, words):
    kind, apart = disagreement(relabelled, "bench")
    assert kind == LABEL_DISAGREEMENT and "lost" not in apart
    assert apart["p5"].value == pytest.approx((15 + 15.5) / 2)
    (cloud,) = clouds(relabelled, "bench", kind, apart)
    assert cloud.name == "other, original" and sorted(cloud.error) == [2, 3, 4, 5, 6, 7]
    FIGURES["label_disagreement"](relabelled, chart)
    assert "bench: re-annotated against original landmarks" in words


def test_where_there_is_one_annotation_it_is_set_against_the_face_model(results, chart, words):
    assert disagreement(results, "bench")[0] == TRUTH_FLOOR
    FIGURES["label_disagreement"](results, chart)
    assert any("No second annotation" in said for said in words)


def test_labels_that_are_the_same_are_not_drawn(results, chart, words, monkeypatch):
    monkeypatch.setattr("pipeline.tables.figures.label_disagreement.LEAST", 1e3)
    assert not axes_of(FIGURES["label_disagreement"](results, chart))
    assert any("are the same to" in said for said in words)


def test_labels_are_as_far_apart_as_the_box_of_the_original_ones_says():
    points = np.random.default_rng(0).uniform(0, 1, (68, 2)) * [40, 90]
    points[:2] = [[0, 0], [40, 90]]
    moved = {LABELS["reannotated"]: points + np.array([3, 4])}
    assert label_disagreement(Truth("a", PointsShape(points, None, moved))) == pytest.approx(100 * 5 / 60)
    assert label_disagreement(Truth("a", PointsShape(points, None))) is None


def test_contours_lift_the_pen_between_parts_and_close_eyes_and_lips():
    points = np.stack([np.arange(68.0), np.zeros(68)], axis=1)
    x = course(points)[:, 0]
    assert np.isnan(x).sum() == 9 and len(x) == 68 + 4 + 9
    eye = x[list(x).index(36) :][:7]
    assert list(eye) == [36, 37, 38, 39, 40, 41, 36]


def test_groups_have_equally_many_pictures():
    apart = np.arange(10.0)[::-1]
    groups = groups_of(apart, 2 * apart)
    assert groups[:, 0] == pytest.approx([0.5, 2.5, 4.5, 6.5, 8.5]) and groups[:, 1] == pytest.approx(
        2 * groups[:, 0]
    )
    assert np.isnan(groups_of(np.array([1.0]), np.array([2.0]))[0, 2:]).all()


def test_every_model_has_a_look_of_its_own(results):
    many = replace(results, evaluations={f"m{k}": {} for k in range(20)})
    found = looks(many)
    assert len({(look.colour, look.stroke) for look in found.values()}) == 21
    assert found["m0"].colour == looks(results)["prn"].colour


def test_lines_are_no_longer_than_the_page():
    words = "Words that fill more than one line of " + "a_very_long_name" * 3
    lines = wrapped(words, 1.0)
    assert all(length_of(line) <= 1.0 for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    assert shortened("short", 1.0) == "short"
    cut = shortened("picture_of_the_benchmark_00012", 0.6)
    assert cut.startswith("…") and cut.endswith("00012") and length_of(cut) <= 0.6


def test_a_long_page_is_still_a_picture(monkeypatch):
    monkeypatch.setattr(pages, "LONGEST", 2000)
    page = Page("Long")
    page.add(20.0, lambda area: None)
    png = cv2.imdecode(np.frombuffer(page.drawn().png(), np.uint8), cv2.IMREAD_COLOR)
    height, width = png.shape[:2]
    assert height <= 2000 and width == pytest.approx(WIDTH * height / 20.3, rel=0.02)


def test_numbers_carry_their_units():
    assert (
        with_unit(3.416, "%") == "3.42 %"
        and with_unit(None, "deg") == "–°"
        and with_unit(0.5, "1") == "0.500"
    )
    assert degrees(-74.6) == "−75°" and degrees(-0.2) == "0°" and degrees(float("nan")) == "unknown"
