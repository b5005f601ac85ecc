"""A data set whose labels are the labeller's, through Snakemake: the rule stands in its chain, and in no other's."""

import json

import cv2
import numpy as np
import pytest

from pipeline.io.tables import read_tsv
from tests.project import UNCOVERED, fresh
from tests.unit.label_world import save_checkpoint, save_face_model, save_statistics

OVERLAY = """\
shards: 1
face_model: {id: npz, path: world/face.npz}
datasets:
  photos: {reader: face_300w_lp, root: world/photos, labels: tddfa, detection: {detector: whole}, validation: 0.0}
targets: {points: {kind: landmarks}}
leaks: {check: false}
labelling: {weights: world/mb.pth, statistics: world/statistics.npz, agreement: 1000.0, inside: 0.1}
"""
TARGET = "results/pack/roi120/points/photos/train.h5"
CHAIN = {"source", "detect", "label", "crop", "ground_truth", "reap", "pack"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with four photos and a tiny labeller, after the run that packs them."""
    project = fresh(tmp_path_factory.mktemp("label") / "project")
    world = project.path / "world"
    (world / "photos").mkdir(parents=True)
    for k in range(4):
        blobs = np.random.default_rng(k).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(world / f"photos/photo_{k}.jpg"), cv2.resize(blobs, (160, 160)))
    save_face_model(world / "face.npz")
    save_statistics(world / "statistics.npz")
    save_checkpoint(world / "mb.pth")
    (project.path / "label.yaml").write_text(OVERLAY, encoding="utf-8")
    small = (project.path / "small.yaml").read_text(encoding="utf-8")
    # the photos are a training set, so that their pack has the split train
    model = "models: {prn: {target: posmap32, train: [synth_train, photos], settings: {size: 32, width: 16}}}"
    lines = [model if line.startswith("models:") else line for line in small.splitlines()]
    (project.path / "small.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = project.snakemake(TARGET, options=("label.yaml",))
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def planned(project, target):
    """The rules that would run now for a file."""
    done = project.snakemake(target, options=("-n", "label.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    return {line.split()[1].rstrip(":") for line in text.splitlines() if line.startswith("rule ")}


def test_photos_are_packed_with_the_labellers_truth_and_then_nothing_is_to_do(project):
    kept = read_tsv(project.path / "results/reap/roi120/points/photos/kept.tsv")
    assert [row["picture"] for row in kept] == [f"photo_{k}" for k in range(4)]
    assert (project.path / "results/label/photos/0.h5").is_file()
    assert (project.path / "results/logs/label/photos/0.log").is_file()
    assert planned(project, TARGET) == set()


def test_the_digest_of_the_label_job_covers_what_it_imported(project):
    made = json.loads((project.path / "results/label/photos/0.h5.run.json").read_text())
    loaded = {name for name in made["loaded"] if not name.startswith(("pipeline.verbs", "pipeline.jobs"))}
    kernels = {f"pipeline._kernels.{n.split()[1]}" for n in made["code"] if n.startswith("kernel ")}
    assert not loaded - UNCOVERED - kernels - set(made["code"])


def test_annotated_data_sets_have_no_label_job(project):
    rules = planned(project, "results/pack/roi120/points/synth_test/test.h5")
    assert rules == CHAIN - {"label"} | {"synthesise"}


def test_a_change_of_the_labeller_makes_its_labels_and_what_follows_again(project, tmp_path):
    copy = project.copy(tmp_path / "copy")
    path = copy.path / "pipeline/detect/tddfa.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nMARGIN = 3\n", encoding="utf-8")
    assert planned(copy, TARGET) == {"label", "ground_truth", "reap", "pack"}
    why = copy.pipeline("why", TARGET, "--configfile", "small.yaml", "--configfile", "label.yaml")
    assert "code pipeline.detect.tddfa changed" in why.stdout
