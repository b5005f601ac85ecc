"""Small meshes with a known surface, shared by the kernel tests and the benchmarks."""

import numpy as np


def sphere(centre=(16.0, 16.0, 16.0), radius=10.0, rings: int = 24, axes=(1.0, 1.0, 1.0)):
    """A closed sphere or ellipsoid: vertices (N, 3) on the surface, triangles (T, 3) counter-clockwise from outside in
    a right-handed frame."""
    polar = np.linspace(0, np.pi, rings + 1)[1:-1]
    around = np.arange(2 * rings) * np.pi / rings
    ring = np.stack(
        [
            np.outer(np.sin(polar), np.cos(around)),
            np.outer(np.sin(polar), np.sin(around)),
            np.outer(np.cos(polar), np.ones_like(around)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    unit = np.concatenate([ring, [[0, 0, 1], [0, 0, -1]]])
    count, north, south = 2 * rings, len(ring), len(ring) + 1
    triangles = []
    for j in range(count):
        k = (j + 1) % count
        triangles.append((north, j, k))
        for i in range(rings - 2):
            upper, lower = i * count, (i + 1) * count
            triangles += [(upper + j, lower + j, lower + k), (upper + j, lower + k, upper + k)]
        triangles.append((south, (rings - 2) * count + k, (rings - 2) * count + j))
    return np.array(centre) + radius * unit * np.array(axes), np.array(triangles, np.int32)


def box(low, high):
    """A closed axis-aligned box of 12 triangles, counter-clockwise from outside in a right-handed frame."""
    corners = np.array(
        [[(low, high)[i][0], (low, high)[j][1], (low, high)[k][2]] for i, j, k in np.ndindex(2, 2, 2)]
    )
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return corners.astype(np.float64), np.array(triangles, np.int32)


def sheet(size: int, spacing: float = 1.0, rng: np.random.Generator | None = None, jitter: float = 0.0):
    """A (size x size) grid of vertices in the plane z = 0 and its triangles; jitter moves the inner vertices."""
    y, x = np.mgrid[:size, :size] * spacing
    vertices = np.stack([x, y, np.zeros_like(x)], axis=-1)
    if rng is not None:
        vertices[1:-1, 1:-1, :2] += rng.uniform(-jitter, jitter, (size - 2, size - 2, 2)) * spacing
    number = np.arange(size * size).reshape(size, size)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    triangles = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    return vertices.reshape(-1, 3), triangles.astype(np.int32)


def soup(rng: np.random.Generator, vertices: int = 40, triangles: int = 60, size: float = 24.0):
    """Random triangles that stick through each other and out of the picture."""
    points = rng.uniform(-0.2 * size, 1.2 * size, (vertices, 3))
    return points, rng.integers(0, vertices, (triangles, 3)).astype(np.int32)
