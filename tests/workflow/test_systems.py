"""All systems of the default go through the chain together, each at its smallest."""

import json

import cv2
import h5py
import numpy as np
import pytest
import yaml

from pipeline.evaluation.register import METHOD
from pipeline.io.tables import read_tsv
from tests.project import ROOT, fresh

OVERLAY = """\
shards: 1
systems: null
datasets:
  synth_train: {validation: 0.2, synthetic: {pictures: 12, identities: 6, share_several: 0.0, share_none: 0.0}}
  synth_test: {synthetic: {pictures: 6, identities: 6}}
  photos: {reader: photos, root: photos, licence: ours, detection: {detector: whole, points: fan}}
models:
  prn:
    settings: {size: 64, map_size: 32, encoder: mobilenet, width: 4}
    training: &few {batch_size: 2, updates: 2, threads: 1}
  vrn: {settings: &hourglass {size: 24, features: 8, depth: 1}, training: *few}
  vrn_multitask: {settings: *hourglass, training: *few}
  vrn_guided: {settings: *hourglass, training: *few}
  synergynet: {settings: {size: 48, width: 0.125, point_width: 0.125}, training: *few}
  2dasl: {settings: {size: 32, width: 4}, training: *few, unlabelled: [photos]}
  direct3d: {settings: {size: 48, width: 2, hidden: 16}, training: *few}
  lift3d: {settings: {size: 48, width: 2, hidden: 16}, training: *few}
  fan_depth: {settings: {size: 64, features: 16, width: 4, depth_size: 32}, training: *few}
  fan_lift: {settings: {size: 48, hidden: 16}, training: *few}
training: {warmup: 1, validate_every: 2, save_every: 2, log_every: 1, threads: 1}
evaluation: {protocols: [nme68_2d, dense_2d, volume_iou_backfill], lift_seeds: [0, 1]}
"""
PHOTOS = 3
SYSTEMS = tuple(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["models"])
PROTOCOLS = {"nme68_2d", "dense_2d", "volume_iou_backfill"}
POINTS = {"direct3d", "lift3d", "fan_depth", "fan_lift"}
"""Systems whose answer is 68 points."""
VOLUMES = {"vrn", "vrn_multitask", "vrn_guided"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which ``snakemake tables`` has trained and compared every system."""
    project = fresh(tmp_path_factory.mktemp("systems") / "project")
    (project.path / "systems.yaml").write_text(OVERLAY, encoding="utf-8")
    (project.path / "photos").mkdir()
    for k in range(PHOTOS):
        blobs = np.random.default_rng(k).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(project.path / f"photos/{k}.jpg"), cv2.resize(blobs, (160, 160)))
    done = project.snakemake("tables", options=("systems.yaml",))
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture(scope="module")
def blocks(project):
    """The benchmark's block of each system's JSON."""
    found = {name: json.loads((project.path / f"results/eval/{name}.json").read_text()) for name in SYSTEMS}
    assert [value["model"] for value in found.values()] == list(SYSTEMS)
    return {name: value["benchmarks"]["synth_test"] for name, value in found.items()}


def test_the_default_has_the_ten_systems_of_the_papers():
    assert len(SYSTEMS) == 10 and POINTS | VOLUMES | {"prn", "synergynet", "2dasl"} == set(SYSTEMS)


def test_every_system_is_judged_by_the_same_protocols_on_the_same_pictures(blocks):
    for name, block in blocks.items():
        assert set(block["protocols"]) == PROTOCOLS, name
        assert block["images"] == blocks["prn"]["images"] > 0
        assert block["protocols"]["nme68_2d"]["mean_face"]["headline"] > 0, name
        assert block["protocols"]["nme68_2d"]["n"] == block["evaluated"], name
    assert all(blocks[name]["evaluated"] > 0 for name in set(SYSTEMS) - VOLUMES)


def test_what_a_system_does_not_answer_is_null_with_the_reason(blocks):
    for name, block in blocks.items():
        dense, volume = (block["protocols"][protocol] for protocol in ("dense_2d", "volume_iou_backfill"))
        if name in POINTS:
            count = block["evaluated"]
            assert dense["headline"] is volume["headline"] is None
            assert dense["lacking"] == {"a prediction of points has no dense face points": count}
            assert volume["lacking"] == {"a prediction of points has no vertices of the face model": count}
        else:
            assert dense["lacking"] == volume["lacking"] == {}
            assert None not in (dense["mean_face"]["headline"], volume["mean_face"]["headline"]), name


def test_the_json_says_how_the_landmarks_were_found(blocks):
    said = {name: block["landmarks"] for name, block in blocks.items()}
    assert said["vrn"] == METHOD
    assert said["vrn_multitask"] == said["vrn_guided"] == f"heat-maps; their depth: {METHOD}"
    assert said["synergynet"] == said["2dasl"] == "vertices of the face model"
    assert {said[name] for name in POINTS} == {"the network's answer"}


def test_the_tables_name_every_system(project):
    tables = project.path / "results/tables"
    for name in ("comparison.md", "models.md"):
        rows = (tables / name).read_text(encoding="utf-8")
        assert [system for system in SYSTEMS if f"| {system} |" not in rows] == [], name


def test_every_target_has_a_balance_and_every_system_weights_a_card_and_curves(project):
    results = project.path / "results"
    assert {row["target"] for row in read_tsv(results / "ledger.tsv")} == {
        "posmap32",
        "volume",
        "params",
        "landmarks",
    }
    for name in SYSTEMS:
        assert json.loads((results / f"train/{name}/seed0/card.json").read_text())["training"]["updates"] == 2
        assert (results / f"cards/{name}.md").is_file() and (results / f"train/{name}/curves.svg").is_file()


def test_nothing_is_left_to_do(project):
    done = project.snakemake("tables", options=("-n", "systems.yaml"))
    assert "Nothing to be done" in done.stdout + done.stderr, done.stdout + done.stderr


def test_photos_without_truth_are_learnt_from_by_the_one_system_that_can(project):
    results = project.path / "results"
    packs = sorted(str(path.relative_to(results / "pack")) for path in results.glob("pack/*/*/photos/*.h5"))
    assert packs == ["fan192/params/photos/train.h5"]
    with h5py.File(results / "pack" / packs[0]) as pack:
        assert pack.attrs["truth"] == "none" and len(pack["face"]) == PHOTOS
        assert np.isfinite(pack["detected68"][:]).all() and np.isnan(pack["landmarks68"][:]).all()
    rows = [row for row in read_tsv(results / "ledger.tsv") if row["dataset"] == "photos"]
    assert [(row["target"], row["kept"], row["reaped"]) for row in rows] == [("params", str(PHOTOS), "0")]


def test_the_position_maps_network_is_the_one_that_was_asked_for(project):
    card = json.loads((project.path / "results/train/prn/seed0/card.json").read_text())
    assert card["settings"]["encoder"] == "mobilenet" and card["settings"]["map_size"] == 32
    with h5py.File(project.path / "results/infer/prn/seed0/synth_test.h5") as answers:
        assert answers["map"].shape[1:] == (32, 32, 3)


def test_lifting_is_compared_with_direct_over_seeds_of_its_own(project):
    done = project.snakemake("table_lift", options=("systems.yaml",))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (project.path / "results/lift/lift.md").read_text(encoding="utf-8")
    assert "lift3d" in rows and "direct3d" in rows and "fan_lift" in rows
    trained = {
        path.parent.name for path in (project.path / "results/train/lift3d").glob("*/weights.safetensors")
    }
    assert trained == {"seed0", "seed1"}
