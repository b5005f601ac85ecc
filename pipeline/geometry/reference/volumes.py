"""Twins of the voxel kernels: dense loops that ask the same question of every voxel column."""

import numpy as np

from pipeline.geometry.reference.raster import edge_values, pixels_of, weights_of

ON_SURFACE = 1e-6
"""How near along z a voxel centre counts as on the surface."""


def solid(vertices, triangles, shape) -> np.ndarray:
    """Twin of the `solid` fill: (d, h, w) bool, the centres that a closed mesh winds around or that lie on it."""
    vertices = np.asarray(vertices, np.float64)
    _, height, width = shape
    out = np.zeros(shape, bool)
    crossings: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for triangle in np.asarray(triangles):
        points = vertices[triangle]
        x, y = pixels_of(points, height, width)
        values, inside = weights_of(vertices, triangle, x, y)
        sides = _sides(vertices, triangle, x, y)
        for at in np.flatnonzero(inside):
            total = values[at].sum()
            place = (int(y[at]), int(x[at]))
            if _area(points) == 0 or total == 0:
                for low, high in _standing(points, x[at], y[at]):
                    _mark(out, place, low, high)
                continue
            lift = values[at, 1] * (points[1, 2] - points[0, 2]) + values[at, 2] * (
                points[2, 2] - points[0, 2]
            )
            z = points[0, 2] + lift / total
            _mark(out, place, z, z)
            if abs(sides[at].sum()) == 3:
                crossings.setdefault(place, []).append((z, int(sides[at, 0])))
    for place, events in crossings.items():
        winding, entered = 0, 0.0
        for z, side in sorted(events):
            entered = z if winding == 0 else entered
            winding += side
            if winding == 0:
                _mark(out, place, entered, z)
        if winding != 0:
            _mark(out, place, entered, max(events)[0])
    return out


def backfill(vertices, triangles, turn, centre, stretch, back, shape) -> np.ndarray:
    """Twin of the `frontal_backfill` fill: (d, h, w) bool.

    vertices: (N, 3) in voxel coordinates; turn (3, 3) takes (x - cx, y - cy, (z - cz) / stretch) to the frontal
    frame, where the solid reaches from z = back to the front-most surface.
    """
    surface = ((np.asarray(vertices, np.float64) - centre) / [1.0, 1.0, stretch]) @ np.asarray(turn).T
    origin = np.floor(surface.min(axis=0)[:2])
    surface[:, :2] -= origin
    cols, rows = (np.ceil(surface.max(axis=0)[:2]) + 1).astype(int)
    front = _front(surface, np.asarray(triangles), rows, cols)
    y, x = (axis.astype(np.float64) for axis in np.indices(shape[1:]))
    out = np.zeros(shape, bool)
    for z in range(shape[0]):
        px, py, pz = x - centre[0], y - centre[1], (z - centre[2]) / stretch
        fx, fy, fz = (turn[i, 0] * px + turn[i, 1] * py + turn[i, 2] * pz for i in range(3))
        weight, value = _bilinear(front, fx - origin[0], fy - origin[1])
        out[z] = (weight >= 0.5) & (fz * weight <= value + ON_SURFACE) & ~(fz < back - ON_SURFACE)
    return out


def columns(volume) -> tuple[np.ndarray, np.ndarray]:
    """Twin of Volume.columns: first run (h, w, 2) uint8 of each column of (d, h, w), and where a second follows."""
    volume = np.asarray(volume, bool)
    out = np.zeros((*volume.shape[1:], 2), np.uint8)
    several = np.zeros(volume.shape[1:], bool)
    for place in np.ndindex(*volume.shape[1:]):
        steps = np.diff(np.concatenate([[0], volume[(slice(None), *place)].astype(int), [0]]))
        starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
        if len(starts):
            out[place] = starts[0], ends[0]
        several[place] = len(starts) > 1
    return out, several


def expand_columns(runs, depth: int) -> np.ndarray:
    """Twin of geometry.volume.expand_columns: (d, h, w) uint8."""
    z = np.arange(depth)[:, None, None]
    return ((z >= runs[..., 0]) & (z < runs[..., 1])).astype(np.uint8)


def _area(points: np.ndarray) -> float:
    (ax, ay), (bx, by) = points[1, :2] - points[0, :2], points[2, :2] - points[0, :2]
    return ax * by - ay * bx


def _sides(vertices, triangle, x, y) -> np.ndarray:
    """On which side of each edge (x + epsilon, y + epsilon^2) lies: (K, 3) of -1, 0, 1."""
    i, j, k = (int(v) for v in triangle)
    sides = []
    for ends in ((j, k), (k, i), (i, j)):
        value, a, b = edge_values(vertices, *ends, x, y)
        sides.append(np.where(value != 0, np.sign(value), np.sign(a) if a != 0 else np.sign(b)))
    return np.stack(sides, axis=-1).astype(int)


def _standing(points, x: float, y: float) -> list[tuple[float, float]]:
    """z range of a triangle that stands upright, above a point of its line on the ground."""
    heights = []
    for p, q in zip(points, np.roll(points, -1, axis=0), strict=True):
        dx, dy = q[0] - p[0], q[1] - p[1]
        if dx == 0 and dy == 0:
            heights += [p[2], q[2]] if (p[0], p[1]) == (x, y) else []
            continue
        t = (x - p[0]) / dx if abs(dx) >= abs(dy) else (y - p[1]) / dy
        heights += [p[2] + t * (q[2] - p[2])] if 0 <= t <= 1 else []
    return [(min(heights), max(heights))] if heights else []


def _mark(out: np.ndarray, place: tuple[int, int], low: float, high: float) -> None:
    first, last = int(np.ceil(low - ON_SURFACE)), int(np.floor(high + ON_SURFACE))
    out[(slice(max(first, 0), max(last + 1, 0)), *place)] = True


def _front(surface, triangles, rows: int, cols: int) -> np.ndarray:
    front = np.full((rows, cols), -np.inf)
    for triangle in triangles:
        points = surface[triangle]
        x, y = pixels_of(points, rows, cols)
        values, inside = weights_of(surface, triangle, x, y)
        total = values[:, 0] + values[:, 1] + values[:, 2]
        for at in np.flatnonzero(inside & (total != 0)):
            lift = values[at, 1] * (points[1, 2] - points[0, 2]) + values[at, 2] * (
                points[2, 2] - points[0, 2]
            )
            row, column = int(y[at]), int(x[at])
            front[row, column] = max(front[row, column], points[0, 2] + lift / total[at])
    return front


def _bilinear(front, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Weight of the grid points with a surface around (x, y), and the weighted sum of their depths."""
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - left, y - top
    weight, value = np.zeros(x.shape), np.zeros(x.shape)
    for i in range(4):
        column, row = left + (i & 1), top + (i >> 1)
        there = (column >= 0) & (row >= 0) & (column < front.shape[1]) & (row < front.shape[0])
        depth = np.full(x.shape, -np.inf)
        depth[there] = front[row[there], column[there]]
        share = np.where(depth > -np.inf, (fx if i & 1 else 1 - fx) * (fy if i >> 1 else 1 - fy), 0.0)
        weight += share
        value += share * np.where(depth > -np.inf, depth, 0.0)
    return weight, value
