"""A tiny data set for the tests of the stages: pictures, .mat files, detections, a face model of 70 vertices."""

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import scipy.io

from pipeline.geometry.boxes import landmark_box
from pipeline.geometry.camera import project
from pipeline.io import hdf5
from pipeline.io.tables import write_status
from pipeline.morphable import MorphableModel
from pipeline.records import DETECTIONS, Field, Reason, StatusRow
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
    rows = [StatusRow(face, picture, "detect", None, 0.9) for face, picture, _ in faces]
    write_status(paths["status"], [*rows, *extra])
    return paths
