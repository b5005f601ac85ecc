"""Closing an open triangle mesh: each rim gets a fan of triangles to the mean of its points.

A face mesh is open along its outline, in the mouth, and often in the eyes and nostrils. A fan depends on the rim's
own points alone, so it turns with the head, and mesh and fans together have no rim left, whatever the mesh is like:
the directed edges that do not cancel always form closed loops.
"""

import numpy as np

from pipeline.geometry.arrays import indices, numbers


class Closure:
    """The rims of a mesh topology, found once per face model.

    Args:
        triangles: (T, 3) vertex numbers, consistently turned.

    Attributes:
        triangles: (T, 3) int32.
        rims: list of (L,) int32 vertex numbers, each loop in the direction in which its mesh triangles run.
    """

    def __init__(self, triangles) -> None:
        self.count = int(np.max(triangles, initial=-1)) + 1
        self.triangles = indices("triangles", triangles, 3, self.count)
        self.rims = _loops(_open_edges(self.triangles, self.count))

    def close(self, vertices, *, outline: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (N + R, 3) float64 with one point per closed rim, and triangles (T + F, 3) int32 with its fan.

        With ``outline=False`` the longest rim stays open: a face then has its holes filled and keeps its edge.
        """
        vertices = numbers("vertices", vertices, (None, 3))
        indices("triangles", self.triangles[:1], 3, len(vertices)) if len(vertices) < self.count else None
        rims = self.rims
        if not outline and rims:
            lengths = [_length(vertices[rim]) for rim in rims]
            longest = int(np.argmax(lengths))
            rims = [rim for number, rim in enumerate(rims) if number != longest]
        points, fans = [vertices], [self.triangles]
        for number, rim in enumerate(rims):
            points.append(vertices[rim].mean(axis=0, keepdims=True))
            apex = np.full(len(rim), len(vertices) + number, np.int32)
            fans.append(np.column_stack([np.roll(rim, -1), rim, apex]))
        return np.concatenate(points), np.ascontiguousarray(np.concatenate(fans), np.int32)


def submesh(triangles, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of a mesh on the vertices of ``keep`` (N,) bool: their numbers (M,) and triangles (T', 3) among them."""
    keep = np.asarray(keep, bool)
    triangles = indices("triangles", triangles, 3, len(keep))
    numbers_ = np.flatnonzero(keep)
    renumbered = np.full(len(keep), -1, np.int32)
    renumbered[numbers_] = np.arange(len(numbers_), dtype=np.int32)
    return numbers_, renumbered[triangles[keep[triangles].all(axis=1)]]


def _open_edges(triangles: np.ndarray, count: int) -> np.ndarray:
    """Directed edges (E, 2) that no opposite edge cancels, with repetition."""
    edges = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2).astype(np.int64)
    edges = edges[edges[:, 0] != edges[:, 1]]
    key = edges.min(axis=1) * count + edges.max(axis=1)
    keys, inverse = np.unique(key, return_inverse=True)
    forward = np.bincount(inverse, np.where(edges[:, 0] < edges[:, 1], 1, -1), minlength=len(keys)).astype(
        int
    )
    low, high = keys // max(count, 1), keys % max(count, 1)
    ends = np.where((forward > 0)[:, None], np.column_stack([low, high]), np.column_stack([high, low]))
    return np.repeat(ends, np.abs(forward), axis=0)


def _loops(edges: np.ndarray) -> list[np.ndarray]:
    """Closed loops that the directed edges form; where loops touch in a vertex they are taken apart there."""
    onward: dict[int, list[int]] = {}
    for start, end in edges[::-1].tolist():
        onward.setdefault(start, []).append(end)
    loops = []
    for start in sorted(onward):
        while onward[start]:
            path, place = [start], {start: 0}
            while onward[path[-1]]:
                vertex = onward[path[-1]].pop()
                if vertex in place:
                    loop = path[place[vertex] :]
                    loops.append(np.array(loop, np.int32))
                    for gone in loop[1:]:
                        del place[gone]
                    del path[place[vertex] + 1 :]
                else:
                    place[vertex] = len(path)
                    path.append(vertex)
    return loops


def _length(points: np.ndarray) -> float:
    return float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).sum())
