"""A tiny data set for the tests of the stages: pictures, .mat files, detections, a face model of 70 vertices."""

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import scipy.io

from pipeline.datasets import matching
from pipeline.geometry.boxes import landmark_box
from pipeline.geometry.camera import project
from pipeline.io import hdf5
from pipeline.io.tables import read_status, read_tsv, write_status
from pipeline.morphable import MorphableModel
from pipeline.records import DETECTIONS, Field, Reason, StatusRow
from pipeline.stages import crop, ground_truth, pack, reap, source
from pipeline.targets.base import Made, Problem

SIDE = 200
POSE = np.array([0.0, 0.0, 0.0, 101.0, 100.0, 0.0, 1e-3])


def model() -> MorphableModel:
    """70 vertices on a dome, the first 68 of them landmarks; one shape and one expression mode."""
    rng = np.random.default_rng(1)
    points = rng.uniform(-6e4, 6e4, (70, 3))
    points[:, 2] = 5e4 - np.abs(points[:, :2]).sum(axis=1) / 4
    triangles = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    return MorphableModel(
        name="dome",
        licence="none",
        mean=points.astype(np.float32),
        shape_basis=rng.normal(0, 1, (70, 3, 1)).astype(np.float32),
        shape_sigma=np.ones(1),
        expression_basis=rng.normal(0, 1, (70, 3, 1)).astype(np.float32),
        expression_sigma=np.ones(1),
        triangles=triangles,
        keypoints=np.arange(68, dtype=np.int32),
        uv=rng.uniform(0, 1, (70, 2)).astype(np.float32),
        uv_triangles=triangles,
        face_mask=np.ones(70, bool),
        albedo_mean=None,
        albedo_basis=None,
        albedo_sigma=None,
        regions=np.zeros(70, np.uint8),
    )


class DomeTarget:
    """Keeps the vertices themselves; one further than 30 px from the middle of the square is a problem."""

    side: ClassVar = 96
    fields: ClassVar = {"points": Field("float32", (70, 3), "pixels")}
    attributes: ClassVar = {"scale": 1.0}

    def __init__(self, settings):
        self.settings = settings

    def make(self, vertices, model, context):
        """The vertices, or the ledger's reason."""
        worst = float(np.abs(vertices[:, :2] - self.side / 2).max())
        if worst > 30:
            return Made({}, Problem(Reason.OUT_OF_MAP_RANGE, worst, "too far out"))
        return Made({"points": vertices.astype(np.float32)}, None)


def pose_at(x: float, y: float, scale: float = 1e-3) -> np.ndarray:
    """Pose_Para of a frontal face whose origin lies at (x, y) of the picture."""
    return np.array([0, 0, 0, x + 1, SIDE - y, 0, scale])


def landmarks(pose: np.ndarray) -> np.ndarray:
    """The dome's landmarks (68, 2) in image px under a pose."""
    return project(model().vertices(), pose, SIDE)[:68, :2]


def save_picture(path: Path, seed: int) -> None:
    """A JPEG of low noise, another one for each seed."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), (SIDE, SIDE))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def save_mat(path: Path, pose: np.ndarray, **changed: object) -> None:
    """A .mat in 300W-LP's format; a value of None leaves its key out."""
    content = {"Pose_Para": pose[None], "Shape_Para": np.zeros((199, 1)), "Exp_Para": np.zeros((29, 1))}
    scipy.io.savemat(path, {k: v for k, v in {**content, **changed}.items() if v is not None})


def save_detections(
    folder: Path, found: dict[str, list[np.ndarray]], extra: list[StatusRow]
) -> dict[str, str]:
    """What the detect stage would write: picture -> landmarks (68, 2) of each face, best first, and further rows."""
    faces = [(f"{p}#{k}", p, points) for p, many in found.items() for k, points in enumerate(many)]
    paths = {"detections": str(folder / "0.h5"), "status": str(folder / "0.status.tsv")}
    with hdf5.create(paths["detections"], DETECTIONS, len(faces)) as file:
        for k, (face, picture, points) in enumerate(faces):
            file["face"][k], file["picture"][k] = face, picture
            file["box"][k] = landmark_box(points)
            file["score"][k] = 0.9 - 0.1 * int(face.rsplit("#")[1])
            file["landmarks68"][k], file["landmark_score"][k] = points, 1.0
            file["landmark_depth"][k], file["seen68"][k] = np.nan, points
    rows = [StatusRow(face, picture, "detect", None, 0.9) for face, picture, _ in faces]
    write_status(paths["status"], [*rows, *extra])
    return paths


PICTURES = {
    "P_001_0": "an ordinary face",
    "P_002_0": "nobody",
    "P_003_0": "cannot be read",
    "P_004_0": "a copy of the first",
    "P_005_0": "two faces",
    "P_006_0": "half outside",
    "P_007_0": "no annotation",
    "P_008_0": "annotation with NaN",
    "P_009_0": "annotation of somebody else",
    "P_010_0": "mesh too large for the target",
    "P_011_0": "an ordinary face",
    "P_011_1": "the same photograph",
}


def build(tmp_path: Path, monkeypatch) -> "Chain":
    """The data set of PICTURES in a folder, with the stages set to the dome."""
    for k, name in enumerate(PICTURES):
        save_picture(tmp_path / f"data/{name}.jpg", k)
    (tmp_path / "data/P_003_0.jpg").write_bytes(b"\xff\xd8 nothing")
    (tmp_path / "data/P_004_0.jpg").write_bytes((tmp_path / "data/P_001_0.jpg").read_bytes())
    for name in PICTURES:
        if name not in ("P_002_0", "P_003_0", "P_007_0"):
            save_mat(tmp_path / f"data/{name}.mat", POSE)
    save_mat(tmp_path / "data/P_005_0.mat", pose_at(60, 100, 5e-4))
    save_mat(tmp_path / "data/P_005_0_f1.mat", pose_at(150, 100, 5e-4))
    save_mat(tmp_path / "data/P_006_0.mat", pose_at(0, 100))
    save_mat(tmp_path / "data/P_008_0.mat", POSE, Shape_Para=np.full((199, 1), np.nan))
    save_mat(tmp_path / "data/P_009_0.mat", pose_at(30, 30, 2e-4))
    save_mat(tmp_path / "data/P_010_0.mat", POSE * [1, 1, 1, 1, 1, 1, 1.6])
    monkeypatch.setattr(ground_truth, "load_face_model", lambda **block: model())
    monkeypatch.setattr(ground_truth, "TARGETS", {"posmap": DomeTarget})
    monkeypatch.setattr(pack, "TARGETS", {"posmap": DomeTarget})
    monkeypatch.setattr(matching, "MATCH_IOU", 0.2)
    return Chain(tmp_path)


class Chain:
    """The stages of one data set in one shard, run with the settings that a job would hand them."""

    def __init__(self, folder):
        self.folder = folder
        self.at = {"dataset": "tiny", "frame": "fan192", "target": "dome", "shard": "0"}

    def path(self, name):
        return str(self.folder / name)

    def run(self, stage, inputs, outputs, settings, **wildcards):
        stage.run(
            inputs=inputs,
            outputs={name: self.path(path) for name, path in outputs.items()},
            settings=settings,
            wildcards={**self.at, **wildcards},
            attributes={"command": "test"},
        )

    def source(self, benchmark=False, subset="all", reader="face_300w_lp"):
        settings = {
            "reader": reader,
            "root": self.path("data"),
            "subset": subset,
            "every": 5,
            "benchmark": benchmark,
        }
        self.run(source, {}, {"source": "source.tsv"}, settings)
        return read_tsv(self.path("source.tsv"))

    def detect(self):
        faces = {name: [landmarks(POSE)] for name in PICTURES if name not in ("P_002_0", "P_003_0")}
        faces["P_005_0"] = [landmarks(pose_at(60, 100, 5e-4)), landmarks(pose_at(150, 100, 5e-4))]
        faces["P_006_0"] = [landmarks(pose_at(0, 100))]
        rows = [
            StatusRow("P_002_0", "P_002_0", "detect", Reason.NO_FACE),
            StatusRow("P_003_0", "P_003_0", "detect", Reason.UNREADABLE, None, "no picture"),
        ]
        self.detections = save_detections(self.folder, faces, rows)

    def crop(self, **options):
        inputs = {"source": self.path("source.tsv"), **self.detections}
        settings = {"root": self.path("data"), "shards": 1, "whole": False, "crop": options}
        self.run(crop, inputs, {"crops": "crops.h5", "status": "crop.tsv"}, settings)
        return {row.face: row for row in read_status(self.path("crop.tsv"))}

    def ground_truth(self):
        inputs = {
            "source": self.path("source.tsv"),
            "detections": self.detections["detections"],
            "crops": self.path("crops.h5"),
        }
        settings = {
            "root": self.path("data"),
            "reader": "face_300w_lp",
            "truth": "dense",
            "face_model": {"id": "dome", "path": None},
            "target": {"kind": "posmap", "size": 96},
        }
        outputs = {"ground_truth": "truth.h5", "status": "truth.tsv"}
        self.run(ground_truth, inputs, outputs, settings)
        return {row.face: row for row in read_status(self.path("truth.tsv"))}

    def reap(self, leaks=()):
        inputs = {
            "source": self.path("source.tsv"),
            "detect": [self.detections["status"]],
            "crop": [self.path("crop.tsv")],
            "ground_truth": [self.path("truth.tsv")],
            "leaks": [self.path(name) for name in leaks],
        }
        self.run(reap, inputs, {"kept": "kept.tsv", "reaped": "reaped.tsv"}, {"shards": 1})
        return read_tsv(self.path("kept.tsv")), read_tsv(self.path("reaped.tsv"))

    def pack(self, split, benchmark=False, validation=0.4):
        inputs = {
            "kept": self.path("kept.tsv"),
            "crops": [self.path("crops.h5")],
            "ground_truth": [self.path("truth.h5")],
        }
        settings = {
            "seed": 0,
            "validation": validation,
            "benchmark": benchmark,
            "truth": "dense",
            "target": {"kind": "posmap", "size": 96},
        }
        self.run(pack, inputs, {"pack": f"{split}.h5"}, settings, split=split)
        return self.path(f"{split}.h5")

    def all(self):
        self.source()
        self.detect()
        self.crop()
        self.ground_truth()
        return self.reap()
