"""Benchmarks with points alone, judged by the chain: their protocols give figures, all others the reason why not."""

from pathlib import Path

import numpy as np
import pytest
from evaluation_cases import annotation, model, write_pack
from points_chain import PointsChain
from reader_trees import AFLW_NAMES, aflw

from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.predictions import shapes
from pipeline.evaluation.report import benchmark_block
from pipeline.evaluation.score import read_scores
from pipeline.io import hdf5
from pipeline.morphable import load_face_model
from pipeline.records import PACK
from pipeline.registry import DATASETS

NAMES = ["aflw21_box21", "aflw21", "nme68_2d", "dense_2d", "head_pose"]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """The scores of an untrained network on AFLW's crops, by picture and protocol, the chain and its predictions."""
    folder = tmp_path_factory.mktemp("aflw")
    detection = f"reader: aflw, root: {folder}/data, detection: {{detector: whole}}"
    chain = PointsChain(folder, detection, f"evaluation.protocols={NAMES}".replace("'", ""), frame="roi120")
    aflw(folder / "data", "archive")
    chain.run("source", "detect", "crop")
    chain.ledger()
    pack, predictions = chain.infer()
    small = model(folder)
    (train,) = chain.job("score").inputs["train"][:1]
    for path in chain.job("score").inputs["train"]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_pack(Path(path), small, {"a#0": annotation(0, 0, 0)})
    assert train
    chain.run("score")
    with hdf5.open_checked(pack, PACK) as opened:
        chart = Chart(load_face_model("procedural"))
        maps = {found.picture: face.position_map for found, face in shapes(predictions, opened, chart)}
    return read_scores(Path(chain.job("score").outputs["scores"])), maps, chain.data


def test_21_visible_points_are_means_of_the_predicted_68(judged):
    scores, maps, root = judged
    found = {s.picture: s for s in scores["model"] if s.protocol == "aflw21_box21"}
    assert set(found) == set(AFLW_NAMES) and not any(score.failed for score in found.values())
    chart, reader = Chart(load_face_model("procedural")), DATASETS["aflw"]()
    mapping = protocols.load("aflw21").measure.mapping
    for picture in reader.pictures(root):
        true = reader.annotation(root / picture.annotations[0], 120)
        points, shown = true.points["aflw21"], np.isfinite(true.points["aflw21"][:, 0])
        landmarks = chart.landmarks(maps[picture.id])[:, :2]
        predicted = np.stack([landmarks[rows].mean(axis=0) for rows in mapping])
        distance = np.linalg.norm(predicted[shown] - points[shown], axis=1).mean()
        size = np.sqrt(np.prod(np.ptp(points[shown], axis=0)))
        assert found[picture.id].value == pytest.approx(100 * distance / size, rel=1e-6)
        assert found[picture.id].yaw_deg == true.yaw_deg


def test_what_the_truth_lacks_is_said_and_no_picture_counts_as_failed(judged):
    scores, _, _ = judged
    chosen = [protocols.load(name) for name in NAMES]
    block = benchmark_block({"0": scores["model"]}, scores["mean_face"], chosen)
    assert (block["images"], block["failed"], block["truth_floor"]) == (4, 0, None)
    for name, words in (
        ("aflw21", "the truth has no 68 landmarks"),
        ("nme68_2d", "the truth has no 68 landmarks"),
        ("dense_2d", "the truth has no parameters of a face model"),
        ("head_pose", "the truth has no angles"),
    ):
        figures = block["protocols"][name]
        assert figures["headline"] is None and figures["n"] == 0
        assert figures["lacking"] == {words: 4}
    assert block["protocols"]["aflw21_box21"]["headline"] > 0
    assert block["protocols"]["aflw21_box21"]["mean_face"]["headline"] > 0
