"""The released network beside the models: its predictions in the labeller's crops, their scores, its JSON, its jobs."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from label_world import save_checkpoint, save_face_model, save_statistics, statistics
from stage_world import SIDE, pose_at, save_mat, save_picture

from pipeline import jobs, settings
from pipeline.config import TddfaSettings
from pipeline.detect.tddfa import Doubt, Labeller, Seen
from pipeline.detect.tddfa_pictures import read_faces
from pipeline.detect.tddfa_weights import load_tddfa
from pipeline.evaluation import predictions, reference
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.predictions import Answers
from pipeline.evaluation.score import Score, read_scores, write_scores
from pipeline.io import hdf5
from pipeline.io.images import read_picture
from pipeline.morphable import load_face_model
from pipeline.records import PACK, FacemillError, Reason
from pipeline.tables.results import results_of
from pipeline.verbs import chain

NAMES = ("a", "b", "c")
AT = {"frame": "roi120", "target": "map", "dataset": "mine"}


def config(folder, **changes):
    """The default's prn, a benchmark of our pictures, and the network beside it."""
    overlay = {
        "results": str(folder / "results"),
        "shards": 2,
        "systems": ["prn"],
        "face_model": {"id": "npz", "path": str(folder / "face.npz")},
        "datasets": {
            "mine": {"reader": "face_300w_lp", "root": str(folder / "photos"), "validation": 0.0},
        },
        "detection": {"detector": "annotation"},
        "targets": {"map": {"kind": "posmap", "size": 32}},
        "models": {"prn": {"frame": "roi120", "target": "map", "settings": {"size": 32}}},
        "evaluation": {
            "benchmarks": ["mine"],
            "protocols": ["nme68_2d", "vertices_3d"],
            "tddfa": {"weights": "${OURS}/mb.pth", "statistics": "${OURS}/statistics.npz"},
        },
    }
    return settings.parse(
        settings.merge(settings.merge(settings.read_yaml(settings.DEFAULT), overlay), changes)
    )


def run(config, stage, **wildcards):
    """The outputs of one job, carried out as its verb does."""
    todo = jobs.job(config, stage, **wildcards)
    chain.carry_out(todo, None)
    return todo.outputs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures with annotations, the last of which has none; a face model, statistics and a checkpoint."""
    folder = tmp_path_factory.mktemp("tddfa")
    for k, name in enumerate((*NAMES, "d")):
        save_picture(folder / f"photos/{name}.jpg", k)
        if name != "d":
            save_mat(folder / f"photos/{name}.mat", pose_at(SIDE / 2 + 4 * k, SIDE / 2, 4e-4))
    save_face_model(folder / "face.npz")
    save_statistics(folder / "statistics.npz")
    save_checkpoint(folder / "mb.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OURS", str(folder))
        yield folder


@pytest.fixture(scope="module")
def made(folder):
    """The outputs of all jobs up to the system's JSON, by stage."""
    options = config(folder)
    found = {"source": run(options, "source", dataset="mine")}
    for shard in range(2):
        for stage in ("detect", "crop", "ground_truth"):
            names = chain.wildcards_of(stage)
            found[stage, shard] = run(
                options, stage, **{k: v for k, v in {**AT, "shard": shard}.items() if k in names}
            )
    found["reap"] = run(options, "reap", **AT)
    found["pack"] = run(options, "pack", **AT, split="test")
    found["infer_tddfa"] = run(options, "infer_tddfa", benchmark="mine")
    beside = Path(jobs.job(options, "score", model="tddfa", seed=0, benchmark="mine").inputs["beside"])
    rows = [
        Score(name, protocol, 30.0, 0.0, False) for name in NAMES for protocol in ("nme68_2d", "vertices_3d")
    ]
    write_scores(beside, {"model": rows, "mean_face": rows})
    found["score"] = run(options, "score", model="tddfa", seed=0, benchmark="mine")
    found["evaluate"] = run(options, "evaluate", model="tddfa")
    return found


def labelled(folder, made):
    """What the labeller says of the faces, one at a time."""
    labeller = Labeller(
        load_tddfa(folder / "mb.pth"),
        statistics(),
        load_face_model("npz", folder / "face.npz"),
        TddfaSettings(),
    )
    faces = {k: v for shard in range(2) for k, v in read_faces(made["detect", shard]["detections"]).items()}
    found = {}
    for name in NAMES:
        ((_, box, landmarks),) = faces[name]
        (found[name],) = labeller.label([Seen(read_picture(folder / f"photos/{name}.jpg"), box, landmarks)])
    return found


def shapes_of(folder, made):
    """The predicted face of each picture, in its pixels."""
    chart = Chart(load_face_model("npz", folder / "face.npz"))
    with hdf5.open_checked(made["pack"]["pack"], PACK) as pack:
        stored = list(predictions.shapes(made["infer_tddfa"]["predictions"], pack, chart))
    return {prediction.picture: shape for prediction, shape in stored}


def test_every_face_of_the_pack_is_predicted_as_the_labeller_sees_it_in_the_picture(folder, made):
    shapes = shapes_of(folder, made)
    assert list(shapes) == list(NAMES)
    for name, label in labelled(folder, made).items():
        np.testing.assert_allclose(shapes[name].landmarks(), label.landmarks, atol=0.02)
    assert not np.allclose(shapes["a"].landmarks(), shapes["c"].landmarks(), atol=1)


def test_its_scores_are_those_of_its_landmarks_beside_a_models_mean_face(folder, made):
    scores = read_scores(Path(made["score"]["scores"]))
    assert {score.value for score in scores["mean_face"]} == {30.0}
    found = {s.picture: s for s in scores["model"] if s.protocol == "nme68_2d"}
    labels = labelled(folder, made)
    with hdf5.open_checked(made["pack"]["pack"], PACK) as pack:
        for name, truth in zip(hdf5.texts(pack["picture"]), pack["landmarks68"][:], strict=True):
            size = np.sqrt(np.prod(np.ptp(truth[:, :2], axis=0)))
            distance = np.linalg.norm((labels[name].landmarks - truth)[:, :2], axis=1).mean()
            assert found[name].value == pytest.approx(100 * distance / size, rel=1e-3)
    dense = [s for s in scores["model"] if s.protocol == "vertices_3d"]
    assert all(s.value is not None and not s.failed for s in dense)


def test_its_json_names_the_users_weights_as_the_config_does(folder, made):
    found = json.loads(Path(made["evaluate"]["evaluation"]).read_text())
    assert made["evaluate"]["evaluation"].endswith("/eval/tddfa.json")
    digest = hashlib.sha256((folder / "mb.pth").read_bytes()).hexdigest()
    assert found["weights"] == [{"seed": 0, "path": "${OURS}/mb.pth", "sha256": digest}]
    block = found["benchmarks"]["mine"]
    assert block["crops"] == {"detector": "annotation", "frame": "roi120"}
    assert block["landmarks"] == "vertices of the face model"
    assert (block["images"], block["failed"]) == (3, 0)
    assert block["protocols"]["nme68_2d"]["mean_face"]["plain"] == 30.0
    assert found["counts"]["mine"]["kept"] == 3


def test_a_face_that_could_not_be_cut_has_failed(folder, made, tmp_path):
    labels = [(f"{name}#0", name, label) for name, label in labelled(folder, made).items()]
    lost = ("b#0", "b", Doubt(Reason.IMPLAUSIBLE, None, "no square"))
    pack, chart = Path(made["pack"]["pack"]), Chart(load_face_model("npz", folder / "face.npz"))
    out = tmp_path / "predictions.h5"
    reference.write_labels([labels[2], lost, labels[0]], pack, out, Answers(reference.TARGET, chart), {})
    with hdf5.open_checked(pack, PACK) as file:
        finite = {p.picture: shape.finite for p, shape in predictions.shapes(out, file, chart)}
    assert finite == {"a": True, "b": False, "c": True}


def test_a_face_of_another_run_is_refused(made):
    faces = {name: [(f"{name}#0", np.zeros(4), np.zeros((68, 2)))] for name in "abx"}
    pack = Path(made["pack"]["pack"])
    with pytest.raises(FacemillError, match=r"found c#0, which was not; .*type: python -m pipeline pack"):
        reference.faces_of_pack(pack, faces)
    more = faces | {"c": [("c#1", np.zeros(4), np.zeros((68, 2))), ("c#0", np.ones(4), np.zeros((68, 2)))]}
    found = reference.faces_of_pack(pack, more)
    assert sorted(found) == list(NAMES) and [name for name, _, _ in found["c"]] == ["c#0"]


def test_a_face_model_with_other_modes_is_refused(folder, made):
    other = config(folder, face_model={"id": "procedural", "path": None})
    expected = r"^evaluation\.tddfa\.weights needs a face model with the modes of the Basel.*found procedural"
    with pytest.raises(FacemillError, match=expected):
        run(other, "infer_tddfa", benchmark="mine")


def test_without_statistics_anywhere_the_setting_is_named(folder, made):
    without = config(folder, evaluation={"tddfa": {"statistics": None}})
    with pytest.raises(FacemillError, match=r"set evaluation\.tddfa\.statistics=\$\{FACEMILL_DATA\}"):
        run(without, "infer_tddfa", benchmark="mine")


def test_it_stands_in_every_table_and_figure_with_predictions_and_pack(folder, made):
    theirs = config(folder, evaluation={"given": {"theirs": {"mine": "theirs.npz"}}})
    todo = jobs.job(theirs, "table", table="models")
    assert todo.settings["models"] == ["prn", "tddfa", "theirs"]
    assert todo.settings["runs"] == [["prn", "0", "mine"], ["tddfa", "0", "mine"]]
    inputs = {**todo.inputs, "evaluations": [made["evaluate"]["evaluation"]] * 3}
    (found,) = results_of(inputs, todo.settings).of("mine", "tddfa")
    assert found.scores == made["score"]["scores"]
    assert found.predictions == made["infer_tddfa"]["predictions"] and found.pack == made["pack"]["pack"]
    drawn = jobs.job(theirs, "figure", figure="ced")
    assert "pipeline.evaluation.outputs.params" in drawn.modules


def test_without_weights_there_is_no_such_system(folder):
    without = config(folder, evaluation={"tddfa": {"weights": None}})
    assert jobs.job(without, "table", table="models").settings["models"] == ["prn"]
    for stage, names in (
        ("infer_tddfa", {"benchmark": "mine"}),
        ("score", {"model": "tddfa", "seed": 0, "benchmark": "mine"}),
    ):
        with pytest.raises(FacemillError, match=r"fetch mb05|unknown model 'tddfa'"):
            jobs.job(without, stage, **names)
    with pytest.raises(FacemillError, match=r"evaluation\.tddfa: expected a benchmark of mine with seed 0"):
        jobs.job(config(folder), "score", model="tddfa", seed=1, benchmark="mine")


def test_it_is_not_judged_by_its_own_answers(folder):
    """A benchmark whose truth the labeller has made is left out, and the system where there is no other."""
    labels = {"datasets": {"own": {"reader": "photos", "root": str(folder), "labels": "tddfa"}}}
    labels |= {"labelling": {"weights": "x.pth"}}
    both = config(folder, **labels, evaluation={"benchmarks": ["own", "mine"]})
    runs = jobs.job(both, "table", table="models").settings["runs"]
    assert runs == [["prn", "0", "own"], ["prn", "0", "mine"], ["tddfa", "0", "mine"]]
    with pytest.raises(FacemillError, match=r"annotations of its own, mine; found own"):
        jobs.job(both, "infer_tddfa", benchmark="own")
    alone = config(folder, **labels, evaluation={"benchmarks": ["own"]})
    assert jobs.job(alone, "table", table="models").settings["models"] == ["prn"]


def test_what_its_weights_cannot_stand_beside_is_refused(folder, monkeypatch):
    with pytest.raises(FacemillError, match=r"evaluation\.given: expected no system tddfa beside"):
        config(folder, evaluation={"given": {"tddfa": {"mine": "x.npz"}}})
    monkeypatch.setenv("FACEMILL_DATA", str(folder))
    lost = config(folder, evaluation={"tddfa": {"weights": "${FACEMILL_DATA}/weights/mb05_120x120.pth"}})
    with pytest.raises(FacemillError, match=r"^evaluation\.tddfa\.weights: .*data fetch mb05$"):
        jobs.require_data(lost)
