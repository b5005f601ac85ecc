"""Predictions and truth in files: every form is read, in its own pixels, and what does not fit is named."""

import json

import numpy as np
import pytest
import scipy.io
from evaluation_cases import annotation, model, model_file

from pipeline.__main__ import main
from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart, read_texels
from pipeline.evaluation.given import read_names, read_shapes
from pipeline.evaluation.shapes import Lacking, PoseShape
from pipeline.evaluation.truths import of_file, only
from pipeline.records import FacemillError

FACE = annotation(5, 20, -10)


@pytest.fixture(scope="module")
def chart(tmp_path_factory) -> Chart:
    return Chart(model(tmp_path_factory.mktemp("model")))


def vertices(chart: Chart, origin: int = 0) -> np.ndarray:
    return FACE.vertices(chart.model) + np.array([origin, origin, 0])


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "given.npz", **{"names": np.array(["a"]), **arrays})
    return tmp_path / "given.npz"


def shape(tmp_path, chart, **arrays):
    return read_shapes(saved(tmp_path, **arrays), chart)["a"]


def params(chart: Chart) -> np.ndarray:
    """62 parameters that give the face in pixels of the picture: its camera in the image frame."""
    out = np.zeros(62)
    matrix = FACE.matrix * [[1], [-1], [1]]
    matrix[:, 3] += [-1, FACE.height, 0]
    out[:12] = matrix.ravel()
    out[12:14], out[52:53] = FACE.shape, FACE.expression
    return out


@pytest.mark.parametrize("origin", [0, 1])
def test_points_and_vertices_count_pixels_from_their_origin(tmp_path, chart, origin):
    points = vertices(chart, origin)[chart.model.keypoints]
    for given in (points, points[:, :2], points.T):
        found = shape(tmp_path, chart, pts68=given[None], origin=origin)
        assert found.landmarks() == pytest.approx(
            vertices(chart)[chart.model.keypoints][:, : found.landmarks().shape[1]], abs=1e-9
        )
        assert found.origin == origin
    mesh = shape(tmp_path, chart, vertices=vertices(chart, origin)[None], origin=origin)
    assert mesh.landmarks() == pytest.approx(vertices(chart)[chart.model.keypoints])
    assert mesh.vertices("face") == pytest.approx(vertices(chart)[chart.model.face_mask])


def test_parameters_give_points_vertices_and_their_own_rotation(tmp_path, chart):
    found = shape(tmp_path, chart, params62=params(chart)[None])
    assert found.vertices("all") == pytest.approx(vertices(chart), abs=1e-3)
    assert found.landmarks() == pytest.approx(vertices(chart)[chart.model.keypoints], abs=1e-3)
    assert found.camera() == pytest.approx(FACE.matrix[:, :3])
    assert shape(tmp_path, chart, params62=np.full((1, 62), np.nan)).finite is False


@pytest.mark.parametrize(("convention", "origin"), [("3ddfa", 1), ("3ddfa_v2", 0)])
def test_parameters_of_a_crop_follow_the_published_conventions(tmp_path, chart, convention, origin):
    """3DDFA: y = 121 - y, x as it is; 3DDFA_V2: x - 1, y = 120 - y; then both by the box, scale and corner."""
    given = np.zeros(62)
    given[:12] = [1e-4, 0, 0, 60, 0, 1e-4, 0, 50, 0, 0, 1e-4, 0]
    found = shape(
        tmp_path, chart, params62=given[None], roi_box=np.array([[10.0, 20, 250, 260]]), convention=convention
    )
    crop = chart.model.mean * 1e-4 + [60, 50, 0]
    x, y = (crop[:, 0], 121 - crop[:, 1]) if origin else (crop[:, 0] - 1, 120 - crop[:, 1])
    expected = np.stack([x * 2 + 10, y * 2 + 20], axis=1) - origin
    assert found.vertices("all")[:, :2] == pytest.approx(expected, abs=1e-3)
    assert found.origin == origin


def test_a_mesh_without_ears_and_neck_and_texels_are_known_by_their_number(tmp_path, chart):
    part = shape(tmp_path, chart, vertices=vertices(chart)[None, chart.model.face_mask])
    assert part.landmarks() == pytest.approx(vertices(chart)[chart.model.keypoints])
    with pytest.raises(Lacking):
        part.vertices("all")
    texels = chart.dense_of(vertices(chart), 256)
    found = shape(tmp_path, chart, vertices=texels[None])
    assert found.face(256) == pytest.approx(texels)
    assert np.abs(found.landmarks() - vertices(chart)[chart.model.keypoints]).max() < 1, "the nearest texels"
    with pytest.raises(FacemillError, match=r"676 \(all vertices\).*found 7"):
        shape(tmp_path, chart, vertices=np.zeros((1, 7, 3)))


def test_angles_are_degrees_and_further_points_have_their_names(tmp_path, chart):
    found = shape(tmp_path, chart, pose_deg=np.array([[5.0, 20, -10]]))
    assert isinstance(found, PoseShape) and found.pose == pytest.approx(np.radians([5, 20, -10]))
    both = shape(
        tmp_path, chart, pts68=np.zeros((1, 68, 2)), pts21=np.ones((1, 21, 2)), pts34=np.ones((1, 34, 2))
    )
    assert both.points("aflw21").shape == (21, 2) and both.points("lfpa34").shape == (34, 2)


def test_files_of_one_face_are_read_as_their_authors_write_them(tmp_path, chart):
    folder = tmp_path / "folder"
    (folder / "kpt").mkdir(parents=True)
    scipy.io.savemat(folder / "dasl.mat", {"vertex": vertices(chart, 1).T.astype(np.float32)})
    scipy.io.savemat(folder / "prn_mesh.mat", {"vertices": chart.dense_of(vertices(chart), 256)})
    np.savetxt(folder / "kpt/point_kpt.txt", vertices(chart)[chart.model.keypoints])
    found = read_shapes(folder, chart)
    assert set(found) == {"dasl", "prn", "point"}
    assert [found[name].origin for name in ("dasl", "prn", "point")] == [1, 0, 0]
    for one in found.values():
        assert np.abs(one.landmarks() - vertices(chart)[chart.model.keypoints]).max() < 1
    moved = read_shapes(folder, chart, origin=0)["dasl"]
    assert moved.landmarks() - found["dasl"].landmarks() == pytest.approx(
        np.tile([1, 1, 0], (68, 1)), abs=1e-4
    )


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"other": np.zeros(1)}, "expected one of params62, vertices.*found names, other"),
        ({"pts68": np.zeros((1, 67, 2))}, r"pts68: expected numbers of shape \(1, 68, 2\), found .*67"),
        ({"pts68": np.zeros((1, 68, 2)), "origin": 2}, "origin: expected 0 or 1, found 2"),
        ({"params62": np.zeros((1, 62)), "roi_box": np.zeros((1, 4))}, "expected convention beside roi_box"),
        (
            {"params62": np.zeros((1, 62)), "convention": "mine"},
            "convention: expected one of 3ddfa.*found mine",
        ),
        ({"names": np.array(["a", "a"]), "pts68": np.zeros((2, 68, 2))}, "every name once, found a twice"),
        ({"pose_deg": np.array([["x"] * 3])}, "pose_deg: expected numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_what_was_expected(tmp_path, chart, arrays, words):
    with pytest.raises(FacemillError, match=words):
        read_shapes(saved(tmp_path, **arrays), chart)


def test_what_is_no_prediction_at_all_is_refused(tmp_path, chart):
    with pytest.raises(
        FacemillError, match=r"expected <name>.mat with vertex or vertices, or <name>_kpt.txt"
    ):
        read_shapes(tmp_path, chart)
    (tmp_path / "a.txt").write_text("1")
    with pytest.raises(FacemillError, match=r"expected an \.npz, or a folder"):
        read_shapes(tmp_path / "a.txt", chart)
    scipy.io.savemat(tmp_path / "b.mat", {"other": 1})
    with pytest.raises(FacemillError, match="found neither"):
        read_shapes(tmp_path, chart)
    with pytest.raises(FacemillError, match="whole numbers from 0 to 65535"):
        Chart(chart.model, np.array([70000]))
    np.savetxt(tmp_path / "face_ind.txt", [3, 4, 5])
    assert Chart(chart.model, read_texels(tmp_path / "face_ind.txt")).face_mask(256).sum() == 3


def test_truth_in_a_file_has_angles_yaws_and_further_labels(tmp_path, chart):
    points = vertices(chart)[None, chart.model.keypoints]
    path = saved(
        tmp_path,
        pts68=points,
        pts68_re=points[..., :2] + 1,
        pose_deg=np.array([[5.0, 20, -10]]),
        yaw_deg=[33.0],
    )
    (found,) = of_file(path, chart)
    assert np.degrees(found.angles) == pytest.approx([5, 20, -10])
    assert found.yaw("fitted") == 33 and np.isnan(found.yaw("aflw"))
    assert found.landmarks("reannotated") == pytest.approx(points[0, :, :2] + 1)
    (tmp_path / "names.txt").write_text("a\n")
    assert only([found], read_names(tmp_path / "names.txt"), "names.txt") == [found]
    for names, words in ((["b"], "found 0 pictures"), (["a", "a"], "found it twice"), ([], "found none")):
        with pytest.raises(FacemillError, match=words):
            only([found], names, "names.txt")


def test_each_array_of_a_file_may_count_from_a_pixel_of_its_own(tmp_path, chart):
    points = vertices(chart)[None, chart.model.keypoints, :2]
    path = saved(tmp_path, pts68=points + 1, pts68_re=points, origin=1, pts68_re_origin=0)
    (found,) = of_file(path, chart)
    assert found.landmarks("original") == pytest.approx(found.landmarks("reannotated"))
    assert found.origin() == 1 and found.origin("landmarks68_re") == 0


def test_points_that_nobody_sees_are_nan_or_minus_one_and_do_not_count(tmp_path, chart):
    points = np.random.default_rng(0).uniform(0, 100, (1, 21, 2))
    for hidden in (-1.0, np.nan):
        shown = points.copy()
        shown[0, 3:9] = hidden
        path = saved(tmp_path, pts21=shown, yaw_deg=[0.0])
        (truth,) = of_file(path, chart)
        assert np.isnan(truth.shape.points("aflw21")[3:9]).all()
        predicted = read_shapes(path, chart)["a"]
        assert predicted.finite
        assert protocols.load("aflw21_box21").score(predicted, truth) == 0


def test_what_cannot_be_measured_costs_the_worst_score_and_stops_nothing(tmp_path, chart):
    (truth,) = of_file(saved(tmp_path, vertices=vertices(chart)[None], pose_deg=np.zeros((1, 3))), chart)
    flat = shape(tmp_path, chart, params62=np.zeros((1, 62)))
    for name in ("nme68_3d_similarity", "head_pose", "head_pose_synergynet", "reconstruction"):
        protocol = protocols.load(name)
        assert protocol.score(flat, truth) == protocol.worst
    box = {"roi_box": np.full((1, 4), np.nan), "convention": "3ddfa"}
    assert not shape(tmp_path, chart, params62=params(chart)[None], **box).finite
    (line,) = of_file(
        saved(tmp_path, pts68=np.tile(np.arange(68.0)[None, :, None], (1, 1, 2)) * [1, 0]), chart
    )
    with pytest.raises(Lacking, match="no extent"):
        protocols.load("nme68_2d").score(line.shape, line)


def test_the_command_line_scores_a_file_against_a_file(tmp_path, chart, capsys):
    points = vertices(chart)[None, chart.model.keypoints]
    truth = tmp_path / "truth.npz"
    np.savez(
        truth, names=np.array(["a", "b"]), pts68=np.tile(points, (2, 1, 1)), yaw_deg=np.array([10.0, 50])
    )
    given = saved(tmp_path, pts68=points + np.array([3, 4, 0]))
    out, rows = tmp_path / "out.json", tmp_path / "rows.tsv"
    face_model = ["--set", "face_model.id=npz", "--set", f"face_model.path={model_file(tmp_path)}"]
    words = [
        "score",
        "--protocol",
        "nme68_2d",
        "--truth",
        str(truth),
        "--predictions",
        str(given),
        *face_model,
    ]
    assert main([*words, "--out", str(out), "--scores", str(rows)]) == 0
    said = capsys.readouterr().out
    assert "2 pictures" in said and "1 faces; 1 pictures without a usable one" in said
    figures = json.loads(out.read_text())["protocols"]["nme68_2d"]
    low, high = points[0, :, :2].min(axis=0), points[0, :, :2].max(axis=0)
    assert figures["bins"]["0-30"]["mean"] == pytest.approx(500 / np.sqrt(np.prod(high - low)))
    assert figures["bins"]["30-60"] is None and figures["n"] == 1
    assert [line.split("\t")[5] for line in rows.read_text().splitlines()[1:]] == ["0", "1"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--protocol", "nme68_2d"], "expected --protocol, --truth and --predictions together"),
        (["--protocol", "nme", "--truth", "x", "--predictions", "y"], "unknown protocol 'nme'"),
        (
            ["--protocol", "nme68_2d", "--truth", "x", "--predictions", "y"],
            "unknown data set 'x'.*READER:FOLDER",
        ),
        (["--protocol", "nme68_2d", "--truth", "x.npz", "--predictions", "y"], "no file x.npz"),
    ],
)
def test_a_command_line_that_lacks_something_says_what(capsys, words, said):
    assert main(["score", *words]) == 1
    import re

    assert re.search(said, capsys.readouterr().err)
