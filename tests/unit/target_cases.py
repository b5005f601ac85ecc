"""A face model of a few hundred vertices, and a face of it in a crop, for the tests of targets."""

import numpy as np
from kernel_shapes import sheet

from pipeline.config import TargetSettings
from pipeline.geometry.camera import pose_matrix, project
from pipeline.geometry.frames import CropTransform
from pipeline.morphable import MorphableModel
from pipeline.targets.base import Context

SIDE = 21
POSE = np.array([0.1, 0.4, -0.1, 230.0, 210.0, 0.0, 1e-3])
MARKS = {
    "jaw": [(0.05 + 0.9 * t, 0.55 - 0.5 * np.sin(np.pi * t)) for t in np.linspace(0, 1, 17)],
    "brows": [(x, 0.8) for x in (0.2, 0.25, 0.3, 0.35, 0.4, 0.6, 0.65, 0.7, 0.75, 0.8)],
    "nose": [(0.5, y) for y in (0.7, 0.62, 0.55, 0.5)] + [(x, 0.45) for x in (0.4, 0.45, 0.5, 0.55, 0.6)],
    "eyes": [
        (c + x, 0.7 + y)
        for c in (0.3, 0.7)
        for x, y in ((-0.1, 0), (-0.05, 0.05), (0.05, 0.05), (0.1, 0), (0.05, -0.05), (-0.05, -0.05))
    ],
    "mouth": [
        (0.5 + 0.15 * np.cos(a), 0.3 + 0.05 * np.sin(a))
        for a in np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ],
}


def model() -> MorphableModel:
    """A dome over the unit chart with 68 landmarks, two shape modes and one expression; the rim is no face."""
    plane, triangles = sheet(SIDE)
    uv = plane[:, :2] / (SIDE - 1)
    uv[:, 1] = 1 - uv[:, 1]
    x, y = (uv.T - 0.5) * 1.6e5
    z = 8e4 * np.cos(x / 1.1e5) * np.cos(y / 1.3e5)
    marks = np.array([point for part in MARKS.values() for point in part])
    nearest = np.linalg.norm(uv[None] - marks[:, None], axis=2).argmin(axis=1)
    mean = np.column_stack([x, y, z]).astype(np.float32)
    basis = np.zeros((len(mean), 3, 2), np.float32)
    basis[:, 2, 0], basis[:, 0, 1] = 1.0, x / 8e4
    return MorphableModel(
        name="dome",
        licence="none",
        mean=mean,
        shape_basis=basis,
        shape_sigma=np.ones(2),
        expression_basis=np.zeros((len(mean), 3, 1), np.float32),
        expression_sigma=np.ones(1),
        triangles=np.ascontiguousarray(triangles[:, ::-1]),
        keypoints=nearest.astype(np.int32),
        uv=uv.astype(np.float32),
        uv_triangles=np.ascontiguousarray(triangles[:, ::-1]),
        face_mask=(np.abs(uv - 0.5) < 0.47).all(axis=1),
        albedo_mean=None,
        albedo_basis=None,
        albedo_sigma=None,
        regions=np.zeros(len(mean), np.uint8),
    )


def settings(**values) -> TargetSettings:
    """Target settings with these values."""
    return TargetSettings.model_validate(values)


def face(of: MorphableModel, side: int, pose: np.ndarray = POSE, scale: float = 1.0):
    """Vertices (N, 3) of the mean face in a crop of `side` px about it, and the context."""
    image = project(of.vertices(), pose, 450)
    transform = CropTransform(scale * side / 230, *image[:, :2].mean(axis=0), side)
    context = Context(transform, pose, pose_matrix(pose), np.zeros(199), np.zeros(29), 450)
    return transform.apply(image), context
