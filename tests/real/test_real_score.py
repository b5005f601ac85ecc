"""Golden numbers through the command line: published predictions of real pictures, scored as a user would score them.

The expected figures are from the data package's README, from its own check, and from the recomputation that asked for
them; none is from the code under test. The files that the command line reads are made here with a few lines of numpy.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from pipeline.__main__ import main

DATA = Path(os.environ.get("FACEMILL_DATA", ""))
pytestmark = pytest.mark.skipif(
    not (DATA / "aflw2000-dev" / "labels.npz").is_file(),
    reason="no real data: set FACEMILL_DATA to the shared data folder",
)
BINS = ("0-30", "30-60", "60-90")
FACE_MODEL = ["--set", "face_model.id=npz", "--set", f"face_model.path={DATA}/bfm/bfm_sim.npz"]
TEXELS = ["--set", f"evaluation.texels={DATA}/prnet-uv/prnet_uv.npz"]
TRUTH = ["--truth", f"aflw2000_3d:{DATA}/aflw2000-dev"]
DENSE = ["--only", f"{DATA}/dense40/gt_trunc_dev.npz"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Prediction files of every form, made of the package's arrays."""
    folder = tmp_path_factory.mktemp("predictions")
    labels = np.load(DATA / "aflw2000-dev/labels.npz")
    stored = np.load(DATA / "aflw2000-dev/reference/outputs.npz")
    meshes = np.load(DATA / "dense40/predictions.npz")
    crop = {"names": labels["names"], "roi_box": labels["roi_box"]}
    np.savez(folder / "dasl.npz", **crop, params62=stored["dasl_params"], convention="3ddfa")
    np.savez(
        folder / "mb05_stored.npz", **crop, params62=stored["mb05_params_storedcrop"], convention="3ddfa_v2"
    )
    crop["roi_box"] = stored["mb05_gtroi"]
    np.savez(folder / "mb05_truth.npz", **crop, params62=stored["mb05_params_gtroi"], convention="3ddfa_v2")
    np.savez(folder / "original.npz", names=labels["names"], pts68=labels["pts68"], origin=1)
    np.savez(folder / "reannotated.npz", names=labels["names"], pts68=labels["pts68_re"], origin=0)
    images = DATA / "aflw2000-dev/images"
    poses = [scipy.io.loadmat(images / f"{name}.mat")["Pose_Para"][0] for name in labels["names"]]
    np.savez(folder / "angles.npz", names=labels["names"], pose_deg=np.degrees([pose[:3] for pose in poses]))
    np.savez(folder / "rotations.npz", names=labels["names"], params62=np.stack([camera(p) for p in poses]))
    rows = [list(meshes["names"]).index(name) for name in np.load(DATA / "dense40/gt_trunc_dev.npz")["names"]]
    for method in ("dasl", "ddfa"):
        chosen = {"names": meshes["names"][rows], "params62": meshes[method][rows], "origin": 1}
        np.savez(folder / f"{method}_meshes.npz", **chosen)
    prnet = folder / "prnet"
    prnet.mkdir()
    for row in rows:
        vertices = meshes["prnet_q64"][row] / 64.0
        scipy.io.savemat(prnet / f"{meshes['names'][row]}_mesh.mat", {"vertices": vertices})
    return folder


def camera(pose: np.ndarray) -> np.ndarray:
    """62 parameters of pixels with y down, whose rotation is that of a Pose_Para; the formula of the specification."""
    (a, b, c), s = pose[:3].astype(float), np.sin
    x = np.array([[1, 0, 0], [0, np.cos(a), s(a)], [0, -s(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, -s(b)], [0, 1, 0], [s(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), s(c), 0], [-s(c), np.cos(c), 0], [0, 0, 1]])
    out = np.zeros((3, 4))
    out[:, :3] = pose[6] * np.array([[1], [-1], [1]]) * (x @ y @ z)
    return np.concatenate([out.ravel(), np.zeros(50)])


def scored(predictions: Path, protocols, tmp_path: Path, *options: str) -> dict:
    """The figures of one command line, by protocol."""
    named = [word for protocol in protocols for word in ("--protocol", protocol)]
    out = tmp_path / "out.json"
    words = [
        "score",
        *FACE_MODEL,
        *TRUTH,
        *named,
        "--predictions",
        str(predictions),
        "--out",
        str(out),
        *options,
    ]
    assert main(words) == 0
    return json.loads(out.read_text())["protocols"]


def bins_of(figures: dict) -> list[float]:
    return [*(figures["bins"][name]["mean"] for name in BINS), figures["balanced"]]


@pytest.mark.parametrize(
    ("name", "legacy", "exact"),
    [
        ("dasl", (2.660, 3.622, 4.911, 3.731), 3.731),
        ("mb05_stored", (2.821, 3.571, 4.872, 3.755), 3.728),
        ("mb05_truth", (2.863, 3.473, 4.770, 3.702), 3.610),
    ],
)
def test_stored_parameters_of_the_400(files, tmp_path, name, legacy, exact):
    found = scored(files / f"{name}.npz", ["nme68_2d_legacy", "nme68_2d"], tmp_path)
    assert bins_of(found["nme68_2d_legacy"]) == pytest.approx(legacy, abs=0.005)
    assert found["nme68_2d"]["balanced"] == pytest.approx(exact, abs=0.005)
    assert found["nme68_2d"]["n"] == 400


def test_the_two_annotations_by_either_box_and_each_against_itself(files, tmp_path):
    protocols = ["nme68_2d_legacy", "nme68_2d_re_legacy"]
    original = scored(files / "original.npz", protocols, tmp_path)
    again = scored(files / "reannotated.npz", protocols, tmp_path)
    assert again["nme68_2d_legacy"]["balanced"] == pytest.approx(3.321, abs=0.005)
    assert original["nme68_2d_re_legacy"]["balanced"] == pytest.approx(3.328, abs=0.005)
    own = [original["nme68_2d_legacy"]["balanced"], again["nme68_2d_re_legacy"]["balanced"]]
    assert own == pytest.approx([0, 0], abs=1e-6)


def test_the_truth_against_itself_in_every_protocol_of_points(files, tmp_path):
    protocols = [
        f"nme68_{rest}" for rest in ("2d", "2d_legacy", "2d_aflw_yaw", "3d", "3d_zmean", "3d_similarity")
    ]
    for figures in scored(files / "original.npz", protocols, tmp_path).values():
        assert figures["plain"] == pytest.approx(0, abs=1e-5) and figures["n"] == 400


def test_perfect_rotations_by_each_decode(files, tmp_path):
    angles = ("yaw", "pitch", "roll")
    kinds = {"": (0, 0, 0), "_synergynet": (2.375, 0, 0), "_3ddfa": (2.375, 23.325, 26.246)}
    protocols = [f"head_pose{kind}_{angle}" for kind in kinds for angle in angles]
    found = scored(files / "rotations.npz", [*protocols, "head_pose_geodesic"], tmp_path)
    for kind, expected in kinds.items():
        got = [found[f"head_pose{kind}_{angle}"]["plain"] for angle in angles]
        assert got == pytest.approx(expected, abs=0.005)
    assert found["head_pose_geodesic"]["plain"] == pytest.approx(0, abs=1e-3)
    assert {(block["n"], block["left_out"]) for block in found.values()} == {(396, 4)}
    said = scored(files / "angles.npz", protocols, tmp_path)
    assert max(block["plain"] for block in said.values()) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "points", "vertices"),
    [
        ("dasl_meshes.npz", (2.275, 3.826, 3.671), (3.029, 4.311, 4.206)),
        ("ddfa_meshes.npz", (2.391, 4.173, 3.941), (3.392, 4.955, 4.776)),
        ("prnet", (2.346, 4.147, 3.717), None),
    ],
)
def test_dense_predictions_of_eight_pictures(files, tmp_path, capsys, name, points, vertices):
    of_points = ["nme68_2d_legacy", "nme68_3d_legacy", "nme68_3d_zmean_legacy"]
    of_vertices = ["vertices_2d", "vertices_3d", "vertices_3d_zmean"]
    found = scored(files / name, [*of_points, *of_vertices, "dense_2d"], tmp_path, *DENSE, *TEXELS)
    assert [found[key]["plain"] for key in of_points] == pytest.approx(points, abs=0.005)
    assert found["dense_2d"]["n"] == 8 and 2 < found["dense_2d"]["plain"] < 3
    if vertices is None:
        assert found["vertices_2d"]["plain"] is None
        assert found["vertices_2d"]["lacking"] == {"a mesh of texels has no vertices of the face model": 8}
    else:
        assert [found[key]["plain"] for key in of_vertices] == pytest.approx(vertices, abs=0.005)
    assert "truncated" in capsys.readouterr().out


def test_a_picture_without_a_prediction_is_counted_and_said(files, tmp_path, capsys):
    content = dict(np.load(files / "original.npz"))
    few = {"names": content["names"][:398], "pts68": content["pts68"][:398], "origin": 1}
    np.savez(tmp_path / "few.npz", **few)
    found = scored(tmp_path / "few.npz", ["nme68_2d_legacy"], tmp_path)["nme68_2d_legacy"]
    assert found["n"] == 398 and found["plain"] == pytest.approx(0, abs=1e-6)
    assert found["plain_with_failures"] == pytest.approx(100 * 2 / 400)
    assert found["failure_rate"] == pytest.approx(2 / 400)
    assert "2 pictures without a usable one" in capsys.readouterr().out


def test_every_case_of_the_card_with_published_predictions_is_met(capsys):
    assert main(["check-protocols", "--data", str(DATA)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("published" in line for line in lines) >= 40
    assert lines[-1].endswith("0 off")
