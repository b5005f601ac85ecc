"""From a folder of pictures without annotations to a pack, by the labeller: jobs as the config describes them."""

import argparse
import importlib
import json
import pickle

import h5py
import numpy as np
import pytest
from label_world import save_checkpoint, save_face_model, save_statistics, statistics
from stage_world import save_picture

from pipeline import jobs, settings
from pipeline.datasets.base import FaceAnnotation
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.io.tables import read_status, read_tsv
from pipeline.morphable import load_face_model
from pipeline.morphable.params62 import crop_points
from pipeline.morphable.whitening import BESIDE
from pipeline.records import LABELS, FacemillError, Reason
from pipeline.verbs import chain

NAMES = [f"photo_{k}" for k in range(7)]
AT = {"frame": "roi120", "target": "points"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Seven photos, one of them a copy and one unreadable, a face model, statistics and a checkpoint."""
    folder = tmp_path_factory.mktemp("label")
    for k, name in enumerate(NAMES):
        save_picture(folder / f"photos/{name}.jpg", k)
    (folder / "photos/photo_3.jpg").write_bytes((folder / "photos/photo_0.jpg").read_bytes())
    (folder / "photos/photo_4.jpg").write_bytes(b"\xff\xd8 nothing")
    save_face_model(folder / "face.npz")
    save_statistics(folder / "statistics.npz")
    save_checkpoint(folder / "mb.pth")
    return folder


def config(files, results, **changes):
    """The default config with the photos as its one training set, labelled, as crops that need no detector."""
    dataset = {
        "reader": "face_300w_lp",
        "root": str(files / "photos"),
        "labels": "tddfa",
        "detection": {"detector": "whole"},
        "validation": 0.0,
    }
    overlay = {
        "results": str(results),
        "systems": ["prn"],
        "face_model": {"id": "npz", "path": str(files / "face.npz")},
        "datasets": {"synth_train": None, "photos": dataset},
        "targets": {"points": {"kind": "landmarks"}, "map": {"kind": "posmap", "size": 32}},
        "leaks": {"check": False},
        "labelling": {
            "weights": str(files / "mb.pth"),
            "statistics": str(files / "statistics.npz"),
            "agreement": 1000.0,
            "inside": 0.1,
        },
        "models": {"prn": {"train": ["photos"], "target": "map", "settings": {"size": 32}}},
    }
    values = settings.merge(settings.read_yaml(settings.DEFAULT), overlay)
    return settings.parse(settings.merge(values, changes))


def run(config, stage, **wildcards):
    """One job, as its verb runs it; the status by face where it writes one."""
    todo = jobs.job(config, stage, **wildcards)
    chain.require_inputs(todo, argparse.Namespace(configfile=[], assignments=[]))
    importlib.import_module(f"pipeline.stages.{stage}").run(
        inputs=chain.expanded(todo.inputs),
        outputs=todo.outputs,
        settings=json.loads(todo.as_json())["settings"],
        wildcards=todo.wildcards,
        attributes=todo.attributes(),
    )
    return todo.outputs


def run_chain(config):
    """Every job of the photos up to their pack; the outputs by stage, the last shard's."""
    outputs = {"source": run(config, "source", dataset="photos")}
    for shard in range(config.shards):
        at = {"dataset": "photos", "shard": shard}
        outputs["detect"] = run(config, "detect", **at)
        outputs["label"] = run(config, "label", **at)
        outputs["crop"] = run(config, "crop", frame="roi120", **at)
        outputs["ground_truth"] = run(config, "ground_truth", **AT, **at)
    outputs["reap"] = run(config, "reap", **AT, dataset="photos")
    outputs["pack"] = run(config, "pack", **AT, dataset="photos", split="train")
    return outputs


@pytest.fixture(scope="module")
def made(files, tmp_path_factory):
    """The outputs of the whole chain in one shard."""
    return run_chain(config(files, tmp_path_factory.mktemp("results"), shards=1))


def test_photos_without_annotations_become_a_pack_and_every_picture_is_a_row(made):
    kept = [row["face"] for row in read_tsv(made["reap"]["kept"])]
    assert kept == [f"{name}#0" for name in NAMES if name not in ("photo_3", "photo_4")]
    reaped = {row["face"]: row["code"] for row in read_tsv(made["reap"]["reaped"])}
    assert reaped == {"photo_3#0": "duplicate", "photo_4": "unreadable"}
    with (
        h5py.File(made["pack"]["pack"]) as pack,
        hdf5.open_checked(made["label"]["labels"], LABELS) as labels,
    ):
        names = hdf5.texts(labels["face"])
        for k, face in enumerate(hdf5.texts(pack["face"])):
            row = names.index(face)
            for name in ("camera", "shape_para", "exp_para", "pose_para"):
                np.testing.assert_array_equal(pack[name][k], labels[name][row])
            np.testing.assert_allclose(pack["landmarks68"][k], labels["landmarks68"][row], atol=1e-2)


def test_a_stored_label_is_the_networks_face_in_picture_pixels(files, made):
    model = load_face_model("npz", files / "face.npz")
    status = {row.face: row for row in read_status(made["label"]["status"])}
    with hdf5.open_checked(made["label"]["labels"], LABELS) as labels:
        for k, face in enumerate(hdf5.texts(labels["face"])):
            roi = CropTransform.from_array(labels["roi"][k])
            expected = roi.invert(crop_points(labels["params62"][k], model, 120))
            annotation = FaceAnnotation(
                labels["pose_para"][k],
                labels["shape_para"][k],
                labels["exp_para"][k],
                int(labels["image_height"][k]),
                camera=labels["camera"][k],
            )
            np.testing.assert_allclose(annotation.vertices(model), expected, atol=0.02)
            np.testing.assert_allclose(labels["landmarks68"][k], expected[model.keypoints], atol=0.02)
            assert 0 < labels["agreement"][k] == pytest.approx(status[face].value, rel=1e-4)
            assert 0.1 <= labels["inside"][k] <= 1


def test_two_runs_and_another_number_of_shards_give_the_same_labels(files, made, tmp_path):
    again = run_chain(config(files, tmp_path / "again", shards=1))
    for stage, outputs in made.items():
        for name, path in outputs.items():
            with open(path, "rb") as first, open(again[stage][name], "rb") as second:
                assert first.read() == second.read(), (stage, name)
    parts = config(files, tmp_path / "parts", shards=2)
    run_chain(parts)
    found = {}
    for shard in range(2):
        path = jobs.job(parts, "label", dataset="photos", shard=shard).outputs["labels"]
        with hdf5.open_checked(path, LABELS) as labels:
            assert len(labels["face"]) > 0
            found |= dict(zip(hdf5.texts(labels["face"]), labels["landmarks68"][:], strict=True))
    with hdf5.open_checked(made["label"]["labels"], LABELS) as labels:
        for face, landmarks in zip(hdf5.texts(labels["face"]), labels["landmarks68"][:], strict=True):
            np.testing.assert_allclose(found[face], landmarks, atol=1e-2)


@pytest.mark.parametrize(
    ("number", "code", "passes"), [("agreement", "label_unstable", 2), ("inside", "label_outside", 1)]
)
def test_a_doubtful_label_reaps_its_face_and_the_ledger_balances(files, tmp_path, number, code, passes):
    """The threshold is the middle of what was measured: some faces fall, and the ground truth says nothing of them."""
    mean, std = statistics().mean.copy(), statistics().std.copy()
    if number == "inside":
        mean[3], std[3] = 20.0, 10.0  # the face's middle near the picture's left border
    np.savez(tmp_path / "own.npz", mean=mean, std=std)
    labelling = {"statistics": str(tmp_path / "own.npz"), "passes": passes, "inside": 0.0}
    before = run_chain(config(files, tmp_path / "before", shards=1, labelling=labelling))
    with hdf5.open_checked(before["label"]["labels"], LABELS) as labels:
        values = dict(zip(hdf5.texts(labels["face"]), labels[number][:], strict=True))
    threshold = float(np.median(list(values.values())))
    falls = {f for f, v in values.items() if (v > threshold if number == "agreement" else v < threshold)}
    assert 0 < len(falls) < len(values) == 5
    outputs = run_chain(
        config(files, tmp_path / "after", shards=1, labelling={**labelling, number: threshold})
    )
    reaped = {row["face"]: row for row in read_tsv(outputs["reap"]["reaped"]) if row["stage"] == "label"}
    assert set(reaped) == falls
    for face, row in reaped.items():
        assert (row["code"], row["reason"]) == (code, Reason.from_code(code).words)
        assert float(row["value"]) == pytest.approx(values[face], rel=1e-4)
    assert not falls & {row.face for row in read_status(outputs["ground_truth"]["status"])}
    assert {row["face"] for row in read_tsv(outputs["reap"]["kept"])} == set(values) - falls


def test_a_label_that_the_face_model_cannot_mean_is_reaped_by_the_ground_truth(files, made, tmp_path):
    options = config(files, tmp_path, shards=1)
    outputs = run_chain(options)
    with h5py.File(outputs["label"]["labels"], "r+") as labels:
        labels["shape_para"][0, 5] = 1e9
        face = hdf5.texts(labels["face"])[0]
    outputs = run(options, "ground_truth", **AT, dataset="photos", shard=0)
    row = next(row for row in read_status(outputs["status"]) if row.face == face)
    assert row.reason is Reason.ANNOTATION_IMPLAUSIBLE and row.detail.startswith(f"label of {face}: ")


def test_one_pass_has_no_agreement_to_judge_by(files, tmp_path):
    options = config(files, tmp_path, shards=1, labelling={"passes": 1, "agreement": 1e-9})
    outputs = run_chain(options)
    with hdf5.open_checked(outputs["label"]["labels"], LABELS) as labels:
        assert len(labels["face"]) == 5 and np.isnan(labels["agreement"][:]).all()
    values = [row.value for row in read_status(outputs["label"]["status"]) if row.reason is None]
    assert values == [None] * 5


def test_without_statistics_the_face_models_own_are_taken(files, tmp_path):
    both = {**np.load(files / "face.npz"), **np.load(files / "statistics.npz")}
    np.savez(tmp_path / "both.npz", **both)
    own = config(
        files,
        tmp_path,
        shards=1,
        face_model={"path": str(tmp_path / "both.npz")},
        labelling={"statistics": None},
    )
    run(own, "source", dataset="photos")
    run(own, "detect", dataset="photos", shard=0)
    outputs = run(own, "label", dataset="photos", shard=0)
    assert len(read_status(outputs["status"])) == 5


@pytest.mark.parametrize(("statistics", "place"), [(BESIDE[0], "configs"), (BESIDE[1], "bfm"), (None, None)])
def test_without_statistics_those_beside_a_model_of_several_files_are_taken(
    files, made, tmp_path, statistics, place
):
    """The same face as a pickle of 3DDFA_V2's gives the same labels; without the file one line says what to set."""
    content = dict(np.load(files / "face.npz"))
    for folder in ("bfm", "configs"):
        (tmp_path / folder).mkdir()
    model = {name: content[name] for name in ("u", "w_shp", "w_exp", "keypoints")}
    (tmp_path / "bfm/model.pkl").write_bytes(pickle.dumps(model))
    (tmp_path / "configs/tri.pkl").write_bytes(pickle.dumps(content["tri"]))
    np.savez(tmp_path / "chart.npz", uv=content["uv"])
    if statistics:
        found = dict(np.load(files / "statistics.npz"))
        (tmp_path / place / statistics).write_bytes(pickle.dumps(found))
    face = {"id": "tddfa_v2", "path": str(tmp_path / "bfm/model.pkl"), "chart": str(tmp_path / "chart.npz")}
    own = config(files, tmp_path, shards=1, face_model=face, labelling={"statistics": None})
    run(own, "source", dataset="photos")
    run(own, "detect", dataset="photos", shard=0)
    if statistics is None:
        with pytest.raises(
            FacemillError, match=r"tddfa_statistics, and set labelling\.statistics=\$\{FACEMILL"
        ):
            run(own, "label", dataset="photos", shard=0)
        return
    outputs = run(own, "label", dataset="photos", shard=0)
    with (
        hdf5.open_checked(outputs["labels"], LABELS) as labels,
        hdf5.open_checked(made["label"]["labels"], LABELS) as expected,
    ):
        np.testing.assert_array_equal(labels["params62"][:], expected["params62"][:])


def test_a_face_model_with_other_modes_is_refused(files, tmp_path):
    other = config(files, tmp_path, shards=1, face_model={"id": "procedural", "path": None})
    run(other, "source", dataset="photos")
    run(other, "detect", dataset="photos", shard=0)
    with pytest.raises(FacemillError, match=r"modes of the Basel Face Model 2009.*found procedural"):
        run(other, "label", dataset="photos", shard=0)


def test_only_data_sets_with_these_labels_have_the_stage(files, tmp_path):
    with_labels = config(files, tmp_path)
    without = config(files, tmp_path, datasets={"photos": {"labels": "annotation"}})
    at = {"dataset": "photos", "shard": 0}
    with pytest.raises(FacemillError, match=r"set datasets\.photos\.labels to tddfa"):
        jobs.job(without, "label", **at)
    truth, plain = (jobs.job(c, "ground_truth", **AT, **at) for c in (with_labels, without))
    assert set(truth.inputs) - set(plain.inputs) == {"labels"}
    assert set(plain.settings) - set(truth.settings) == {"listing", "reader", "root"}
    reap, plain = (jobs.job(c, "reap", **AT, dataset="photos") for c in (with_labels, without))
    assert set(reap.inputs) - set(plain.inputs) == {"label"}
    assert set(plain.inputs) == {"source", "detect", "crop", "ground_truth", "leaks"}
    label = jobs.job(with_labels, "label", **at)
    assert label.inputs["weights"] == [str(files / "mb.pth"), str(files / "statistics.npz")]
    assert label.inputs["face_model"] == [str(files / "face.npz")]
    assert label.settings["whole"] is True


def test_a_missing_checkpoint_is_named_before_anything_runs(files, tmp_path, monkeypatch):
    monkeypatch.setenv("FACEMILL_DATA", str(tmp_path))
    lost = config(files, tmp_path, labelling={"weights": str(tmp_path / "none.pth")})
    with pytest.raises(FacemillError, match=r"labelling\.weights: expected a file or folder, found nothing"):
        jobs.require_data(lost)
    with pytest.raises(
        FacemillError, match=r"labelling\.weights: .*; type: python -m pipeline data fetch mb05$"
    ):
        jobs.require_data(
            config(files, tmp_path, labelling={"weights": "${FACEMILL_DATA}/weights/mb05_120x120.pth"})
        )
    jobs.require_data(config(files, tmp_path))
    with pytest.raises(
        FacemillError, match=r"labelling\.weights: expected a checkpoint.*datasets\.photos are tddfa"
    ):
        config(files, tmp_path, labelling={"weights": None})
