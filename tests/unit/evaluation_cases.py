"""A face model of 26 x 26 vertices and a test pack of a few of its faces, small enough for unit tests."""

from pathlib import Path

import numpy as np

from pipeline.config import TargetSettings
from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.predictions import Answers
from pipeline.geometry.frames import CropTransform
from pipeline.io import hdf5
from pipeline.morphable import MorphableModel, load_face_model
from pipeline.records import PACK
from pipeline.registry import TARGETS
from pipeline.targets.base import Context

SIDE = 26
TARGET = TargetSettings(kind="posmap", size=32)
FRAME = 48
HEIGHT = 200


def model_file(folder: Path) -> Path:
    """The model as an .npz in the layout of the project's adapter: a bowed mask with one bump that has no symmetry."""
    v, u = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    x, y = (u - 0.5) * 1.6e5, (v - 0.5) * 2.0e5
    z = 9e4 - 3.2e-6 * x**2 - 2.2e-6 * y**2 + 2.5e4 * np.exp(-((u - 0.45) ** 2 + (v - 0.4) ** 2) / 0.02)
    vertices = np.stack([x, y, z], axis=-1).reshape(-1)
    row, column = np.mgrid[0 : SIDE - 1, 0 : SIDE - 1].reshape(2, -1)
    corner = row * SIDE + column
    lower = np.stack([corner, corner + 1, corner + SIDE], axis=1)
    upper = np.stack([corner + 1, corner + SIDE + 1, corner + SIDE], axis=1)
    random = np.random.default_rng(5)
    smooth = np.stack([np.sin(3 * u + k) * np.cos(2 * v - k) for k in range(9)], axis=-1).reshape(
        SIDE**2, 3, 3
    )
    inner = ((np.abs(u - 0.5) < 0.4) & (np.abs(v - 0.5) < 0.42)).reshape(-1)
    keypoints = random.choice(np.flatnonzero(inner), 68, replace=False)
    path = folder / "model.npz"
    np.savez(
        path,
        u=vertices,
        w_shp=smooth[:, :, :2].reshape(-1, 2),
        w_exp=smooth[:, :, 2:].reshape(-1, 1),
        keypoints=keypoints,
        tri=np.concatenate([lower, upper])[:, ::-1],
        uv=np.stack([u, v], axis=-1).reshape(-1, 2),
        indices_noneck=np.flatnonzero(inner),
    )
    return path


def model(folder: Path) -> MorphableModel:
    """The loaded model."""
    return load_face_model("npz", model_file(folder))


def annotation(pitch: float, yaw: float, roll: float, shape: float = 4e3) -> FaceAnnotation:
    """A face of about 100 px in the middle of a picture 200 px tall; angles in degrees."""
    pose = np.array([*np.radians([pitch, yaw, roll]), 100.0, 100.0, -50.0, 6e-4])
    return FaceAnnotation(pose, np.array([shape, -shape]), np.array([shape / 2]), HEIGHT)


def write_pack(
    path: Path,
    model: MorphableModel,
    faces: dict[str, FaceAnnotation],
    pictures: dict[str, str] | None = None,
) -> Path:
    """A pack with one face a name (``picture#0``); its crops are smooth noise."""
    random = np.random.default_rng(1)
    target = TARGETS["posmap"](TARGET)
    transform = CropTransform(0.35, 99.0, 99.5, FRAME)
    sizes = {"F": FRAME, "C": 3, "Ks": 2, "Ke": 1}
    with hdf5.create(path, PACK.extended(**target.fields), len(faces), sizes) as file:
        for row, (name, face) in enumerate(faces.items()):
            picture = (pictures or {}).get(name, name.split("#")[0])
            vertices = transform.resized(TARGET.size).apply(face.vertices(model))
            crop = transform.resized(TARGET.size)
            context = Context(crop, face.pose, face.matrix, face.shape, face.expression, face.height)
            values = {
                "face": name,
                "picture": picture,
                "group": picture,
                "pose_para": face.pose,
                "camera": face.matrix,
                "shape_para": face.shape,
                "exp_para": face.expression,
                "landmarks68": face.landmarks(model),
                "detected68": face.landmarks(model)[:, :2],
                "yaw_deg": np.degrees(face.pose[1]),
                "image_height": face.height,
                "image": random.integers(0, 256, (FRAME, FRAME, 3), np.uint8),
                "transform": transform.to_array(),
                **target.make(vertices, model, context).stored,
            }
            for key in PACK.fields | target.fields:
                file[key][row] = values[key]
    return path


def write_predictions(path: Path, pack: Path, chart: Chart, maps: np.ndarray) -> Path:
    """A file of predictions with these maps (n, S, S, 3) px for the faces of a pack."""
    answers = Answers(TARGET, chart)
    with (
        hdf5.open_checked(pack, PACK) as source,
        hdf5.create(path, answers.contract, len(maps), {"S": maps.shape[1]}, answers.attributes) as file,
    ):
        for row, found in enumerate(answers.constant({"map": maps[0]}, maps.shape[1], source)):
            file["face"][row], file["picture"][row] = found.face, found.picture
            file["transform"][row], file["map"][row] = found.transform.to_array(), maps[row]
    return path


def truth_maps(path: Path) -> np.ndarray:
    """The targets of a pack, (n, S, S, 3) float32 px."""
    target = TARGETS["posmap"](TARGET)
    with hdf5.open_checked(path, PACK.extended(**target.fields)) as file:
        return np.stack([target.decode({"posmap": codes}) for codes in file["posmap"][:]])
