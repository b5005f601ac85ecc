"""A job of detection names every file of weights or boxes that it reads, and the first that is missing is said."""

from pathlib import Path

import pytest

from pipeline import provenance
from pipeline.config import DetectionSettings
from pipeline.io import sources
from pipeline.io.published import FILES
from pipeline.jobs import job, require_data
from pipeline.jobs.data import weights_behind
from pipeline.jobs.weights import weights_of
from pipeline.records import FacemillError
from pipeline.settings import load
from pipeline.verbs import chain

SHIPPED = "pipeline/detect/weights"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty torch cache."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def inputs(**detection):
    described = job(
        load((), [f"detection.{k}={v}" for k, v in detection.items()]),
        "detect",
        dataset="synth_test",
        shard=0,
    )
    return {name: paths for name, paths in described.inputs.items() if name != "source"}


@pytest.mark.parametrize(
    ("detection", "weights", "boxes", "fetched"),
    [
        ({}, [f"{SHIPPED}/detector.safetensors", f"{SHIPPED}/fan.safetensors"], [], []),
        ({"detector": "whole"}, [], [], []),
        (
            {"detector": "sfd", "weights": "library", "fan_weights": "library", "landmarks": "2d"},
            [],
            [],
            ["2dfan", "sfd"],
        ),
        (
            {"detector": "blazeface_back", "weights": "/w/blazefaceback.pth"},
            ["/w/blazefaceback.pth", "/w/anchorsback.npy", f"{SHIPPED}/fan.safetensors"],
            [],
            [],
        ),
        ({"detector": "dlib"}, [f"{SHIPPED}/fan.safetensors"], [], []),
        (
            {"detector": "dlib", "device": "cuda", "weights": "library"},
            [f"{SHIPPED}/fan.safetensors"],
            [],
            ["dlib"],
        ),
        (
            {"detector": "boxes", "boxes": "${B}/boxes.tsv", "fan_weights": "library", "landmarks": "3d"},
            [],
            ["${B}/boxes.tsv"],
            ["3dfan", "depth"],
        ),
        (
            {"detector": "boxes", "landmarks": "3d", "depth_weights": "/w/depth.pth"},
            [f"{SHIPPED}/fan.safetensors", "/w/depth.pth"],
            [],
            [],
        ),
    ],
)
def test_the_job_names_its_files(detection, weights, boxes, fetched):
    found = inputs(**detection)
    assert sorted(found["weights"]) == sorted(weights) and found["boxes"] == boxes
    assert sorted(found.get("fetched", [])) == [f"results/fetch/{source}.json" for source in fetched]


def test_the_code_of_the_detector_in_use_is_behind_the_job():
    described = job(load((), ["detection.detector=boxes"]), "detect", dataset="synth_test", shard=0)
    parts = provenance.code_parts(*described.modules)
    assert {"pipeline.detect.given", "pipeline.detect.depth", "pipeline.models.fan_depth"} <= set(parts)
    own = ["detection.detector=yunet", "detection.weights=library"]
    parts = provenance.code_parts(*job(load((), own), "detect", dataset="synth_test", shard=0).modules)
    assert "pipeline.detect.library" in parts and "library face-alignment" in parts


def test_a_published_file_is_fetched_by_a_job_and_so_need_not_be_there(cache):
    config = load((), ["detection.fan_weights=library", "detection.landmarks=3d"])
    require_data(config)
    assert set(weights_behind(config, "synth_test").values()) == {
        "box detector",
        "landmark network",
        "depth network",
    }


def test_every_published_file_is_one_of_the_sources():
    rows = sources.sources()
    for name, file in FILES.items():
        assert Path(rows[name].name).name == file.name and rows[name].address == file.url


def test_a_data_sets_own_detection_is_asked_for_too(tmp_path):
    config = load((), ["datasets.synth_test.detection={detector: boxes, boxes: /nowhere/b.tsv}"])
    with pytest.raises(
        FacemillError, match=r"datasets\.synth_test\.detection\.boxes: .*nothing at /nowhere/b\.tsv"
    ):
        require_data(config)


def test_the_verb_says_the_same_of_a_missing_input(tmp_path):
    config = load((), ["detection.fan_weights=library", f"results={tmp_path}"])
    todo = job(config, "detect", dataset="synth_test", shard=0)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "synth_test.tsv").write_text("")
    with pytest.raises(FacemillError, match=r"no input \S+/fetch/3dfan\.json.*type: snakemake"):
        chain.require_inputs(todo)


def test_a_detector_without_networks_reads_no_file():
    for name in ("annotation", "whole"):
        assert weights_of(DetectionSettings(detector=name)) == {}
