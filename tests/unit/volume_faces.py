"""Procedural faces in the 192 crop, with their volumes."""

from functools import cache

import numpy as np

from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.volume import place_depth, voxelize
from pipeline.morphable import load_face_model
from pipeline.targets.volume import face_mesh

DEPTH_SCALE = 1.25


@cache
def model():
    """The procedural face."""
    return load_face_model("procedural")


def face(yaw, pitch=0.0, roll=0.0, seed=0):
    """Vertices (N, 3) px of the 192 crop (y down, z nearer is larger) of a random person, and the rotation; degrees."""
    random = np.random.default_rng(seed)
    of = model()
    shape = random.normal(0, 1, len(of.shape_sigma)) * of.shape_sigma
    expression = random.normal(0, 0.5, len(of.expression_sigma)) * of.expression_sigma
    rotation = rotation_from_angles(*np.radians([pitch, yaw, roll]))
    points = of.vertices(shape, np.maximum(expression, of.expression_floor)) @ rotation.T * [1, -1, 1]
    marks = points[of.keypoints, :2]
    points *= 90 / np.sqrt(np.ptp(marks, axis=0).prod())
    marks = points[of.keypoints, :2]
    points[:, :2] += 95.5 - (marks.max(axis=0) + marks.min(axis=0)) / 2
    return points, rotation


def volume_of(points, rotation, variant):
    """The volume (200, 192, 192) uint8, and the face's vertices in it."""
    kept, closure = face_mesh(model())
    placed = place_depth(points[kept], DEPTH_SCALE)
    volume = voxelize(
        placed, closure.triangles, variant, rotation=rotation, depth_scale=DEPTH_SCALE, closure=closure
    )
    return volume.dense(), placed
