"""Where the vertices lie on the chart, and the triangles between them: fine at eyes, lips, nose, brows and ears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay, cKDTree

from pipeline.morphable.procedural import ears, outlines
from pipeline.morphable.procedural.chart import PLANE, chart_of, chart_of_front, levels
from pipeline.morphable.procedural.head import HAIRLINE, JAW, locate_side, loft
from pipeline.morphable.procedural.mouth import POCKET
from pipeline.morphable.procedural.relief import hairline

SPACING = (5.6, 2.8, 1.4, 0.7)
"""Distances of the vertices in millimetres of the chart's plane, from the scalp to the eyes."""


EAR_RINGS = (0.62, 0.70, 0.78, 0.85, 0.91, 0.97, 1.03, 1.09, 1.15, 1.22)
"""Radii of the ear on which vertices lie in rows, across the edge where it falls off."""


@dataclass(frozen=True)
class Sheet:
    """The half of the chart with x >= 0: points (n, 2), triangles (t, 3), landmark number -> point."""

    points: np.ndarray
    triangles: np.ndarray
    landmarks: dict[int, int]


def _level(points: np.ndarray) -> np.ndarray:
    """Index into SPACING that each chart point (n, 2) asks for."""
    theta, b, t = levels(points[:, 0], points[:, 1])
    place = loft(theta, b)
    x, y, degrees = place[:, 0], place[:, 1], np.degrees(theta)
    level = np.zeros(len(points), dtype=int)

    def ask(where: np.ndarray, value: int) -> None:
        level[where] = np.maximum(level[where], value)

    front = degrees < 80
    ask((degrees < 87) & (b > JAW - 12) & (b < HAIRLINE + 6), 1)
    ask((degrees < 100) & (b > JAW - 25) & (b < -70), 1)
    ask(front & (np.abs(x) < 56) & (y < 26) & (y > -114), 2)
    ask(ears.ear_place(place)[2] < 1.2, 2)
    ask((theta > 1.7) & (b > -60), 1)
    ask((theta > 1.75) & (b > -115) & (b < 0), 2)
    ask(front & (np.abs(b - hairline(theta)) < 14), 2)
    ask((theta > 1.6) & (degrees < 116) & (b > -90) & (b < 20), 2)
    ask(front & (outlines.inside_brow(x, y) > -0.35), 3)
    ask(front & (np.abs(x) < 20) & (y < -37) & (y > -56), 3)
    eye = front & (x > 8) & (x < 54) & (np.abs(y + 6.6) < 14)
    distance = outlines.lid_distance(np.stack([x[eye], y[eye]], axis=1))
    level[np.flatnonzero(eye)[distance < 4.0]] = 3
    lip = (
        (np.abs(x) < 28)
        & (y < outlines.height("lip_top", x) + 2)
        & (y > outlines.height("lip_bottom", x) - 2)
    )
    ask(front & ((np.abs(t) <= 1.0) | lip), 3)
    return level


def _lattice() -> tuple[np.ndarray, np.ndarray]:
    """Nested triangular lattices over the half chart; each place keeps the lattice that it asks for.

    Returns:
        (n, 2) points, and (n,) the index into SPACING that each asks for.
    """
    kept, asked = [], []
    for index, spacing in enumerate(SPACING):
        step = np.array([spacing, spacing * np.sqrt(3) / 2]) / PLANE
        rows = np.arange(0, int(1.0 / step[1]) + 1)
        columns = np.arange(0, int(0.5 / step[0]) + 1)
        column, row = np.meshgrid(columns, rows)
        points = np.stack([0.5 + (column + 0.5 * (row % 2)) * step[0], row * step[1]], axis=-1).reshape(-1, 2)
        if index:
            coarse = (row % 2 == 0).ravel() & ((column + row // 2) % 2 == 0).ravel()
            points = points[~coarse]
        level = _level(points)
        kept.append(points[level >= index])
        asked.append(level[level >= index])
    return np.concatenate(kept), np.concatenate(asked)


def _border() -> np.ndarray:
    """Points on the half chart's four sides, the front's midline at the distance its places ask for."""
    fine = SPACING[-1] * np.sqrt(3) / 2 / PLANE[1]
    v = np.arange(0, int(1.0 / fine) + 1) * fine
    middle = np.stack([np.full_like(v, 0.5), v], axis=1)
    every = 2 ** (len(SPACING) - 1 - _level(middle + np.array([1e-6, 0.0])))
    lens = np.abs(levels(*middle.T)[2]) < 1.0
    middle = middle[(np.arange(len(v)) % every == 0) & ~lens]
    u = np.linspace(0.5, 1.0, 29)
    w = np.linspace(0.0, 1.0, 91)
    sides = [np.stack([u, np.full_like(u, end)], axis=1) for end in (0.0, 1.0)]
    sides.append(np.stack([np.ones_like(w), w], axis=1)[1:-1])
    middle = middle[(middle[:, 1] > 0.012) & (middle[:, 1] < 0.988)]
    return np.concatenate([*sides, middle])


def _landmarks() -> tuple[list[int], np.ndarray]:
    degrees, b = np.array(list(outlines.CONTOUR.values())).T
    front = np.array(list(outlines.FRONT.values()))
    above = [1 if number in range(48, 54) else 0 for number in outlines.FRONT]
    x, side = np.array(list(outlines.LIPS.values())).T
    places = np.concatenate(
        [
            chart_of(np.radians(degrees), b),
            chart_of_front(*front.T, above),
            chart_of_front(x, outlines.height("lip_line", x), side),
        ]
    )
    places[np.abs(places[:, 0] - 0.5) < 1e-9, 0] = 0.5
    return [*outlines.CONTOUR, *outlines.FRONT, *outlines.LIPS], places


def _rings() -> list[np.ndarray]:
    """Contours that triangle edges should follow: lids, lips, folds of the mouth's pocket, rim of the ear."""
    lid = outlines.lid_outline(40)
    rings = [chart_of_front(*lid.T)]
    for offset in (-0.65, 0.7, 1.5):
        tangent = np.roll(lid, -1, axis=0) - np.roll(lid, 1, axis=0)
        normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        moved = lid + normal * offset
        moved = moved[np.abs(outlines.lid_distance(moved) - offset) < 0.2]
        rings.append(chart_of_front(*moved.T))
    x = outlines.LENS_HALF * np.sin(np.linspace(0.0, np.pi / 2, 36))[:-1]
    rings += [chart_of_front(x, outlines.height("lip_line", x), side) for side in (1, -1)]
    upper, lower = (ring[:-2] for ring in rings[-2:])
    rings += [(upper + lower) / 2 + t * (upper - lower) / 2 for t in POCKET[1:-1, 0]]
    x = np.linspace(0.0, outlines.MOUTH_HALF, 28)
    rings += [chart_of_front(x, outlines.height(name, x)) for name in ("lip_top", "lip_bottom")]
    ear = np.concatenate([ears.rim(radius, 92) for radius in EAR_RINGS], axis=1)
    return [*rings, *np.split(chart_of(*locate_side(*ear)), len(EAR_RINGS))]


def _add(points: np.ndarray, more: np.ndarray, distance: np.ndarray | float) -> np.ndarray:
    """``points`` and those of ``more`` that are farther from all before than ``distance`` in the plane."""
    gap, _ = cKDTree(points * PLANE).query(more * PLANE)
    return np.concatenate([points, more[gap > distance]])


def _thin(points: np.ndarray, distance: float) -> np.ndarray:
    """The points of a ring, in order, without those nearer than ``distance`` to one kept before."""
    far = np.linalg.norm((points[:, None] - points[None]) * PLANE, axis=2) > distance
    kept = [0]
    for number in range(1, len(points)):
        if far[number, kept].all():
            kept.append(number)
    return points[kept]


def half_sheet() -> Sheet:
    """Points and triangles of the half chart with u >= 0.5."""
    numbers, points = _landmarks()
    for ring in _rings():
        ring[np.abs(ring[:, 0] - 0.5) < 1e-9, 0] = 0.5
        points = _add(points, _thin(ring, 0.33), 0.33)
    border = _border()
    gap, _ = cKDTree(points * PLANE).query(border * PLANE)
    points = np.concatenate([points, border[gap > 0.45]])
    lattice, level = _lattice()
    within = (lattice[:, 0] > 0.5) & (lattice[:, 0] < 1.0) & (lattice[:, 1] > 0) & (lattice[:, 1] < 1)
    lattice, spacing = lattice[within], np.array(SPACING)[level[within]]
    edge = (np.stack([lattice[:, 0] - 0.5, 1.0 - lattice[:, 0]], 1) * PLANE[0]).min(axis=1)
    edge = np.minimum(edge, (np.stack([lattice[:, 1], 1.0 - lattice[:, 1]], 1) * PLANE[1]).min(axis=1))
    lattice, spacing = lattice[edge > 0.4 * spacing], spacing[edge > 0.4 * spacing]
    theta, b, t = levels(*lattice.T)
    outside = (np.abs(t) > 1.0) | (theta > 1.0)
    radius = ears.ear_place(loft(theta, b))[2]
    outside &= (radius < EAR_RINGS[0] - 0.01) | (radius > EAR_RINGS[-1] + 0.01)
    points = _add(points, lattice[outside], 0.55 * spacing[outside])
    triangles = Delaunay(points * PLANE).simplices
    corners = (points * PLANE)[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    triangles = np.where(area[:, None] > 0, triangles, triangles[:, ::-1])[np.abs(area) > 1e-9]
    return Sheet(points, triangles, {number: row for row, number in enumerate(numbers)})
