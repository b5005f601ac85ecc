"""68 landmarks of a volume: the face model's mean mesh laid on the volume's surface, then its nearest points.

A volume has no correspondence; this gives it one, for VRN-Unguided, which predicts nothing else. The mean face is
turned to several yaws and rolls, brought to the size of the surface by its box, and moved by iterative closest points,
from every vertex to the surface, so that the back of the volume, which the mesh does not have, draws nothing to
itself. The motion with the least mean distance wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.evaluation.isosurface import LEVEL, crop_surface
from pipeline.geometry.closest import Tree
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.registration import Registration, icp
from pipeline.geometry.similarity import Similarity
from pipeline.geometry.surface import pooled, step_of
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError
from pipeline.seeding import rng
from pipeline.targets.volume import face_mesh

METHOD = (
    "mean mesh of the face model registered to the iso-surface (ICP with scale from 7 yaws x 3 rolls, least mean "
    "distance), then nearest points"
)
YAWS, ROLLS = (-90, -60, -30, 0, 30, 60, 90), (-30, 0, 30)
POINTS, ROUNDS = 300, 12  # of the mesh, for each start
BEST, MORE_POINTS, MORE_ROUNDS = 2, 1500, 40  # of the starts, to the end
SPARSE = 3  # every so many vertices of the surface, for the starts
FLIP = np.array([1.0, -1.0, 1.0])  # the model's y points up


@dataclass(frozen=True, eq=False)
class Registered:
    """A face found in a volume, in px of the 192 crop: y down, z nearer is larger, 0 at the volume's centre.

    Attributes:
        vertices: (N, 3) of the model's mesh; those of the face lie on the surface, ears, neck and scalp where the
            motion takes the mean's.
        landmarks: (68, 3), those of the keypoints.
        motion: of the model's mean, y down.
        residual: mean distance of the moved mean mesh to the surface, px.
    """

    vertices: np.ndarray
    landmarks: np.ndarray
    motion: Similarity
    residual: float


class MeanMesh:
    """The mean face of a model, ready to be laid on surfaces.

    `FacemillError` for a model with a landmark outside its face mask.
    """

    def __init__(self, model: MorphableModel):
        kept, _ = face_mesh(model)
        if not np.isin(model.keypoints, kept).all():
            raise FacemillError(
                f"face model {model.name}: expected all 68 landmarks on the face without ears, neck and scalp, found "
                f"{int((~np.isin(model.keypoints, kept)).sum())} outside"
            )
        self.keypoints, self.kept = model.keypoints, kept
        self.whole = model.mean.astype(np.float64) * FLIP
        self.mesh = self.whole[kept]
        order = rng("mean_mesh", len(kept)).permutation(len(kept))
        self.few, self.more = self.mesh[order[:POINTS]], self.mesh[order[:MORE_POINTS]]

    def register(self, volume: np.ndarray, depth_scale: float = 1.25) -> Registered:
        """The face in a volume (D, S, S) of probabilities, or of 0 and 1, of any side.

        depth_scale: by which its depth was stretched. A volume of the paper's side is halved first, which costs no
        accuracy that counts here. `FacemillError` for a volume without a surface.
        """
        volume = np.asarray(volume)
        if step_of(volume) == 1.0:
            volume = pooled(volume)
        vertices, triangles = crop_surface(volume, depth_scale)
        found = self._motion(vertices)
        points = found.motion.apply(self.whole)
        points[self.kept] = Tree(vertices, triangles).closest(points[self.kept]).points
        return Registered(points, points[self.keypoints], found.motion, _residual(found))

    def _motion(self, surface: np.ndarray) -> Registration:
        """The best motion of the mean mesh onto points (N, 3) of a surface. At first the scale of the box stays: a mesh
        that is turned wrongly would shrink to fit."""
        sparse = surface[::SPARSE] if len(surface) >= 3 * SPARSE else surface
        starts = [self._start(np.radians(yaw), np.radians(roll), surface) for yaw in YAWS for roll in ROLLS]
        tried = [
            _icp(self.few, sparse, start, iterations=ROUNDS, tolerance=1e-3, with_scale=False)
            for start in starts
        ]
        tried.sort(key=_residual)
        ends = [
            _icp(self.more, surface, start.motion, iterations=MORE_ROUNDS, tolerance=1e-4, with_scale=True)
            for start in tried[:BEST]
        ]
        return min(ends, key=_residual)

    def _start(self, yaw: float, roll: float, surface: np.ndarray) -> Similarity:
        """The mean mesh turned, of the size of the surface's box and in its middle."""
        rotation = FLIP[:, None] * rotation_from_angles(0.0, yaw, roll) * FLIP
        turned = self.mesh @ rotation.T
        box, mine = (np.stack([points.min(axis=0), points.max(axis=0)]) for points in (surface, turned))
        scale = float(np.sqrt(np.prod(np.ptp(box, axis=0)[:2]) / np.prod(np.ptp(mine, axis=0)[:2])))
        if not scale > 0:
            raise FacemillError("volume: expected a surface with an extent, found a flat one")
        return Similarity(scale, rotation, box.mean(axis=0) - scale * mine.mean(axis=0))


@lru_cache(maxsize=4)
def mean_mesh(model: MorphableModel) -> MeanMesh:
    """The mean face of a model, made once."""
    return MeanMesh(model)


def registered(
    volume: np.ndarray, model: MorphableModel, depth_scale: float = 1.25
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) of the model's mesh and landmarks (68, 3), float32 px of the 192 crop, of the face in a volume;
    arguments as `MeanMesh.register`. NaN, a failed prediction, for a volume in which nothing or everything is inside.
    """
    found = np.asarray(volume) > LEVEL
    if not found.any() or found.all():
        return np.full((len(model.mean), 3), np.nan, np.float32), np.full((68, 3), np.nan, np.float32)
    face = mean_mesh(model).register(volume, depth_scale)
    return face.vertices.astype(np.float32), face.landmarks.astype(np.float32)


def _icp(mesh: np.ndarray, surface: np.ndarray, start: Similarity, **settings: Any) -> Registration:
    return icp(mesh, surface, initial=start, search="from_moving", **settings)


def _residual(found: Registration) -> float:
    return float(found.distances.mean())
