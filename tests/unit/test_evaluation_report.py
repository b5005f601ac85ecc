"""The JSON of a model: seeds, failures, the mean face, and what it refuses."""

import json

import pytest

from pipeline.evaluation import protocols
from pipeline.evaluation.report import benchmark_block
from pipeline.evaluation.score import LEFT_OUT, TRUTH_FLOOR, Score
from pipeline.records import FacemillError

NME = protocols.load("nme68_2d")
POSE = protocols.load("head_pose")
MEANS = [
    "balanced",
    "balanced_with_failures",
    "plain",
    "plain_with_failures",
    "median",
    "auc",
    "failure_rate",
]
HEAD = ["unit", "better", "aggregate", "headline", "headline_with_failures"]
KEYS = {*HEAD, "n", "bins", *MEANS, "std", "left_out", "lacking"}


def scores(values: dict[str, float | None], yaw: dict[str, float], failed: str = "") -> list[Score]:
    rows = []
    for name, value in values.items():
        if name in failed:
            rows += [Score(name, p.id, p.worst, yaw[name], True) for p in (NME, POSE)]
            continue
        rows.append(Score(name, NME.id, value, yaw[name], False))
        beyond = abs(yaw[name]) > 99
        pose = (None, yaw[name], False, LEFT_OUT) if beyond else (value / 2, yaw[name], False)
        rows.append(Score(name, POSE.id, *pose))
        rows.append(Score(name, TRUTH_FLOOR, 0.5, yaw[name], False))
    return rows


YAW = {"a": 0.0, "b": -45.0, "c": 80.0, "d": 100.0}
FIRST = scores({"a": 2, "b": 4, "c": 6, "d": 10}, YAW)
SECOND = scores({"a": 4, "b": 6, "c": 8, "d": 12}, YAW)
MEAN = scores({"a": 20, "b": 20, "c": 20, "d": 20}, YAW)


def test_one_seed_gives_its_own_figures_and_no_spread():
    block = benchmark_block({"0": FIRST}, MEAN, [NME, POSE])
    assert (block["images"], block["evaluated"], block["failed"]) == (4, 4, 0)
    found = block["protocols"]["nme68_2d"]
    assert set(found) == KEYS | {"interval", "seeds", "spread", "mean_face"}
    assert {key: found[key] for key in KEYS} == found["seeds"]["0"]
    assert found["headline"] == found["balanced"] and found["aggregate"] == "balanced"
    assert found["interval"] == pytest.approx([found["balanced"]] * 2, abs=1.4), "one bin has two pictures"
    assert found["balanced"] == pytest.approx((2 + 4 + 8) / 3)
    assert found["spread"] == 0.0
    assert found["mean_face"]["balanced"] == 20.0
    assert set(found["mean_face"]) == set(found["seeds"]["0"]) == KEYS
    json.dumps(block, allow_nan=False)


def test_several_seeds_give_the_mean_of_their_figures_and_a_spread():
    found = benchmark_block({"0": FIRST, "7": SECOND}, MEAN, [NME])["protocols"]["nme68_2d"]
    assert found["balanced"] == pytest.approx((2 + 4 + 8) / 3 + 1)
    assert found["spread"] == pytest.approx(2)
    assert found["bins"]["60-90"] == {"mean": 9.0, "std": 2.0, "n": 2}
    assert set(found["seeds"]) == {"0", "7"}
    assert all(set(block) == KEYS and block["unit"] == "%" for block in found["seeds"].values())


def test_evaluated_and_failed_add_up_to_the_images_and_failures_cost_the_worst_score():
    failing = scores({"a": 2, "b": 4, "c": 6, "d": 10}, YAW, failed="d")
    block = benchmark_block({"0": failing}, MEAN, [NME])
    assert block["evaluated"] + block["failed"] == block["images"] == 4
    assert block["failed"] == 1
    found = block["protocols"]["nme68_2d"]
    assert found["n"] == 3 and found["balanced"] == pytest.approx(4)
    assert found["balanced_with_failures"] == pytest.approx((2 + 4 + (6 + 100) / 2) / 3)


def test_a_protocol_counts_only_the_pictures_that_it_does_not_leave_out():
    block = benchmark_block({"0": FIRST}, MEAN, [NME, POSE])
    assert block["protocols"]["head_pose"]["n"] == 3
    assert block["protocols"]["head_pose"]["unit"] == "deg"
    assert block["images"] == 4


def test_a_failed_picture_that_the_protocol_leaves_out_does_not_count_there_and_has_still_failed():
    failing = [score for score in FIRST if score.picture != "d"]
    failing += [Score("d", NME.id, NME.worst, 100.0, True), Score("d", POSE.id, None, 100.0, True, LEFT_OUT)]
    block = benchmark_block({"0": failing}, MEAN, [NME, POSE])
    assert (block["images"], block["failed"]) == (4, 1)
    pose = block["protocols"]["head_pose"]
    assert pose["n"] == 3 and pose["balanced_with_failures"] == pose["balanced"]
    assert pose["headline"] == pose["plain"] and pose["left_out"] == 1


def test_an_empty_bin_is_null_down_to_the_json():
    few = [score for score in FIRST if score.picture != "b"]
    block = benchmark_block({"0": few}, few, [NME])
    found = json.loads(json.dumps(block))["protocols"]["nme68_2d"]
    assert found["bins"]["30-60"] is None
    assert found["balanced"] is None and found["spread"] is None and found["mean_face"]["balanced"] is None


def test_the_floor_of_the_truth_stands_in_the_block():
    floor = benchmark_block({"0": FIRST}, MEAN, [NME])["truth_floor"]
    assert floor == {"protocol": "nme68_2d", "unit": "%", "balanced": 0.5, "plain": 0.5}


def test_scores_of_different_pictures_are_refused():
    with pytest.raises(FacemillError, match="different runs"):
        benchmark_block({"0": FIRST, "1": SECOND[:3]}, MEAN, [NME])
    with pytest.raises(FacemillError, match="at least one seed"):
        benchmark_block({}, MEAN, [NME])
    with pytest.raises(FacemillError, match="no scores under dense_2d"):
        benchmark_block({"0": FIRST}, MEAN, [protocols.load("dense_2d")])


def test_a_model_without_what_a_protocol_compares_has_null_there_with_the_reason():
    lacking = [Score(name, NME.id, None, YAW[name], False, "no landmarks") for name in "abc"]
    lacking.append(Score("d", NME.id, NME.worst, YAW["d"], True))
    found = benchmark_block({"0": lacking}, MEAN, [NME])["protocols"]["nme68_2d"]
    assert found["lacking"] == {"no landmarks": 3} and found["n"] == 0
    assert found["headline"] is found["headline_with_failures"] is found["auc"] is found["interval"] is None
    assert found["bins"] == {"0-30": None, "30-60": None, "60-90": None}
    assert found["mean_face"]["headline"] == 20.0


def test_pictures_without_a_score_for_a_reason_are_counted_beside_those_with_one():
    partly = [*FIRST, Score("e", NME.id, None, 5.0, False, "no re-annotation")]
    mean = [*MEAN, Score("e", NME.id, 20.0, 5.0, False)]
    found = benchmark_block({"0": partly}, mean, [NME])["protocols"]["nme68_2d"]
    assert found["n"] == 4 and found["lacking"] == {"no re-annotation": 1}


def test_the_order_of_the_pictures_changes_nothing():
    forward = benchmark_block({"0": FIRST}, MEAN, [NME, POSE])
    assert benchmark_block({"0": FIRST[::-1]}, MEAN[::-1], [NME, POSE]) == forward
