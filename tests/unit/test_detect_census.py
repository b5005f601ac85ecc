"""The census on a small world where every figure is known by hand."""

import numpy as np
import pytest

from pipeline.evaluation.census import FoundFace, TrueFace, census, matched
from pipeline.geometry.boxes import landmark_box

SQUARE = np.random.default_rng(0).uniform(0, 1, (68, 2))
SQUARE[0], SQUARE[1] = 0, 1
FACE = 100 * SQUARE + 50  # sqrt(w h) = 100


def true(picture, yaw=0.0, kind="ordinary", hidden=0.0, inside=1.0, shift=0.0):
    return TrueFace(picture, kind, FACE + shift, yaw, hidden, inside)


def seen(name, error=0.0, shift=0.0):
    points = FACE + shift + [error, 0]
    return FoundFace(name, name.split("#")[0], landmark_box(FACE + shift), points)


def test_every_figure():
    truth = [
        true("a"),
        true("b", yaw=-59),
        true("c", yaw=75),
        true("d", hidden=0.5),
        true("e"),
        true("f"),
        true("f", shift=200),
        true("g", inside=0.7),
    ]
    found = [
        seen("a#0", 2.0),
        seen("b#0", 6.0),
        seen("c#0", 20.0),
        seen("e#0", 4.0, shift=2000),
        seen("f#0", 1.0),
        seen("f#1", 1.0, shift=200),
        seen("g#0", 3.0),
        seen("none#0"),
        seen("none2#0"),
    ]
    reaped = {"b#0": "implausible", "f#1": "another_chosen", "none#0": "implausible", "none3": "no_face"}
    figures = census(truth, ["none", "none2", "none3", "none4"], found, reaped, rows=12)
    assert figures["faces"] == 8 and figures["pictures_without_face"] == 4
    # unoccluded, inside, to 60 degrees: a, b, e and both of f; e was not found
    assert figures["detector"]["found_unoccluded_yaw_60"] == pytest.approx(4 / 5)
    assert figures["detector"]["found_all"] == pytest.approx(6 / 8)
    assert figures["detector"]["false_boxes"] == 2
    assert figures["detector"]["false_boxes_per_50_pictures"] == 25
    near = figures["landmarks"]["yaw_to_60"]
    assert near["faces"] == 7 and near["found"] == pytest.approx(5 / 7, abs=1e-4)
    assert near["median_point_error"] == pytest.approx(2.0)  # of 2, 6, 1, 1, 3
    assert near["mean_face_nme"] == pytest.approx(13 / 5)
    far = figures["landmarks"]["yaw_beyond_60"]
    assert far["median_face_nme"] == pytest.approx(20.0) and far["faces_within_10"] == 0
    # right, whole and alone: a and b; b was reaped
    assert figures["false_rejects"] == {"faces": 2, "reaped": 0.5, "reasons": {"implausible": 1}}
    assert figures["pictures_without_face_accepted"] == 1  # none2
    assert figures["ledger"]["reaped"] == pytest.approx(4 / 12, abs=1e-4)
    assert figures["ledger"]["reasons"] == {"another_chosen": 1, "implausible": 2, "no_face": 1}


def test_a_false_face_counts_as_accepted_though_it_has_no_annotation():
    """In the chain every face of a picture without one is reaped in the end: there is no truth for it."""
    found = [seen("none#0"), seen("none2#0"), seen("none3#0")]
    reaped = {"none#0": "annotation_missing", "none2#0": "unmatched", "none3#0": "implausible"}
    figures = census([], ["none", "none2", "none3"], found, reaped, rows=3)
    assert figures["pictures_without_face_accepted"] == 2


def test_a_found_face_answers_for_one_true_face_only():
    truth = [true("a"), true("a", shift=20)]
    pairs = matched(truth, [seen("a#0", shift=19)])
    assert list(pairs) == [1]


def test_nothing_found_is_no_division_by_zero():
    figures = census([], [], [], {}, rows=0)
    assert figures["landmarks"]["yaw_to_60"]["median_point_error"] is None
    assert figures["detector"]["false_boxes_per_50_pictures"] is None
