"""Twins of the rasteriser, the attribute lookup and the visibility test."""

import numpy as np


def edge_values(vertices: np.ndarray, p: int, q: int, x: np.ndarray, y: np.ndarray):
    """The line through vertices p and q at (x, y), and its slopes a, b: computed from the smaller vertex number, so
    that (p, q) and (q, p) give exactly opposite values."""
    u, v, sign = (vertices[p], vertices[q], 1.0) if p <= q else (vertices[q], vertices[p], -1.0)
    a, b = -(v[1] - u[1]), v[0] - u[0]
    c = -(a * u[0] + b * u[1])
    return sign * (a * x + b * y + c), sign * a, sign * b


def pixels_of(points: np.ndarray, height: int, width: int):
    """Columns and rows (K,) of the pixel centres in the bounding box of points (3, 3), clipped to the picture."""
    if not np.isfinite(points[:, :2]).all():
        return np.zeros(0), np.zeros(0)
    low = np.maximum(np.ceil(points[:, :2].min(axis=0)), 0).astype(int)
    high = np.minimum(np.floor(points[:, :2].max(axis=0)), [width - 1, height - 1]).astype(int)
    if (high < low).any():
        return np.zeros(0), np.zeros(0)
    y, x = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
    return x.ravel().astype(np.float64), y.ravel().astype(np.float64)


def weights_of(vertices: np.ndarray, triangle: np.ndarray, x: np.ndarray, y: np.ndarray):
    """Edge values (K, 3) opposite each corner at (x, y), and which of the points lie in the closed triangle."""
    i, j, k = (int(v) for v in triangle)
    values = np.stack([edge_values(vertices, *ends, x, y)[0] for ends in ((j, k), (k, i), (i, j))], axis=-1)
    return values, (values >= 0).all(axis=-1) | (values <= 0).all(axis=-1)


def rasterize(vertices, triangles, height: int, width: int, cull: bool = False):
    """Twin of geometry.mesh.rasterize: triangle (H, W) int32, barycentric (H, W, 3) and depth (H, W) float64."""
    vertices = np.asarray(vertices, np.float64)
    triangle = np.full((height, width), -1, np.int32)
    barycentric, depth = np.zeros((height, width, 3)), np.full((height, width), -np.inf)
    for number, corners in enumerate(np.asarray(triangles)):
        points = vertices[corners]
        x, y = pixels_of(points, height, width)
        values, inside = weights_of(vertices, corners, x, y)
        total = values.sum(axis=-1)
        (ax, ay), (bx, by) = points[1, :2] - points[0, :2], points[2, :2] - points[0, :2]
        if cull and ax * by - ay * bx > 0:
            continue
        for at in np.flatnonzero(inside & (total != 0)):
            weights = values[at] / total[at]
            z = weights @ points[:, 2]
            row, column = int(y[at]), int(x[at])
            if z > depth[row, column]:
                triangle[row, column], barycentric[row, column], depth[row, column] = number, weights, z
    return triangle, barycentric, depth


def interpolate(triangle, barycentric, triangles, attributes, background: float = 0.0) -> np.ndarray:
    """Twin of geometry.mesh.interpolate: (H, W, C) float64."""
    attributes = np.asarray(attributes, np.float64)
    out = np.full((*triangle.shape, attributes.shape[1]), float(background))
    for row, column in np.argwhere(triangle >= 0):
        corners = np.asarray(triangles)[triangle[row, column]]
        out[row, column] = np.asarray(barycentric[row, column], np.float64) @ attributes[corners]
    return out


def visible_vertices(triangle, vertices, triangles, tolerance: float) -> np.ndarray:
    """Twin of geometry.mesh.visible_vertices, from the raster's triangle numbers (H, W): (N,) bool."""
    vertices, triangles = np.asarray(vertices, np.float64), np.asarray(triangles)
    height, width = triangle.shape
    seen = np.zeros(len(vertices), bool)
    for number, (x, y, z) in enumerate(vertices):
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            continue
        front = triangle[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))]
        if front < 0 or number in triangles[front]:
            seen[number] = True
            continue
        p, q, r = vertices[triangles[front]]
        share = np.linalg.solve(np.column_stack([(q - p)[:2], (r - p)[:2]]), [x - p[0], y - p[1]])
        plane = p[2] + share @ [q[2] - p[2], r[2] - p[2]]
        seen[number] = z + tolerance >= np.clip(plane, min(p[2], q[2], r[2]), max(p[2], q[2], r[2]))
    return seen
