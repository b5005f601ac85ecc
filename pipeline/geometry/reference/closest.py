"""Twins of the search for the nearest point of a cloud or a mesh: every pair is looked at."""

import numpy as np


def closest_points(queries, points) -> tuple[np.ndarray, np.ndarray]:
    """Twin of geometry.closest over points: distances (n,) and numbers (n,) of the nearest point to each query."""
    queries, points = np.asarray(queries, np.float64), np.asarray(points, np.float64)
    distances = np.array([np.sqrt(((points - query) ** 2).sum(axis=1)) for query in queries])
    return distances.min(axis=1), distances.argmin(axis=1)


def closest_on_triangles(queries, points, triangles) -> tuple[np.ndarray, np.ndarray]:
    """Twin of geometry.closest over triangles: distances (n,) and the points (n, 3) of the mesh."""
    corners = np.asarray(points, np.float64)[np.asarray(triangles)]
    found = []
    for query in np.asarray(queries, np.float64):
        on_each = np.array([_on_triangle(*triangle, query) for triangle in corners])
        found.append(on_each[((on_each - query) ** 2).sum(axis=1).argmin()])
    found = np.array(found)
    return np.sqrt(((found - queries) ** 2).sum(axis=1)), found


def _on_triangle(a, b, c, query) -> np.ndarray:
    """The point of a triangle nearest to the query: where its plane is nearest, if that is inside, else on an edge."""
    sides = np.column_stack([b - a, c - a])
    if np.linalg.matrix_rank(sides) == 2:
        v, w = np.linalg.lstsq(sides, query - a, rcond=None)[0]
        if v >= 0 and w >= 0 and v + w <= 1:
            return a + v * (b - a) + w * (c - a)
    edges = [_on_segment(p, q, query) for p, q in ((a, b), (b, c), (c, a))]
    return min(edges, key=lambda point: float(((point - query) ** 2).sum()))


def _on_segment(p, q, query) -> np.ndarray:
    along = q - p
    length = along @ along
    return p + (np.clip((query - p) @ along / length, 0, 1) if length > 0 else 0.0) * along
