"""Annotations that are rows of one big file: their addresses, 3DDFA's training set, and the way through the stages."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from reader_trees import CROPS, pickled, picture, refuses_rows, train_aug
from stage_world import model

from pipeline.config import DetectionSettings
from pipeline.datasets.base import AnnotationProblem
from pipeline.datasets.rows import Loaded, Row, address, parse
from pipeline.datasets.train_aug_120x120 import source_photograph
from pipeline.evaluation.benchmark import AnnotatedTruth, benchmark_pictures
from pipeline.geometry.camera import pose_from_matrix
from pipeline.io.tables import read_status, read_tsv
from pipeline.records import FacemillError, Reason
from pipeline.registry import DATASETS
from pipeline.stages import crop, detect, ground_truth, source

READER = "train_aug_120x120"


def test_an_address_names_file_table_and_row():
    for file, row, table in (("a/b.pkl", 0, ""), ("L#1.mat", 12, "phisT")):
        assert parse(Path("/data") / address(file, row, table)) == Row(Path("/data") / file, row, table)
    for wrong in ("b.pkl", "b.pkl#", "b.pkl#x", "b.pkl#-1", "#3"):
        with pytest.raises(AnnotationProblem, match="expected <file>#<row>") as caught:
            parse(Path("/data") / wrong)
        assert caught.value.reason is Reason.ANNOTATION_MISSING


def test_a_file_is_loaded_once():
    calls = []
    loaded = Loaded(lambda path: calls.append(path) or len(calls))
    assert [loaded[Path("a")], loaded[Path("a")], loaded[Path("b")]] == [1, 1, 2]


@pytest.mark.parametrize(
    ("crop_name", "group"),
    [
        ("AFW_AFW_134212_1_0_1", "AFW_134212"),
        ("AFWFlip_AFW_1051618982_1_0_1", "AFW_1051618982"),
        ("HELEN_HELEN_3051471764_1_8_2", "HELEN_3051471764"),
        ("LFPWFlip_LFPW_image_train_0859_12_2", "LFPW_image_train_0859"),
        ("IBUG_IBUG_image_003_1_0_4", "IBUG_image_003"),
        ("something_else", "something_else"),
    ],
)
def test_the_photograph_behind_a_crop(crop_name, group):
    assert source_photograph(crop_name) == group


@pytest.mark.parametrize(
    ("configs", "name", "width"),
    [("", "param_all_norm.pkl", 62), ("train.configs", "param_all_norm.pkl", 62), ("3dmm_data", None, 102)],
)
def test_train_aug_gives_raw_parameters_and_the_lists_split(tmp_path, configs, name, width):
    raw = train_aug(tmp_path, configs, name or "param_all_norm_v201.pkl", width)
    pictures = DATASETS[READER]().pictures(tmp_path)
    assert [p.id for p in pictures] == [n[:-4] for part in ("train", "val") for n in CROPS[part]]
    assert [p.split for p in pictures] == ["train"] * 3 + ["test"] * 2
    assert [p.group for p in pictures][:2] == ["AFW_134212", "AFW_134212"]
    assert all((tmp_path / p.path).is_file() for p in pictures)
    for subset, part in (("train", "train"), ("test", "val")):
        reader = DATASETS[READER](subset=subset)
        chosen = reader.pictures(tmp_path)
        assert len(chosen) == len(raw[part])
        for one, expected in zip(chosen, raw[part], strict=True):
            (path,) = one.annotations
            found = reader.annotation(tmp_path / path, 120)
            np.testing.assert_allclose(found.matrix.ravel(), expected[:12], atol=1e-12)
            np.testing.assert_allclose(found.shape, expected[12:52], atol=1e-12)
            np.testing.assert_allclose(found.expression, expected[52:], atol=1e-12)
            np.testing.assert_allclose(found.pose, pose_from_matrix(expected[:12].reshape(3, 4)), atol=1e-9)


def test_a_crop_that_is_not_there_is_listed_and_one_set_may_lack_the_list_val(tmp_path):
    train_aug(tmp_path)
    (tmp_path / "train_aug_120x120" / CROPS["train"][0]).unlink()
    (tmp_path / "train_aug_120x120.list.val").unlink()
    assert [p.id for p in DATASETS[READER]().pictures(tmp_path)] == [n[:-4] for n in CROPS["train"]]
    with pytest.raises(FacemillError, match="subset 'test'"):
        DATASETS[READER](subset="test").pictures(tmp_path)


def without(*names):
    def change(root):
        for name in names:
            (root / name).unlink()

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("param_whitening.pkl"), "expected param_whitening.pkl .*take it from"),
        (without("param_all_norm_val.pkl"), "expected param_all_norm_val.pkl beside"),
        (
            without(*(f"train_aug_120x120.list.{p}" for p in CROPS)),
            "expected train_aug_120x120.list.train in",
        ),
        (
            lambda root: (root / "train_aug_120x120").rename(root / "crops"),
            r"expected the crops in .*unpack train_aug_120x120\.zip",
        ),
        (
            lambda root: (root / "train_aug_120x120.list.train").write_text("a.jpg\nb\0.jpg\nc.jpg\n"),
            r"list\.train: expected a text file, found a NUL byte in it",
        ),
        (
            lambda root: (root / "train_aug_120x120.list.train").write_text("a.jpg\n"),
            "each of the 3 rows of param_all_norm.pkl, found 1",
        ),
        (
            lambda root: pickled(root / "param_all_norm.pkl", np.zeros((3, 40))),
            r"shape \(n, 62\) or wider, found float64 of shape \(3, 40\)",
        ),
        (lambda root: pickled(root / "param_all_norm.pkl", [1, 2]), "expected an array .* found list"),
        (lambda root: pickled(root / "param_all_norm.pkl", Path), "refused.* imports pathlib.Path"),
    ],
)
def test_a_part_of_train_aug_that_is_missing_or_does_not_fit_is_named(tmp_path, change, words):
    train_aug(tmp_path)
    change(tmp_path)
    with pytest.raises(FacemillError, match=words):
        DATASETS[READER]().pictures(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"mean": 1}, "expected the keys param_mean, param_std; .*found mean"),
        (np.zeros(3), "expected a dict of arrays, found ndarray"),
        ({"param_mean": np.zeros(62), "param_std": np.zeros(62)}, "62 positive standard deviations"),
    ],
)
def test_whitening_that_is_none_is_named(tmp_path, content, words):
    train_aug(tmp_path)
    pickled(tmp_path / "param_whitening.pkl", content)
    with pytest.raises(FacemillError, match=rf"param_whitening\.pkl: .*{words}"):
        DATASETS[READER]().annotation(tmp_path / "param_all_norm.pkl#0", 120)


def test_a_row_that_gives_no_face_has_a_reason(tmp_path):
    train_aug(tmp_path)
    pickled(tmp_path / "param_whitening.pkl", {"param_mean": np.zeros(62), "param_std": np.ones(62)})
    pickled(tmp_path / "param_all_norm.pkl", np.array([np.full(62, np.nan), np.zeros(62)]))
    reader = DATASETS[READER]()
    refuses_rows(
        reader,
        tmp_path / "param_all_norm.pkl",
        120,
        (0, Reason.ANNOTATION_NOT_FINITE, "#0: 62 of 62 parameters"),
        (1, Reason.ANNOTATION_IMPLAUSIBLE, "#1: expected a camera matrix of rank 3"),
        (2, Reason.ANNOTATION_MISSING, "expected row 2, found 2 rows"),
    )


def test_rows_pass_through_the_stages_and_the_benchmark(tmp_path, monkeypatch):
    data, at = tmp_path / "data", {"dataset": "crops", "shard": "0", "frame": "roi120", "target": "params"}
    raw = train_aug(data, "train.configs")["train"]
    picture(data / "train_aug_120x120" / CROPS["train"][2], seed=99)
    (data / "train_aug_120x120" / CROPS["train"][1]).unlink()
    monkeypatch.setattr(ground_truth, "load_face_model", lambda **_: replace(model(), truncated=True))

    def run(stage, inputs, outputs, settings):
        outputs = {name: str(tmp_path / file) for name, file in outputs.items()}
        stage.run(
            inputs=inputs, outputs=outputs, settings=settings, wildcards=at, attributes={"command": "t"}
        )
        return outputs

    common = {"root": str(data), "shards": 1}
    reading = {**common, "reader": READER}
    table = run(
        source, {}, {"source": "s.tsv"}, {**reading, "subset": "train", "every": 5, "benchmark": False}
    )
    rows = read_tsv(table["source"])
    assert [row["annotations"] for row in rows] == [f"train.configs/param_all_norm.pkl#{k}" for k in range(3)]
    found = run(
        detect,
        table,
        {"detections": "d.h5", "status": "d.tsv"},
        {**common, "detection": DetectionSettings(detector="whole").model_dump()},
    )
    cut = run(
        crop,
        {**table, **found},
        {"crops": "c.h5", "status": "c.tsv"},
        {**common, "whole": True, "crop": {}},
    )
    truth = run(
        ground_truth,
        {**table, "detections": found["detections"], "crops": cut["crops"]},
        {"ground_truth": "g.h5", "status": "g.tsv"},
        {
            **reading,
            "truth": "dense",
            "face_model": {"id": "dome", "path": None},
            "target": {"kind": "params", "size": 120},
        },
    )
    assert [row.reason for row in read_status(found["status"])] == [None, Reason.UNREADABLE, None]
    assert [row.reason for row in read_status(truth["status"])] == [None, None]
    with h5py.File(truth["ground_truth"]) as file:
        np.testing.assert_allclose(file["params"][:], raw[[0, 2]], atol=1e-9)
        np.testing.assert_allclose(file["yaw_deg"][:], [5, 25], atol=1e-9)
    pictures = benchmark_pictures(Path(table["source"]))
    known = AnnotatedTruth(pictures, DATASETS[READER](), data, chart=None)
    yaws = [known.of(one.id).yaw("fitted") for one in pictures]
    np.testing.assert_allclose(yaws, [5, 15, 25], atol=1e-9)
