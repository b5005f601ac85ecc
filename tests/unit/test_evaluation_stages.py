"""infer, score, evaluate, table and sheet on a pack of three faces and an untrained network."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
import torch
from evaluation_cases import HEIGHT, TARGET, annotation, model, model_file, truth_maps, write_pack

from pipeline import jobs
from pipeline.evaluation import protocols
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.infer import infer as predict
from pipeline.evaluation.predictions import PREDICTIONS, Answers, shapes
from pipeline.evaluation.score import read_scores
from pipeline.io import hdf5
from pipeline.io.tables import write_tsv
from pipeline.records import KEPT_COLUMNS, PACK, REAPED_COLUMNS, SOURCE_COLUMNS, FacemillError
from pipeline.registry import MODELS
from pipeline.settings import load as settings_of
from pipeline.stages import evaluate, infer, score, sheet, table
from pipeline.training.checkpoints import save_weights

NETWORK = {"width": 2, "size": 32}
ATTRIBUTES = {"command": "python -m pipeline x", "config_hash": "c", "code_digest": "d", "libraries": "{}"}
PROTOCOLS = {
    name: protocols.load(name).model_dump(exclude={"id"})
    for name in ("nme68_2d", "dense_2d", "reconstruction", "head_pose")
}
FACES = {"a#0": annotation(0, 5, 0), "b#0": annotation(0, 45, 0), "c#0": annotation(0, 70, 0)}


def seed_path(root: Path, seed: int) -> Path:
    return root / f"train/prn/seed{seed}/weights.safetensors"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A results folder with packs, ledgers and weights of two seeds, and all that the stages make of them."""
    root = tmp_path_factory.mktemp("results")
    model_file(root)
    face_model = model(root)
    for split in ("train", "test"):
        write_pack(root / f"{split}.h5", face_model, FACES)
    write_tsv(
        root / "source.tsv",
        SOURCE_COLUMNS,
        [[name, f"{name}.jpg", "test", name, f"{name}.mat", "", "", ""] for name in "abcd"],
    )
    kept = [[f"{name}#0", name, "test", name, 0, row] for row, name in enumerate("abc")]
    write_tsv(root / "kept.tsv", KEPT_COLUMNS, kept)
    reaped = [["d", "d", "test", "detect", "no_face", "no face", "", ""]]
    write_tsv(root / "reaped.tsv", REAPED_COLUMNS, reaped)
    for seed in (0, 1):
        network = MODELS["prn"](torch.Generator().manual_seed(seed), **NETWORK)
        save_weights(seed_path(root, seed), network.state_dict(), {})
        run_seed(root, seed)
    run_evaluate(root)
    return root


def settings() -> dict:
    return {"model": "prn", "network": NETWORK, "frame": "fan192", "target": TARGET.model_dump()}


def face_model(root: Path) -> dict:
    return {"face_model": {"id": "npz", "path": str(root / "model.npz")}}


def run_seed(root: Path, seed: int) -> None:
    at = {"model": "prn", "seed": str(seed), "benchmark": "test"}
    infer.run(
        inputs={"weights": str(seed_path(root, seed)), "pack": str(root / "test.h5")},
        outputs={"predictions": str(root / f"infer{seed}.h5")},
        settings=settings() | face_model(root),
        wildcards=at,
        attributes=ATTRIBUTES,
    )
    score.run(
        inputs={
            "predictions": str(root / f"infer{seed}.h5"),
            "pack": str(root / "test.h5"),
            "source": str(root / "source.tsv"),
            "train": [str(root / "train.h5")],
            "texels": [],
        },
        outputs={"scores": str(root / f"score{seed}.tsv")},
        settings={
            "face_model": {"id": "npz", "path": str(root / "model.npz")},
            "target": TARGET.model_dump(),
            "reader": "face_300w_lp",
            "root": str(root),
            "labels": "annotation",
            "protocols": PROTOCOLS,
        },
        wildcards=at,
        attributes=ATTRIBUTES,
    )


def run_evaluate(root: Path) -> None:
    evaluate.run(
        inputs={
            "scores": [str(root / f"score{seed}.tsv") for seed in (0, 1)],
            "predictions": [str(root / "infer0.h5")],
            "weights": [str(seed_path(root, seed)) for seed in (0, 1)],
            "source": [str(root / "source.tsv")],
            "kept": [str(root / "kept.tsv")],
            "reaped": [str(root / "reaped.tsv")],
        },
        outputs={"evaluation": str(root / "eval/prn.json")},
        settings={
            "model": "prn",
            "frame": "fan192",
            "target": "posmap32",
            "seeds": [0, 1],
            "benchmarks": ["test"],
            "crops": {"test": {"detector": "faceboxes", "frame": "fan192"}},
            "datasets": ["test"],
            "protocols": PROTOCOLS,
        },
        wildcards={"model": "prn"},
        attributes=ATTRIBUTES,
    )


def test_the_json_holds_what_it_should_and_nothing_is_lost(results):
    found = json.loads((results / "eval/prn.json").read_text())
    assert list(found) == ["model", "weights", "frame", "target", "benchmarks", "counts", "provenance"]
    assert found["weights"][1]["path"] == "train/prn/seed1/weights.safetensors"
    assert len(found["weights"][0]["sha256"]) == 64
    block = found["benchmarks"]["test"]
    assert block["crops"] == {"detector": "faceboxes", "frame": "fan192"}
    assert block["landmarks"] == "texels of the position map"
    assert (block["images"], block["evaluated"], block["failed"]) == (4, 3, 1)
    assert set(block["protocols"]) == set(PROTOCOLS)
    nme = block["protocols"]["nme68_2d"]
    assert nme["spread"] > 0 and set(nme["seeds"]) == {"0", "1"}
    assert nme["mean_face"]["balanced"] < nme["balanced"] < nme["balanced_with_failures"]
    assert found["counts"]["test"] == {"pictures": 4, "source": 4, "kept": 3, "reaped": {"no_face": 1}}


def test_predictions_that_were_given_have_a_json_without_weights_and_counts(results):
    evaluate.run(
        inputs={
            "scores": [str(results / "score0.tsv")],
            "predictions": [],
            "weights": [],
            "source": [],
            "kept": [],
            "reaped": [],
        },
        outputs={"evaluation": str(results / "eval/theirs.json")},
        settings={
            "model": "given",
            "frame": None,
            "target": None,
            "seeds": [0],
            "benchmarks": ["test"],
            "crops": {"test": None},
            "datasets": [],
            "protocols": PROTOCOLS,
        },
        wildcards={"model": "theirs"},
        attributes=ATTRIBUTES,
    )
    found = json.loads((results / "eval/theirs.json").read_text())
    assert (found["model"], found["weights"], found["counts"]) == ("theirs", [], {})
    assert set(found["benchmarks"]["test"]["protocols"]) == set(PROTOCOLS)


def test_two_runs_write_the_same_bytes(results):
    before = {path: path.read_bytes() for path in results.glob("*.tsv")} | {
        path: path.read_bytes() for path in [results / "infer0.h5", results / "eval/prn.json"]
    }
    run_seed(results, 0)
    run_evaluate(results)
    assert {path: path.read_bytes() for path in before} == before


def test_predictions_are_in_pixels_of_the_networks_input(results):
    with hdf5.open_checked(results / "infer0.h5", PREDICTIONS) as file:
        assert file["map"].shape == (3, 32, 32, 3)
        assert file["map"][:].min() >= 0 and file["map"][:].max() <= 1.1 * 32
        assert file["transform"][0][3] == 32


def test_a_map_of_another_side_than_the_input_lands_on_the_same_face(results, tmp_path):
    maps = torch.from_numpy(truth_maps(results / "test.h5") / (1.1 * 32)).permute(0, 3, 1, 2)

    class Knowing(torch.nn.Linear):
        size = 64

        def forward(self, image):
            assert image.shape[2:] == (64, 64)
            return maps

    chart = Chart(model(results))
    predict(Knowing(1, 1), results / "test.h5", tmp_path / "infer.h5", Answers(TARGET, chart), {})
    with hdf5.open_checked(results / "test.h5", PACK) as pack:
        for row, (_, shape) in enumerate(shapes(tmp_path / "infer.h5", pack, chart)):
            np.testing.assert_allclose(shape.landmarks()[:, :2], pack["landmarks68"][row][:, :2], atol=0.6)


def test_a_network_of_another_side_is_refused(results):
    network = MODELS["prn"](width=2, size=64)
    save_weights(results / "wide.safetensors", {**network.state_dict(), "more": torch.zeros(1)}, {})
    with pytest.raises(FacemillError, match="more"):
        infer.run(
            inputs={"weights": str(results / "wide.safetensors"), "pack": str(results / "test.h5")},
            outputs={"predictions": str(results / "none.h5")},
            settings=settings() | face_model(results),
            wildcards={},
            attributes=ATTRIBUTES,
        )


def test_the_table_and_the_sheet_are_written(results):
    outputs = {kind: str(results / f"models.{kind}") for kind in ("markdown", "csv", "latex")}
    table.run(
        inputs={
            "evaluations": [str(results / "eval/prn.json")],
            "scores": [str(results / f"score{seed}.tsv") for seed in (0, 1)],
            "predictions": [str(results / f"infer{seed}.h5") for seed in (0, 1)],
            "packs": [str(results / "test.h5")] * 2,
        },
        outputs=outputs,
        settings={
            "models": ["prn"],
            "runs": [["prn", "0", "test"], ["prn", "1", "test"]],
            "given": [],
            "protocols": PROTOCOLS,
        },
        wildcards={"table": "models"},
        attributes=ATTRIBUTES,
    )
    assert "| prn | test | nme68_2d | % |" in Path(outputs["markdown"]).read_text()
    sheet.run(
        inputs={
            "scores": str(results / "score0.tsv"),
            "predictions": str(results / "infer0.h5"),
            "pack": str(results / "test.h5"),
        },
        outputs={"sheet": str(results / "sheet.png")},
        settings={"face_model": {"id": "npz", "path": str(results / "model.npz")}, "protocol": "nme68_2d"},
        wildcards={"model": "prn", "benchmark": "test"},
        attributes=ATTRIBUTES,
    )
    picture = cv2.imread(str(results / "sheet.png"))
    assert picture.shape[1] == 2 * 48 and picture.shape[0] > 3 * 48


def test_predictions_that_were_given_are_scored_like_a_model_beside_a_models_mean_face(
    results, tmp_path, capsys
):
    for name, one in zip("abc", FACES.values(), strict=True):
        shape, expression = np.zeros((199, 1)), np.zeros((29, 1))
        shape[:2, 0], expression[:1, 0] = one.shape, one.expression
        mat = {"Pose_Para": one.pose[None], "Shape_Para": shape, "Exp_Para": expression}
        scipy.io.savemat(tmp_path / f"{name}.mat", mat)
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.zeros((HEIGHT, HEIGHT, 3), np.uint8))
    face_model = model(results)
    names, shift = ["a", "b"], np.array([3.0, 4.0, 0.0])
    points = np.stack([FACES[f"{name}#0"].landmarks(face_model) + shift for name in names])
    np.savez(tmp_path / "theirs.npz", names=[*names, "z"], pts68=np.concatenate([points, points[:1]]))
    score.run(
        inputs={
            "given": [str(tmp_path / "theirs.npz")],
            "beside": str(results / "score0.tsv"),
            "source": str(results / "source.tsv"),
            "texels": [],
        },
        outputs={"scores": str(tmp_path / "theirs.tsv")},
        settings={
            "face_model": {"id": "npz", "path": str(results / "model.npz")},
            "reader": "face_300w_lp",
            "root": str(tmp_path),
            "labels": "annotation",
            "protocols": PROTOCOLS,
        },
        wildcards={"model": "theirs", "seed": "0", "benchmark": "test"},
        attributes=ATTRIBUTES,
    )
    assert "not scored, since the benchmark has no such picture: z" in capsys.readouterr().out
    found = read_scores(tmp_path / "theirs.tsv")
    beside = (tmp_path / "theirs.tsv").read_text().splitlines()
    assert [line for line in beside if line.startswith("mean_face")] == [
        line for line in (results / "score0.tsv").read_text().splitlines() if line.startswith("mean_face")
    ]
    nme = {s.picture: s for s in found["model"] if s.protocol == "nme68_2d"}
    assert [nme[name].failed for name in "abcd"] == [False, False, True, True]
    size = np.sqrt(np.prod(np.ptp(points[0, :, :2], axis=0)))
    assert nme["a"].value == pytest.approx(500 / size, rel=1e-4)
    assert {s.why for s in found["model"] if s.protocol == "dense_2d" and not s.failed} == {
        "a prediction of points has no dense face points"
    }


def test_given_predictions_have_jobs_of_their_own():
    config = settings_of(
        (), ["evaluation.given={theirs: {synth_test: /their/predictions.npz}}", "systems=[prn]"]
    )
    job = jobs.job(config, "score", model="theirs", seed=0, benchmark="synth_test")
    assert job.inputs["given"] == ["/their/predictions.npz"]
    assert job.inputs["beside"] == "results/score/prn/seed0/synth_test.tsv"
    assert job.outputs == {"scores": "results/score/theirs/seed0/synth_test.tsv"}
    assert jobs.job(config, "evaluate", model="theirs").inputs["scores"] == [job.outputs["scores"]]
    inputs = jobs.job(config, "table", table="models").inputs
    assert inputs["evaluations"] == ["results/eval/prn.json", "results/eval/theirs.json"]
    assert inputs["scores"][-1] == job.outputs["scores"] and len(inputs["packs"]) == 1
    with pytest.raises(
        FacemillError, match="expected a benchmark of synth_test with seed 0, found synth_test"
    ):
        jobs.job(config, "score", model="theirs", seed=1, benchmark="synth_test")
    with pytest.raises(FacemillError, match="that no model has, found 'prn'"):
        settings_of((), ["evaluation.given={prn: {synth_test: x.npz}}"])
