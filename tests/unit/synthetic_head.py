"""An egg with 68 landmarks as a morphable model, and data sets of it small enough for unit tests."""

from functools import cache

import numpy as np

from pipeline.config import SyntheticSettings
from pipeline.datasets.synthetic.anatomy import HeadModel
from pipeline.datasets.synthetic.meshes import ellipsoid
from pipeline.datasets.synthetic.picture import Synthesiser
from pipeline.morphable import MorphableModel


def _marks() -> np.ndarray:
    """(68, 2) roughly where the mark-up has them, mm from the point between the eyes."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 17)
    jaw = np.stack([70 * np.sin(turn), -110 * np.cos(turn) + 5], 1)
    brows = [[x, 22 - abs(abs(x) - 32) / 4] for x in (-55, -44, -33, -24, -15, 15, 24, 33, 44, 55)]
    nose = [[0, y] for y in (0, -12, -24, -36)] + [[x, -45] for x in (-14, -7, 0, 7, 14)]
    eye = np.array([[-14, 0], [-5, 5], [5, 5], [14, 0], [5, -5], [-5, -5]])
    side = np.array([31.5, 0.0])
    round_ = np.linspace(np.pi, -np.pi, 12, endpoint=False)
    mouth = np.stack([24 * np.cos(round_), -74 + 10 * np.sin(round_)], 1)
    lips = np.stack(
        [18 * np.cos(np.linspace(np.pi, -np.pi, 8)), -74 + 4 * np.sin(np.linspace(np.pi, -np.pi, 8))], 1
    )
    return np.concatenate([jaw, brows, nose, eye - side, eye + side, mouth, lips])


@cache
def egg() -> MorphableModel:
    """1,800 vertices, two shape modes (wider, longer), one expression mode, no colours."""
    shape = ellipsoid([0, -10, -80], [78, 125, 100], 30, 60)
    vertices = shape.vertices * 1000.0
    front = shape.vertices[:, 2] > -75
    away = np.linalg.norm(shape.vertices[None, :, :2] - _marks()[:, None], axis=2) + 1e3 * ~front
    basis = np.zeros((len(vertices), 3, 2), np.float32)
    basis[:, 0, 0], basis[:, 1, 1] = 0.01 * vertices[:, 0], 0.01 * vertices[:, 1]
    smile = np.zeros((len(vertices), 3, 1), np.float32)
    smile[:, 2, 0] = 0.01 * vertices[:, 2]
    return MorphableModel(
        name="egg",
        licence="none",
        mean=vertices.astype(np.float32),
        shape_basis=basis,
        shape_sigma=np.array([4.0, 4.0]),
        expression_basis=smile,
        expression_sigma=np.array([1.0]),
        triangles=shape.triangles,
        keypoints=np.argmin(away, 1).astype(np.int32),
        uv=shape.surface.astype(np.float32),
        uv_triangles=shape.triangles,
        face_mask=front,
        albedo_mean=None,
        albedo_basis=None,
        albedo_sigma=None,
        regions=np.zeros(len(vertices), np.uint8),
    )


PLAIN = {
    f"share_{kind}": 0.0
    for kind in ("none", "several", "hard", "impossible", "cut", "broken", "duplicate", "unreadable")
}
BARE = {"hair": 0.0, "cap": 0.0, "glasses": 0.0, "occluder": 0.0, "shadows": 0.0, "blur": 0.0, "noise": 0.0}


def settings(**changed: object) -> SyntheticSettings:
    """Small pictures of ordinary faces; keyword arguments change single settings."""
    return SyntheticSettings.model_validate({"pictures": 6, "identities": 4, "size": 96, **PLAIN, **changed})


def synthesiser(seed: int = 0, dataset: str = "eggs", **changed: object) -> Synthesiser:
    """A data set of eggs."""
    return Synthesiser(settings(**changed), HeadModel(egg()), seed, dataset)
