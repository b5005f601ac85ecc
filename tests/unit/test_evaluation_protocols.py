"""Protocols on predictions whose error is known."""

import numpy as np
import pytest
from evaluation_cases import annotation, model

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart, read_bilinear
from pipeline.evaluation.shapes import Lacking, PoseShape
from pipeline.evaluation.surfaces import MapShape
from pipeline.evaluation.truth import Truth, of_annotation
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.posmap import UVTable
from pipeline.metrics.normalisers import box_size
from pipeline.records import FacemillError

ALL = protocols.names()


@pytest.fixture(scope="module")
def chart(tmp_path_factory) -> Chart:
    return Chart(model(tmp_path_factory.mktemp("model")))


def face(chart: Chart, truth, change=lambda vertices: vertices, size: int = 64) -> tuple[MapShape, Truth]:
    """The face as a network would predict it whose only error is ``change``, on a map of side ``size``; its truth."""
    vertices = truth.vertices(chart.model)
    table = UVTable(chart.model.uv, chart.model.uv_triangles, chart.model.triangles, size)
    return MapShape(chart, table.gather(change(vertices))), of_annotation("a", truth, chart)


def test_reading_between_texels_is_linear():
    row, column = np.mgrid[0:5, 0:5].astype(float)
    plane = np.stack([2 * column + 3 * row, column * 0 + 7], axis=-1)
    found = read_bilinear(plane, np.array([[0.0, 1.0], [1.0, 0.0], [0.3, 0.55]]))
    assert found == pytest.approx(np.array([[0, 7], [20, 7], [2 * 1.2 + 3 * 1.8, 7]]))


def test_the_landmarks_of_a_map_are_those_of_its_mesh(chart):
    truth = annotation(5, 20, -5)
    at_vertices, true = face(chart, truth, size=26)
    assert at_vertices.landmarks() == pytest.approx(true.landmarks("original"), abs=1e-3)
    assert at_vertices.vertices("all") == pytest.approx(true.shape.vertices("all"), abs=1e-3)
    between, _ = face(chart, truth, size=96)
    assert np.abs(between.landmarks() - true.landmarks("original")).max() < 0.6


def test_dense_points_are_the_face_and_the_same_on_maps_of_any_side(chart):
    assert 0.5 < chart.face_mask(64).mean() < 0.8
    truth = annotation(0, 40, 10)
    for size in (26, 64, 128):
        found, true = face(chart, truth, size=size)
        assert found.face(64).shape == true.shape.face(64).shape == (chart.face_mask(64).sum(), 3)
        assert np.linalg.norm(found.face(64) - true.shape.face(64), axis=1).mean() < 0.1


@pytest.mark.parametrize(
    "name", ["nme68_2d", "dense_3d", "vertices_2d", "noneck_3d", "reconstruction", "head_pose"]
)
def test_a_map_of_the_truth_scores_next_to_nothing(chart, name):
    limit = {"%": {"reconstruction": 1.2}.get(name, 0.35), "deg": 4.0}
    protocol = protocols.load(name)
    assert 0 <= protocol.score(*face(chart, annotation(-10, 35, 8))) < limit[protocol.unit]


@pytest.mark.parametrize("name", ["nme68_2d", "nme68_3d", "nme68_3d_zmean", "dense_2d", "dense_3d"])
def test_a_shift_in_the_picture_gives_its_length_over_the_box(chart, name):
    truth = annotation(0, 50, 0)
    shifted = face(chart, truth, lambda v: v + np.array([3.0, -4.0, 25.0]))
    expected = 100 * 5.0 / box_size(shifted[1].landmarks("original"))
    assert protocols.load(name).score(*shifted) == pytest.approx(expected, rel=0.02)


def test_a_shift_is_no_error_of_surface_or_pose(chart):
    truth = annotation(0, 50, 0)
    for name in ("reconstruction", "reconstruction_known", "head_pose", "head_pose_geodesic"):
        protocol = protocols.load(name)
        moved = protocol.score(*face(chart, truth, lambda v: v + np.array([30.0, -40.0, 25.0])))
        assert moved == pytest.approx(protocol.score(*face(chart, truth)), abs=0.01)


def test_the_legacy_pixel_origin_moves_the_truth_by_one_pixel_each_way(chart):
    truth = annotation(0, 0, 0)
    legacy = protocols.load("nme68_2d_legacy")
    assert legacy.score(*face(chart, truth, lambda v: v + np.array([1.0, 1.0, 0.0]), size=26)) < 1e-3
    expected = 100 * np.sqrt(2) / box_size(truth.landmarks(chart.model))
    assert legacy.score(*face(chart, truth, size=26)) == pytest.approx(expected, rel=1e-3)


def test_the_rule_for_depth_matters_where_a_single_point_is_off(chart):
    def push_one_back(vertices):
        out = vertices.copy()
        out[chart.model.keypoints[0], 2] = vertices[:, 2].min() - 40
        return out

    spoiled = face(chart, annotation(0, 0, 0), push_one_back, size=26)
    assert protocols.load("nme68_3d").score(*spoiled) > 3 * protocols.load("nme68_3d_zmean").score(*spoiled)


@pytest.mark.parametrize(("axis", "name"), [(0, "pitch"), (1, "yaw"), (2, "roll")])
def test_a_turn_about_one_axis_is_measured_in_that_angle_and_as_a_rotation(chart, axis, name):
    turned = [0.0, 0.0, 0.0]
    turned[axis] = 12.0
    truth = annotation(0, 0, 0, shape=0.0)
    other = annotation(*turned, shape=0.0).vertices(chart.model)
    found = face(chart, truth, lambda v: other)
    assert protocols.load(f"head_pose_{name}").score(*found) == pytest.approx(12, abs=0.6)
    assert protocols.load("head_pose_geodesic").score(*found) == pytest.approx(12, abs=0.6)
    assert protocols.load("head_pose").score(*found) == pytest.approx(4, abs=0.6)


def test_a_label_beyond_a_right_angle_is_compared_with_the_nearer_name_of_the_rotation(chart):
    exact = face(chart, annotation(5, 96, 3, shape=0.0))
    assert protocols.load("head_pose").score(*exact) < 2.0


def test_a_label_beyond_99_degrees_is_left_out_of_head_pose_only(chart):
    beyond, true = face(chart, annotation(0, -100, 0))
    assert protocols.load("head_pose").leaves_out(true) and not protocols.load("nme68_2d").leaves_out(true)
    assert protocols.load("nme68_2d").score(beyond, true) < 0.5


def test_a_prediction_in_one_place_gets_the_worst_score_where_it_cannot_be_measured(chart):
    collapsed = face(chart, annotation(0, 0, 0), lambda v: np.zeros_like(v))
    assert protocols.load("head_pose").score(*collapsed) == 90
    assert protocols.load("head_pose_geodesic").score(*collapsed) == 180
    assert protocols.load("reconstruction").score(*collapsed) == 100


def test_a_turned_prediction_has_no_surface_error(chart):
    truth = annotation(0, 10, 0)
    rotation = rotation_from_angles(0.2, -0.3, 0.5)
    turned = face(chart, truth, lambda v: (v - v.mean(axis=0)) @ rotation.T + v.mean(axis=0))
    assert protocols.load("reconstruction_known").score(*turned) < 0.3
    assert protocols.load("nme68_2d").score(*turned) > 5


def test_a_prediction_without_what_a_protocol_compares_says_what_is_missing(chart):
    _, true = face(chart, annotation(0, 0, 0))
    angles = PoseShape(np.array([1.0, 2.0, 3.0]))
    assert protocols.load("head_pose").score(angles, true) == pytest.approx(2)
    for name, words in (
        ("nme68_2d", "68 landmarks"),
        ("dense_2d", "dense face points"),
        ("volume_iou", "vertices"),
    ):
        with pytest.raises(Lacking, match=words):
            protocols.load(name).score(angles, true)
    with pytest.raises(Lacking, match="aflw21"):
        protocols.load("aflw21").score(angles, true)


@pytest.mark.parametrize("name", ALL)
def test_a_protocol_says_what_it_is(name):
    protocol = protocols.load(name)
    assert (
        protocol.id == name and protocol.title and protocol.source and protocol.paper
    ) or "similarity" in name
    assert protocol.beside is None or protocol.beside in ALL
    angle = 180 if "geodesic" in name else 90
    assert protocol.worst == {"%": 100, "deg": angle, "1": 0}[protocol.unit]
    assert (protocol.better == "higher") == (protocol.unit == "1")


def test_every_protocol_by_nearest_points_names_one_by_known_points_beside_it():
    for name in ALL:
        measure = protocols.load(name).measure
        if measure.kind in ("nearest", "rigid", "script", "scan_to_mesh"):
            beside = protocols.load(protocols.load(name).beside).measure
            known = beside.kind in ("points", "known") or getattr(beside, "correspondence", None) == "index"
            assert known, name


def test_an_unknown_protocol_or_key_is_refused_with_what_was_meant():
    with pytest.raises(FacemillError, match="Did you mean 'nme68_2d'"):
        protocols.load("nme68_2")
    content = {"title": "t", "unit": "%", "worst": 100, "source": "s", "measure": {"kind": "points"}}
    with pytest.raises(FacemillError, match="points"):
        protocols.parse("mine", content)
    with pytest.raises(FacemillError, match="protocol mine"):
        protocols.parse("mine", None)
