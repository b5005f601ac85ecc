"""The chart: ICT's own face tile large in the middle, everything else in strips around it, all in the unit square.

ICT's texture coordinates fill several tiles, and its eyeballs lie on the face's. Here each place is taken once, and the
chart is symmetric: the right half (x < 0) is laid out, the left is its mirror image. The face keeps ICT's tile as it
stands. The half of head and neck goes beside it, compressed; mouth, gums, teeth and the eyeball (unrolled about its
axis) are packed below.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from pipeline.morphable.ict.parts import Selection, ball_centre
from pipeline.records import FacemillError

SIDE, BELOW, GAP = 0.06, 0.12, 0.006
"""Width of the strip beside the face, height of the one below it, and what stays free between islands."""
_EYE_RADIUS = 0.2  # of the unrolled eyeball, in ICT's tiles


def lay_out(
    selection: Selection, uv: np.ndarray, uv_faces: np.ndarray, neutral: np.ndarray, twin: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The chart of the kept polygons.

    Args:
        selection: what is kept. uv (M, 2), uv_faces (P, 4): ICT's texture coordinates and the kept polygons' rows of
            them. neutral, twin: (N, 3) and (N,) of the kept vertices.

    Returns:
        chart points (K, 2), NaN for those that nothing uses, and the kept polygons' rows (P, 4) of them.
    """
    corners = _full(selection.faces)
    rows = _full(uv_faces).astype(np.int64)
    right = neutral[corners, 0].mean(1) < 0
    eye = right & selection.polygons_of("right_eye")
    ball, local = np.unique(corners[eye], return_inverse=True)
    rows[eye] = len(uv) + local.reshape(-1, 4)
    places = np.concatenate([uv, _unrolled(neutral[ball])])
    face, head = (right & selection.polygons_of(name) for name in ("face", "head"))
    inner = right & ~face & ~head
    chart = np.full_like(places, np.nan)
    used = np.unique(rows[face])
    chart[used] = [SIDE, BELOW] + places[used] * [1 - 2 * SIDE, 1 - BELOW]
    used = np.unique(rows[head])
    corner = [places[used, 0].min(), 0.0]
    chart[used] = [0.0, BELOW] + (places[used] - corner) * [2 * (SIDE - GAP), 1 - BELOW]
    used = np.unique(rows[inner])
    chart[used] = _packed(places[used], np.searchsorted(used, rows[inner]))
    every = _with_left_half(corners, rows, right, twin, len(places))
    chart = np.concatenate([chart, [1.0, 0.0] + chart * [-1.0, 1.0]])
    return chart, every


def _full(polygons: np.ndarray) -> np.ndarray:
    """Polygons (P, 4) whose missing fourth corner is the third once more."""
    return np.where(polygons < 0, polygons[:, 2:3], polygons)


def _unrolled(ball: np.ndarray) -> np.ndarray:
    """(n, 2) places of an eyeball's vertices (n, 3) by angle from its axis and direction around it."""
    offset = ball - ball_centre(ball)
    across = np.hypot(offset[:, 0], offset[:, 1])
    angle = np.arctan2(across, offset[:, 2])
    return _EYE_RADIUS * (angle / np.maximum(across, 1e-9))[:, None] * offset[:, :2]


def _with_left_half(
    corners: np.ndarray, rows: np.ndarray, right: np.ndarray, twin: np.ndarray, count: int
) -> np.ndarray:
    """Chart rows (P, 4) of all polygons: a left one has its twin's rows, counted from ``count`` on."""
    known = dict(zip(map(frozenset, corners[right].tolist()), np.flatnonzero(right), strict=True))
    every = rows.copy()
    for polygon in np.flatnonzero(~right):
        mirrored = twin[corners[polygon]]
        other = known.get(frozenset(mirrored.tolist()))
        if other is None:
            raise FacemillError(
                "ICT-FaceKit: expected a symmetric mesh, found a polygon without a mirror image"
            )
        at = (corners[other] == mirrored[:, None]).argmax(1)
        every[polygon] = rows[other][at] + count
    return every


def _packed(places: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    """(n, 2) chart points of ICT's places (n, 2): their islands, as large as fits, in the lower strip's left half.

    ``polygons`` (P, 4) are rows of ``places``. An island that ICT has mirrored is turned over.
    """
    islands = _islands(polygons, len(places))
    a, b, c = (places[polygons[:, corner]] for corner in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    turned = np.bincount(islands[polygons[:, 0]], turn) < 0
    places = places * np.where(turned[islands, None], [-1.0, 1.0], 1.0)
    order = [np.flatnonzero(islands == island) for island in range(islands.max() + 1)]
    corners = np.stack([places[rows].min(0) for rows in order])
    sizes = np.stack([np.ptp(places[rows], axis=0) for rows in order])
    low, high = 0.0, 1.0
    for _ in range(40):
        scale = (low + high) / 2
        low, high = (low, scale) if _shelves(sizes * scale) is None else (scale, high)
    return (places - corners[islands]) * low + _shelves(sizes * low)[islands]


def _islands(polygons: np.ndarray, count: int) -> np.ndarray:
    """(count,) number of the connected piece of the chart that each row belongs to."""
    links = np.concatenate([polygons[:, [0, 1]], polygons[:, [1, 2]], polygons[:, [2, 3]]])
    graph = sparse.coo_matrix((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _shelves(sizes: np.ndarray) -> np.ndarray | None:
    """(n, 2) lower left corners of boxes (n, 2) on shelves in the strip's left half, highest first; None if too big."""
    corners = np.empty_like(sizes)
    x, y, shelf = GAP / 2, GAP / 2, 0.0
    for box in np.argsort(-sizes[:, 1], kind="stable"):
        width, height = sizes[box]
        if x + width > 0.5 - GAP / 2:
            x, y, shelf = GAP / 2, y + shelf + GAP, 0.0
        if x + width > 0.5 - GAP / 2 or y + height > BELOW - GAP:
            return None
        corners[box] = x, y
        x, shelf = x + width + GAP, max(shelf, height)
    return corners
