"""Where a scan's face is and how it comes into the picture: outside, nose tip, face region, camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry.camera import apply_camera, flip_matrix
from pipeline.geometry.euler import angles_from_rotation, rotation_from_angles
from pipeline.geometry.mesh import vertex_normals
from pipeline.records import FacemillError

if TYPE_CHECKING:
    from pipeline.config import ScanSettings
    from pipeline.datasets.scans.poses import Pose
    from pipeline.io.meshes import Mesh


@dataclass(frozen=True, eq=False)
class Placed:
    """A scan with what its pictures share.

    triangles, uv_triangles (T, 3): counter-clockwise seen from outside. tip (3,), centre (3,): of the face, scan
    frame. region (N,) bool: the true face. scale: px per unit of the scan.
    """

    mesh: Mesh
    triangles: np.ndarray
    uv_triangles: np.ndarray | None
    tip: np.ndarray
    region: np.ndarray
    centre: np.ndarray
    scale: float


@dataclass(frozen=True, eq=False)
class View:
    """One picture's camera (3, 4), scan frame -> Matlab's frame of the picture; and pose (7,), the Pose_Para of the
    head: of the upright scan under that camera."""

    camera: np.ndarray
    pose: np.ndarray


def place(mesh: Mesh, landmarks: np.ndarray, settings: ScanSettings, name: str) -> Placed:
    """A scan made ready for its pictures; landmarks (L, 3) in its frame.

    FacemillError when the nose is to be a landmark that is not there, and when the scan is much smaller than the
    radius of a face, as one in another unit is.
    """
    upright = mesh.vertices @ _rotation(settings.upright).T
    triangles, uv_triangles = mesh.triangles, mesh.uv_triangles
    if _turned_inside(upright, triangles):
        triangles = np.ascontiguousarray(triangles[:, ::-1])
        uv_triangles = None if uv_triangles is None else np.ascontiguousarray(uv_triangles[:, ::-1])
    used = np.zeros(len(upright), bool)
    used[triangles] = True
    if settings.nose is None:
        tip = mesh.vertices[foremost(upright, triangles)]
    elif settings.nose < len(landmarks):
        tip = landmarks[settings.nose]
    else:
        raise FacemillError(
            f"{name}: expected the tip of the nose in row {settings.nose} of its landmarks, found {len(landmarks)} "
            "rows; set scans.landmarks, or scans.nose to null"
        )
    region = used.copy()
    if settings.region != "all":
        region &= np.linalg.norm(mesh.vertices - tip, axis=1) <= settings.radius
    if settings.region == "front":
        region &= vertex_normals(upright, triangles)[:, 2] > 0
    low, high = (f(upright[region], axis=0) if region.any() else np.zeros(3) for f in (np.min, np.max))
    if np.linalg.norm(high - low) < settings.radius / 2:
        raise FacemillError(
            f"{name}: expected a face of about {settings.radius:g} units around its nose, found one of "
            f"{np.linalg.norm(high - low):.3g}; set scans.radius in the scan's own unit"
        )
    centre = (low + high) / 2 @ _rotation(settings.upright)
    scale = settings.face_share * settings.size / (2 * settings.radius)
    return Placed(mesh, triangles, uv_triangles, tip, region, centre, scale)


def view(placed: Placed, pose: Pose, settings: ScanSettings) -> View:
    """The camera of one pose: the face's centre in the middle of the picture, at depth 0."""
    upright = _rotation(settings.upright)
    turn = _turn(pose, settings.order) @ (upright if settings.start == "upright" else np.eye(3))
    middle = (settings.size - 1) / 2
    shift = np.array([middle + 1.0, settings.size - middle, 0.0]) - placed.scale * turn @ placed.centre
    head = angles_from_rotation(turn @ upright.T)
    return View(np.column_stack([placed.scale * turn, shift]), np.concatenate([head, shift, [placed.scale]]))


def in_picture(points: np.ndarray, camera: np.ndarray, size: int) -> np.ndarray:
    """Points (K, 3) of the scan's frame in image px (0-based, y down, z nearer is larger), float64."""
    return apply_camera(points, flip_matrix(camera, size))


def foremost(upright: np.ndarray, triangles: np.ndarray) -> int:
    """The vertex of the largest z, where each counts as the mean over the triangles around it: a single spike of the
    scanner is no nose. Vertices (N, 3) of a scan that looks along +z."""
    total, count = np.zeros(len(upright)), np.zeros(len(upright))
    means = upright[triangles, 2].mean(axis=1)
    for corner in triangles.T:
        np.add.at(total, corner, means)
        np.add.at(count, corner, 1.0)
    return int(np.argmax(np.where(count > 0, total / np.maximum(count, 1.0), -np.inf)))


def _turned_inside(upright: np.ndarray, triangles: np.ndarray) -> bool:
    """Whether the triangles of the front half, weighed by their area, look away from the viewer."""
    a, b, c = (upright[corner] for corner in triangles.T)
    facing = np.cross(b - a, c - a)[:, 2]
    depth = (a + b + c)[:, 2]
    return float(facing[depth >= np.median(depth)].sum()) < 0


def _turn(pose: Pose, order: str) -> np.ndarray:
    """The rotation (3, 3) of a pose: Ry Rx Rz for "pitch_first", else 300W-LP's Rx Ry Rz."""
    if order != "pitch_first":
        return _rotation(pose)
    pitch, yaw, roll = pose
    return _rotation((0.0, yaw, 0.0)) @ _rotation((pitch, 0.0, roll))


def _rotation(degrees: tuple[float, ...]) -> np.ndarray:
    return rotation_from_angles(*np.radians(degrees))
