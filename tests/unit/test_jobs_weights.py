"""A job of detection names every file of weights or boxes that it reads, and the first that is missing is said."""

import shlex
from pathlib import Path

import pytest

from pipeline import provenance
from pipeline.__main__ import main
from pipeline.config import DetectionSettings
from pipeline.io import fetch, sources
from pipeline.io.published import FILES
from pipeline.jobs import job, require_data
from pipeline.jobs.data import weights_behind
from pipeline.jobs.weights import weights_of
from pipeline.records import FacemillError
from pipeline.settings import load

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
        load((), ["systems=[prn]", *(f"detection.{k}={v}" for k, v in detection.items())]),
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
    assert set(weights_behind(config, "synth_test", seen=False).values()) == {
        "box detector",
        "landmark network",
        "depth network",
    }


def test_fan_is_behind_a_model_whose_network_sees_what_it_found():
    config = load((), ["detection={detector: annotation, points: fan}"])
    behind = {
        name: job(config, "train", model=name, seed=0).settings["weights_did"] for name in ("prn", "fan_lift")
    }
    assert behind == {"prn": [], "fan_lift": ["landmark network of synth_train"]}


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


def said(capsys, *arguments):
    """The one line that a verb ends with."""
    assert main([*arguments]) == 1
    return capsys.readouterr().err.removesuffix("\n").split("; type: ")


def test_the_verb_says_which_weights_are_missing_where_and_what_to_type(tmp_path, cache, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("my own.yaml").write_text("detection: {fan_weights: library}\n")
    options = ["--configfile", "my own.yaml", "--set", "results=there"]
    detect = ["detect", "--dataset", "synth_test", "--shard", "0", *options]
    missing, command = said(capsys, *detect)
    assert missing.endswith(
        "no input there/source/synth_test.tsv for python -m pipeline " + " ".join(detect[:5])
    )
    assert command == "snakemake -j8 there/source/synth_test.tsv --configfile 'my own.yaml'"
    Path("there/source").mkdir(parents=True)
    Path("there/source/synth_test.tsv").write_text("")
    missing, command = said(capsys, *detect)
    name = FILES["3dfan"].name
    assert "no input there/fetch/3dfan.json" in missing and f"the note that {name} is in {cache}" in missing
    assert command == "python -m pipeline fetch --source 3dfan --configfile 'my own.yaml' --set results=there"
    assert said(capsys, *detect[:5])[1] == "snakemake -j8 results/source/synth_test.tsv"
    noted = []
    monkeypatch.setattr(fetch, "fetch", lambda row: noted.append(row.id) or Path("my own.yaml"))
    assert main(shlex.split(command)[3:]) == 0 and Path("there/fetch/3dfan.json").is_file()
    assert noted == ["3dfan"]


def test_a_detector_without_networks_reads_no_file():
    for name in ("annotation", "whole"):
        assert weights_of(DetectionSettings(detector=name)) == {}
