"""A head in millimetres: what hair, caps, glasses and hands need to know of any morphable model.

The head's own frame has its origin between the eyes, x to the image's right, y up, z to the camera, and a unit such
that the eyes' centres lie 63 mm apart on the model's mean (Farkas, Anthropometry of the Head and Face, 1994, gives 62
to 65). Beyond the mesh the skull is an ellipsoid of average size, so that a face without a back still gets hair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from pipeline.datasets.synthetic.meshes import grid_surface, grid_triangles
from pipeline.geometry.camera import project
from pipeline.geometry.mesh import vertex_normals
from pipeline.morphable.model import MorphableModel, Region

EYE_DISTANCE = 63.0
CENTRE = np.array([0.0, 15.0, -80.0])
_RADII = np.array([76.0, 102.0, 98.0])
_ELEVATIONS, _AZIMUTHS = 37, 72
_NECK_AXIS = -88.0
_NECK_HEIGHTS, _NECK_RADII = (-128.0, -150.0, -200.0), (60.0, 46.0, 20.0)


class HeadModel:
    """A morphable model with what rendering reads off it once: scale, hollows, regions."""

    def __init__(self, model: MorphableModel) -> None:
        self.model = model
        points = model.mean[model.keypoints].astype(np.float64)
        eyes = points[36:42].mean(0), points[42:48].mean(0)
        self.unit = float(np.linalg.norm(eyes[1] - eyes[0])) / EYE_DISTANCE
        self.between_eyes = (eyes[0] + eyes[1]) / 2
        self.has_mouth = bool((model.regions == Region.MOUTH_INNER).any())
        scalp = model.regions == Region.SCALP
        self.has_scalp = bool(scalp.any())
        self.painted_hair = self.has_scalp and _darker(model, scalp)
        self.skull = ~np.isin(model.regions, (Region.EAR, Region.NECK))

    @cached_property
    def _modes(self) -> np.ndarray:
        """(3 N, Ks + Ke) float32: both bases side by side, for one fast product."""
        bases = (self.model.shape_basis, self.model.expression_basis)
        return np.concatenate([b.reshape(-1, b.shape[2]) for b in bases], 1).astype(np.float32)

    def vertices(self, shape: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """``model.vertices`` (N, 3) float64 with the product in single precision: 1e-5 px off at most."""
        offset = self._modes @ np.concatenate([shape, expression]).astype(np.float32)
        return self.model.mean.astype(np.float64) + offset.reshape(-1, 3)

    @cached_property
    def brightness(self) -> tuple[float, float]:
        """Mean linear value of the mean face's albedo, and of its first mode."""
        mask = self.model.face_mask
        return float(self.model.albedo_mean[mask].mean()), float(self.model.albedo_basis[mask, :, 0].mean())

    @cached_property
    def occlusion(self) -> np.ndarray:
        """(N,) share of ambient light that reaches each vertex of the mean: hollows are dark."""
        vertices = self.model.mean.astype(np.float64) / self.unit
        triangles = self.model.triangles
        pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        count = len(vertices)
        links = sparse.coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
        links = (links + links.T + sparse.identity(count)).tocsr()
        links = sparse.diags(1 / np.asarray(links.sum(1)).ravel()) @ links
        normals = vertex_normals(vertices, triangles)
        hollow, smooth = np.zeros(count), vertices
        for step in range(1, 33):
            smooth = links @ smooth
            if step in (2, 8, 32):
                hollow += np.einsum("ij,ij->i", smooth - vertices, normals) / np.sqrt(step)
        spread = links @ (links @ np.clip(1 - 0.55 * hollow, 0.3, 1.08))
        deep = np.isin(self.model.regions, (Region.MOUTH_INNER, Region.NOSTRIL))
        shaded = np.where(deep, np.minimum(spread, 0.35), spread)
        teeth = self.model.regions == Region.TEETH
        return np.where(teeth, np.minimum(shaded, 0.5), shaded).astype(np.float32)

    @cached_property
    def shoulders(self) -> np.ndarray:
        """(K,) vertices below the throat of a mesh that reaches to its shoulders; none of one that ends before."""
        p = (self.model.mean.astype(np.float64) - self.between_eyes) / self.unit
        below = (self.model.regions == Region.NECK) & (p[:, 1] < _NECK_HEIGHTS[0])
        if not below.any() or np.abs(p[below, 0]).max() < 1.25 * _NECK_RADII[0]:
            return np.zeros(0, np.intp)
        return np.flatnonzero(below)

    @cached_property
    def directions(self) -> tuple[np.ndarray, np.ndarray]:
        """Elevation and azimuth (N,) radians of the mean's vertices as seen from CENTRE."""
        p = (self.model.mean.astype(np.float64) - self.between_eyes) / self.unit - CENTRE
        return np.arctan2(p[:, 1], np.hypot(p[:, 0], p[:, 2])), np.arctan2(p[:, 0], p[:, 2])

    @cached_property
    def coordinates(self) -> np.ndarray:
        """(N, 2) texel coordinates of the skin's texture: azimuth and height, 1.6 texels to the millimetre."""
        p = self.model.mean / self.unit
        return np.stack([np.arctan2(p[:, 0], p[:, 2] - p[:, 2].min()) * 120, p[:, 1] * 1.6], 1)


def _darker(model: MorphableModel, scalp: np.ndarray) -> bool:
    """Whether the model's own colours have hair on its scalp (N,) bool: less than half as bright as the face."""
    if model.albedo_mean is None:
        return False
    return bool(model.albedo_mean[scalp].mean() < 0.5 * model.albedo_mean[model.face_mask].mean())


@dataclass(frozen=True)
class Head:
    """One person's head with one expression under one camera.

    vertices (N, 3): model frame. pose (7,): Pose_Para. size: height of the picture, px.
    """

    traits: HeadModel
    vertices: np.ndarray
    pose: np.ndarray
    size: int

    @cached_property
    def image(self) -> np.ndarray:
        """(N, 3) float64 vertices in image px."""
        return project(self.vertices, self.pose, self.size)

    @cached_property
    def drawn(self) -> np.ndarray:
        """(N, 3) the vertices as they are drawn: as ``image``, but shoulders are drawn in under the clothes' neck."""
        tucked = self.traits.shoulders
        if not len(tucked):
            return self.image
        axis = np.array([0.0, 0.0, _NECK_AXIS])
        p = (self.vertices[tucked] - self.origin) / self.traits.unit - axis
        reach = np.interp(-p[:, 1], np.negative(_NECK_HEIGHTS), _NECK_RADII)
        share = np.minimum(reach / np.maximum(np.hypot(p[:, 0], p[:, 2]), 1e-9), 1.0)
        p[:, [0, 2]] *= share[:, None]
        drawn = self.image.copy()
        drawn[tucked] = self.place(p + axis)
        return drawn

    @cached_property
    def origin(self) -> np.ndarray:
        """(3,) the point between the eyes, model frame."""
        points = self.vertices[self.traits.model.keypoints]
        return (points[36:42].mean(0) + points[42:48].mean(0)) / 2

    @cached_property
    def points(self) -> np.ndarray:
        """(68, 3) the landmarks in the head's frame, mm."""
        return (self.vertices[self.traits.model.keypoints] - self.origin) / self.traits.unit

    @property
    def pixels_per_mm(self) -> float:
        """Image px to the millimetre."""
        return float(self.pose[6]) * self.traits.unit

    def place(self, points: np.ndarray) -> np.ndarray:
        """Image px (N, 3) of points (N, 3) in the head's frame, mm."""
        return project(np.asarray(points) * self.traits.unit + self.origin, self.pose, self.size)

    @cached_property
    def _radii(self) -> np.ndarray:
        """(elevations, azimuths + 1) mm from CENTRE to the skin, filled with the average skull."""
        p = (self.vertices - self.origin) / self.traits.unit - CENTRE
        p = p[self.traits.skull & (p[:, 1] > -125)]
        r = np.linalg.norm(p, axis=1)
        row = np.rint((np.arcsin(p[:, 1] / r) / np.pi + 0.5) * (_ELEVATIONS - 1)).astype(np.intp)
        column = np.rint(np.arctan2(p[:, 0], p[:, 2]) / (2 * np.pi) * _AZIMUTHS).astype(np.intp) % _AZIMUTHS
        found = np.zeros((_ELEVATIONS, _AZIMUTHS))
        np.maximum.at(found, (row, column), r)
        elevation = np.linspace(-np.pi / 2, np.pi / 2, _ELEVATIONS)[:, None]
        azimuth = np.arange(_AZIMUTHS)[None] * (2 * np.pi / _AZIMUTHS)
        average = 1 / np.linalg.norm(_direction(elevation, azimuth) / _RADII, axis=-1)
        filled = np.where(found > 0, np.clip(found, 0.85 * average, 1.35 * average), average)
        rows = np.concatenate([filled[:1], filled, filled[-1:]])
        rows = 0.25 * rows[:-2] + 0.5 * rows[1:-1] + 0.25 * rows[2:]
        smooth = 0.25 * np.roll(rows, 1, 1) + 0.5 * rows + 0.25 * np.roll(rows, -1, 1)
        return np.concatenate([smooth, smooth[:, :1]], 1)

    def radius(self, elevation: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        """Mm from CENTRE to the skin in the given directions (radians; azimuth 0 is the face, pi / 2 image right)."""
        row = np.clip((elevation / np.pi + 0.5) * (_ELEVATIONS - 1), 0, _ELEVATIONS - 1)
        column = (azimuth / (2 * np.pi) % 1.0) * _AZIMUTHS
        i, j = (
            np.minimum(row.astype(np.intp), _ELEVATIONS - 2),
            np.minimum(column.astype(np.intp), _AZIMUTHS - 1),
        )
        a, b = row - i, column - j
        table = self._radii
        low = table[i, j] * (1 - b) + table[i, j + 1] * b
        high = table[i + 1, j] * (1 - b) + table[i + 1, j + 1] * b
        return low * (1 - a) + high * a

    def shell(
        self, elevation: np.ndarray, azimuth: np.ndarray, thickness: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 3) mm ``thickness`` above the skin in each direction, and the unit directions (N, 3)."""
        directions = _direction(elevation, azimuth)
        reach = self.radius(elevation, azimuth) + thickness
        return CENTRE + reach[..., None] * directions, directions


def _direction(elevation: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    across = np.cos(elevation)
    return np.stack(
        np.broadcast_arrays(across * np.sin(azimuth), np.sin(elevation), across * np.cos(azimuth)), -1
    )


def sphere_grid(
    rows: int, columns: int, lowest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Elevations and azimuths (rows * columns,) from ``lowest`` radians to the crown, triangles, surface (n, 2).

    The azimuth runs from -pi to pi with its seam at the back; rows run from the crown downwards.
    """
    elevation = np.repeat(np.linspace(np.pi / 2 - 1e-3, lowest, rows), columns)
    azimuth = np.tile(np.linspace(-np.pi, np.pi, columns), rows)
    return elevation, azimuth, grid_triangles(rows, columns), grid_surface(rows, columns)
