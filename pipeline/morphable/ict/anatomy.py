"""Where on the procedural head each vertex of ICT's head lies, so that one painter colours both.

ICT-FaceKit comes without textures. Its skin is painted by `procedural.skin`, which asks for places on the procedural
head in its own millimetres. A thin-plate spline (Bookstein 1989) through the 68 landmarks and a few points on crown,
back, sides and ears takes ICT's mean there. Eyeballs and teeth are no part of that surface: an eyeball vertex is placed
by its angle from the pupil's axis.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.mesh import rasterize, visible_vertices
from pipeline.morphable.ict.parts import EYES, NARROW_FACE, Selection, ball_centre
from pipeline.morphable.model import Region
from pipeline.morphable.procedural import anatomy as procedural
from pipeline.morphable.procedural import eyes, outlines
from pipeline.morphable.procedural.relief import smooth_step

MM = 10.0
"""Millimetres to ICT's unit, the centimetre."""
KAPPA = np.radians(5.0)
"""How far outwards the pupil stands in an eye that looks straight ahead (angle kappa)."""
_YAWS, _PITCHES = (-60, -30, 0, 30, 60), (-20, 0, 20, 40)
_VIEW, _PX_PER_MM = 520, 2.0
_EAR_MIDDLE, _EAR_REACH = np.array([0.062, 0.575]), np.array([0.05, 0.118])
"""Middle and half size of the right ear in ICT's face tile."""


def anatomy(
    neutral: np.ndarray,
    tile: np.ndarray,
    selection: Selection,
    keypoints: np.ndarray,
    chart: tuple[np.ndarray, np.ndarray],
    twin: np.ndarray,
) -> tuple[procedural.Anatomy, np.ndarray]:
    """ICT's mean head in the terms of the procedural one, and how deep in a nostril (N,) each vertex is.

    Args:
        neutral: (N, 3) kept vertices in ICT's unit. tile: (N, 2) ICT's own texture coordinates of each.
        selection: what is kept. keypoints (68,) among the kept vertices. chart: uv (K, 2), and triangles (T, 3) of
            the vertices. twin: (N,) the vertex on the other side.
    """
    points = neutral.astype(np.float64) * MM
    template = procedural.anatomy()
    skin, eyeball = selection.of("face", "head"), selection.of(*EYES)
    ear = selection.of("face") & _on_ear(tile)
    bare = _registered(points, keypoints, ear, template)
    bare = (bare + bare[twin] * [-1.0, 1.0, 1.0]) / 2
    theta, b = _places(bare, template)
    lid = _lid_distance(bare)
    lid = np.where(eyeball, np.minimum(lid, -0.5), np.where(skin, np.maximum(lid, 0.0), 99.0))
    for name in EYES:
        bare[selection.of(name)] = _on_eyeball(points[selection.of(name)])
    t = np.where(
        skin | eyeball, np.where(bare[:, 1] > outlines.height("lip_line", bare[:, 0]), 2.0, -2.0), 0.5
    )
    regions = procedural.regions_of(bare, theta, b, t, lid)
    nostril = nostrils(points, bare, chart[1]) * skin
    regions[regions == Region.NOSTRIL] = Region.NOSE
    regions[nostril > 0.4] = Region.NOSTRIL
    regions[regions == Region.EAR] = Region.SKIN
    regions[ear] = Region.EAR
    regions[eyeball] = Region.EYE
    regions[selection.of("teeth")] = Region.TEETH
    regions[selection.of("socket", "gums")] = Region.MOUTH_INNER
    uv, triangles = chart
    head = procedural.Anatomy(points, bare, uv, triangles, keypoints, twin, theta, b, t, lid, regions)
    return head, nostril


def face_mask(regions: np.ndarray) -> np.ndarray:
    """(N,) bool: ICT's narrow face without the throat below the jaw."""
    outside = [Region.EAR, Region.NECK, Region.SCALP, Region.MOUTH_INNER]
    return (np.arange(len(regions)) < NARROW_FACE) & ~np.isin(regions, outside)


def _on_ear(tile: np.ndarray) -> np.ndarray:
    place = np.stack([0.5 - np.abs(tile[:, 0] - 0.5), tile[:, 1]], 1)
    return np.linalg.norm((place - _EAR_MIDDLE) / _EAR_REACH, axis=1) < 1.0


def nostrils(points: np.ndarray, bare: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N,) how deep in a nostril each vertex is: 1 where hardly any direction in front of the face sees it."""
    x, y = np.abs(bare[:, 0]), bare[:, 1]
    near = (x < 15.0) & (y > -60.0) & (y < -36.0) & (bare[:, 2] > 80.0)
    return np.where(near, smooth_step((0.22 - openness(points, triangles)) / 0.17), 0.0)


def openness(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N,) share of 20 directions in front of a head, most of them from below, that see each vertex (mm)."""
    seen = np.zeros(len(points))
    for yaw in _YAWS:
        for pitch in _PITCHES:
            turned = points @ rotation_from_angles(np.radians(pitch), np.radians(yaw), 0.0).T * _PX_PER_MM
            turned[:, :2] = turned[:, :2] * [1.0, -1.0] + _VIEW / 2
            raster = rasterize(turned, triangles, _VIEW, _VIEW)
            seen += visible_vertices(raster, turned, triangles, 1.0)
    return seen / (len(_YAWS) * len(_PITCHES))


def _lid_distance(bare: np.ndarray) -> np.ndarray:
    """(N,) signed distance (mm) of places on the head's front to the lids' edges; 99 elsewhere."""
    distance = np.full(len(bare), 99.0)
    near = (np.abs(bare[:, 0]) < 62) & (np.abs(bare[:, 1] - outlines.EYE_CENTRE[1]) < 26) & (bare[:, 2] > 30)
    distance[near] = outlines.lid_distance(np.stack([np.abs(bare[near, 0]), bare[near, 1]], 1))
    return distance


def _anchors(points: np.ndarray, ear: np.ndarray, brow: float) -> np.ndarray:
    """(8, 3) crown, back of the head, and on both sides: above the ear, the auricle's top and its lobe.

    ``ear`` (N,) bool is the auricles, ``brow`` the height of a brow's middle, mm.
    """
    middle = points[np.abs(points[:, 0]) < 3.0]
    crown = middle[np.argmax(middle[:, 1])]
    back = middle[np.argmin(np.where(middle[:, 1] > brow - 60, middle[:, 2], np.inf))]
    right = points[(points[:, 0] > 0) & ~ear]
    side = right[np.argmax(right[:, 0] - 0.3 * np.abs(right[:, 1] - brow - 25) - 1e3 * (right[:, 1] < brow))]
    auricle = points[ear & (points[:, 0] > 0)]
    pairs = np.stack([side, auricle[np.argmax(auricle[:, 1])], auricle[np.argmin(auricle[:, 1])]])
    return np.concatenate([np.stack([crown, back]) * [0, 1, 1], pairs, pairs * [-1, 1, 1]])


def _registered(
    points: np.ndarray, keypoints: np.ndarray, ear: np.ndarray, template: procedural.Anatomy
) -> np.ndarray:
    """(N, 3) the points in the procedural head's millimetres."""
    ends = []
    for place, marks, auricle in (
        (points, keypoints, ear),
        (template.points, template.keypoints, template.regions == Region.EAR),
    ):
        landmarks = place[marks]
        ends.append(np.concatenate([landmarks, _anchors(place, auricle, float(landmarks[19, 1]))]))
    return RBFInterpolator(*ends, kernel="linear", degree=1)(points)


def _places(bare: np.ndarray, template: procedural.Anatomy) -> tuple[np.ndarray, np.ndarray]:
    """theta and b (N,) of points near the procedural head: means over the nearest of its outer vertices."""
    outer = np.flatnonzero(np.abs(template.t) > 1.0)
    distance, near = cKDTree(template.points[outer]).query(bare, k=6)
    weight = 1.0 / (distance + 0.5) ** 2
    weight /= weight.sum(1, keepdims=True)
    return tuple((values[outer][near] * weight).sum(1) for values in (template.theta, template.b))


def _on_eyeball(points: np.ndarray) -> np.ndarray:
    """(n, 3) places of one eyeball's vertices (mm) such that `eyes.iris_distance` is the arc from the pupil."""
    offset = points - ball_centre(points)
    side = np.sign(points[0, 0])
    radius = np.linalg.norm(offset, axis=1)
    axis = np.array([side * np.sin(KAPPA), 0.0, np.cos(KAPPA)])
    across = offset - (offset @ axis)[:, None] * axis
    arc = np.arccos(np.clip(offset @ axis / radius, -1, 1)) * np.median(radius)
    across *= (arc / np.maximum(np.linalg.norm(across, axis=1), 1e-9))[:, None]
    pupil = outlines.EYE_CENTRE + eyes.PUPIL_OFFSET
    return np.stack([across[:, 0] + side * pupil[0], across[:, 1] + pupil[1], offset[:, 2]], 1)
