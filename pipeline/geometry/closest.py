"""The nearest point of a cloud or of a triangle mesh, exactly, for many points at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline._kernels import closest as kernel
from pipeline.geometry.arrays import indices, numbers
from pipeline.records import FacemillError

POINTS_OF_A_LEAF, TRIANGLES_OF_A_LEAF = 16, 4


@dataclass(frozen=True, eq=False)
class Closest:
    """What is nearest to each of n points, in the order of the points."""

    distances: np.ndarray  # (n,) float64
    items: (
        np.ndarray
    )  # (n,) int32 number of the nearest point or triangle, the smallest among equally near ones
    points: np.ndarray  # (n, 3) float64, there


class Tree:
    """A search tree over points, or over triangles: a hierarchy of boxes, searched by groups of neighbours.

    Args:
        points: (M, 3) finite, M >= 1, any frame.
        triangles: (T, 3) numbers of points, T >= 1, or None for the points themselves. They may be degenerate.

    Raises:
        FacemillError: wrong shapes, values not finite, or a triangle of points that are not there.
    """

    def __init__(self, points, triangles=None) -> None:
        points = _finite("points", points)
        if triangles is not None:
            corners = points[indices("triangles", triangles, 3, len(points), "points")].reshape(-1, 9)
        self._items = points if triangles is None else corners
        if len(self._items) == 0:
            raise FacemillError("a tree to search: expected at least one point or triangle, found none")
        crowd = POINTS_OF_A_LEAF if triangles is None else TRIANGLES_OF_A_LEAF
        self._tree = kernel.Tree(self._items, crowd)

    def closest(self, queries, start: np.ndarray | None = None) -> Closest:
        """The nearest item of each query.

        Args:
            queries: (n, 3) finite, in the frame of the points.
            start: (n,) int32 items to begin with, such as those of a moment ago; -1 begins where the queries before
                ended. The answer does not depend on them. With them the queries are taken in their order, fast where
                neighbours in the array are neighbours in space (`spatial_order`); without, they are put into it here.
        """
        queries = _finite("queries", queries)
        if start is None:
            order = spatial_order(queries)
            found = self._follow(queries[order], np.full(len(queries), -1, np.int32))
            back = np.empty_like(order)
            back[order] = np.arange(len(order), dtype=order.dtype)
            return Closest(found.distances[back], found.items[back], found.points[back])
        start = np.array(start, np.int32)
        if (
            start.shape != queries.shape[:1]
            or start.min(initial=-1) < -1
            or start.max(initial=-1) >= len(self._items)
        ):
            raise FacemillError(
                f"start: expected {len(queries)} numbers from -1 to {len(self._items) - 1}, found shape {start.shape}, "
                f"{start.min(initial=-1)} to {start.max(initial=-1)}"
            )
        return self._follow(queries, start)

    def _follow(self, queries: np.ndarray, items: np.ndarray) -> Closest:
        """The answers; `items` is written into."""
        squared = np.empty(len(queries))
        points = None if self._items.shape[1] == 3 else np.empty((len(queries), 3))
        self._tree.closest(queries, items, squared, points)
        if points is None:
            points = self._items[items]
        return Closest(np.sqrt(squared, out=squared), items, points)


def spatial_order(points) -> np.ndarray:
    """(n,) int32: the points (n, 3) in an order in which those that are near each other stand near each other."""
    points = _finite("points", points)
    return kernel.Tree(points, POINTS_OF_A_LEAF).order if len(points) else np.zeros(0, np.int32)


def _finite(name: str, points) -> np.ndarray:
    points = numbers(name, points, (None, 3))
    if not np.isfinite(points).all():
        raise FacemillError(f"{name}: expected finite coordinates, found some that are not")
    return points
