"""What must hold for any face, under the protocols as a user calls them."""

from pathlib import Path

import numpy as np
import pytest
from evaluation_cases import annotation, model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.report import figures
from pipeline.evaluation.score import score_face
from pipeline.evaluation.shapes import PointsShape
from pipeline.evaluation.surfaces import MeshShape
from pipeline.evaluation.truth import Truth, of_annotation
from pipeline.geometry.euler import rotation_from_angles

NME = protocols.load("nme68_2d")
POINTS = [protocols.load(name) for name in protocols.names() if protocols.load(name).measure.kind == "points"]
PLAIN = [p for p in POINTS if p.measure.align == "none" and p.measure.points == "landmarks68"]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
shifts = st.tuples(*[st.floats(-200, 200)] * 2)
seeds = st.integers(0, 2**31)


@pytest.fixture(scope="module")
def chart(tmp_path_factory) -> Chart:
    return Chart(model(tmp_path_factory.mktemp("model")))


def points(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.uniform(0, 300, (68, 3))
    return truth + random.normal(0, 5, truth.shape), truth


def score(protocol, predicted: np.ndarray, truth: np.ndarray) -> float:
    named = {"landmarks68_re": truth[:, :2]}
    true = Truth("a", PointsShape(truth, truth, named), np.zeros(3), {"fitted": 0.0, "aflw": 0.0})
    return protocol.score(PointsShape(predicted, truth), true)


@QUICK
@given(seeds, shifts, st.floats(0.1, 10))
@pytest.mark.parametrize("protocol", PLAIN, ids=lambda p: p.id)
def test_the_nme_does_not_change_with_the_place_and_size_of_both(protocol, seed, shift, scale):
    predicted, truth = points(seed)
    moved = score(protocol, predicted * scale + [*shift, 0], truth * scale + [*shift, 0])
    assert moved == pytest.approx(score(protocol, predicted, truth), rel=1e-9)


@QUICK
@given(seeds, shifts)
@pytest.mark.parametrize("protocol", PLAIN, ids=lambda p: p.id)
def test_a_shift_of_all_points_gives_its_length_over_the_normaliser(protocol, seed, shift):
    _, truth = points(seed)
    size = np.sqrt(np.prod(np.ptp(truth[:, :2], axis=0)))
    expected = 100 * np.hypot(*shift) / size
    assert score(protocol, truth + np.array([*shift, 0]), truth) == pytest.approx(
        expected, rel=1e-9, abs=1e-9
    )


@QUICK
@given(st.tuples(*[st.floats(-0.5, 0.5)] * 3), shifts)
def test_a_turned_and_shifted_copy_has_no_error_of_surface(chart, angles, shift):
    true = of_annotation("a", annotation(0, 10, 0), chart)
    whole = true.shape.vertices("all")
    turned = (whole - whole.mean(axis=0)) @ rotation_from_angles(*angles).T + [*shift, 7]
    for name in ("reconstruction", "reconstruction_known"):
        assert protocols.load(name).score(MeshShape(chart, turned), true) < 1e-3


@QUICK
@given(seeds)
def test_the_order_of_the_pictures_changes_no_figure(seed):
    random = np.random.default_rng(seed)
    rows = []
    for k in range(9):
        _, truth = points(seed + k)
        true = Truth(
            f"p{k}", PointsShape(truth, truth), np.zeros(3), {"fitted": float(random.uniform(0, 90))}
        )
        shape = None if k == 3 else PointsShape(truth + random.normal(0, 3, truth.shape), truth)
        rows += score_face(shape, true, [NME])
    shuffled = [rows[k] for k in random.permutation(len(rows))]
    assert figures(shuffled, NME) == figures(rows, NME)


def test_a_missing_picture_changes_the_failures_and_nothing_silently():
    _, truth = points(1)
    trues = [Truth(f"p{k}", PointsShape(truth, truth), np.zeros(3), {"fitted": 30.0 * k}) for k in range(3)]
    shapes = [PointsShape(truth + np.array([k + 1, 0, 0]), truth) for k in range(3)]
    all_of = [row for s, t in zip(shapes, trues, strict=True) for row in score_face(s, t, [NME])]
    without = [
        row for s, t in zip([*shapes[:2], None], trues, strict=True) for row in score_face(s, t, [NME])
    ]
    full, less = figures(all_of, NME), figures(without, NME)
    assert full["failure_rate"] == 0 and less["failure_rate"] == pytest.approx(1 / 3)
    assert less["n"] == 2 and less["plain_with_failures"] > full["plain_with_failures"]
    assert less["bins"]["0-30"] == full["bins"]["0-30"]


def test_scoring_writes_into_nothing(chart):
    true = of_annotation("a", annotation(0, 10, 0), chart)
    whole = true.shape.vertices("all").copy()
    shape = MeshShape(chart, whole)
    before = whole.copy()
    for name in Path(protocols.FOLDER).glob("*.yaml"):
        score_face(shape, true, [protocols.load(name.stem)])
    assert (whole == before).all() and true.shape.vertices("all") == pytest.approx(before)
