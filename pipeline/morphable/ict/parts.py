"""What ICT-FaceKit's mesh consists of: the ranges of vertices and polygons that its README publishes.

The topology is fixed: 26,719 vertices, 26,384 polygons. What is not drawn as an opaque surface is left out (the eye's
fluid, blends, occluders and lash cards), and so is what never shows: the sockets behind the eyes, the eyeballs' backs,
and the ball with the iris inside each eye's outer shell, onto which the iris is painted instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

VERTICES, POLYGONS = 26719, 26384


@dataclass(frozen=True)
class Part:
    """One piece of the mesh: its vertices and polygons, first and one past the last."""

    name: str
    vertices: tuple[int, int]
    polygons: tuple[int, int]


PARTS = (
    Part("face", (0, 9409), (0, 9230)),
    Part("head", (9409, 11248), (9230, 11144)),
    Part("socket", (11248, 13294), (11144, 13226)),
    Part("gums", (14062, 17039), (14034, 17006)),
    Part("teeth", (17039, 21451), (17006, 21496)),
    Part("left_eye", (21451, 22221), (21496, 22296)),
    Part("right_eye", (23021, 23791), (23094, 23894)),
)
"""The parts that the model keeps, in ICT's order; the left is the person's own, x > 0."""

NAMES = tuple(part.name for part in PARTS)
EYES = ("left_eye", "right_eye")
_EYE_BACK = 0.5  # of the radius: what lies further behind the eyeball's middle is left out

NARROW_FACE = 6706
"""Vertices below this number are the face without ears, throat and the back of the cheeks."""


@dataclass(frozen=True)
class Selection:
    """What the model keeps of the mesh, in ICT's order.

    vertices (N,), polygons (P,): ICT's numbers. part (N,), polygon_part (P,): the row of PARTS that each belongs to.
    faces (P, 4): the polygons by kept vertices, -1 where there is no fourth corner.
    """

    vertices: np.ndarray
    polygons: np.ndarray
    part: np.ndarray
    polygon_part: np.ndarray
    faces: np.ndarray

    def of(self, *names: str) -> np.ndarray:
        """(N,) bool: the kept vertices of these parts."""
        return np.isin(self.part, [NAMES.index(name) for name in names])

    def polygons_of(self, *names: str) -> np.ndarray:
        """(P,) bool: the kept polygons of these parts."""
        return np.isin(self.polygon_part, [NAMES.index(name) for name in names])


def select(neutral: np.ndarray, faces: np.ndarray) -> Selection:
    """The kept parts of ICT's neutral vertices (V, 3) and polygons (P, 4), the eyeballs without their backs."""
    polygons = np.concatenate([np.arange(*part.polygons) for part in PARTS])
    part = np.repeat(np.arange(len(PARTS)), [np.subtract(*part.polygons[::-1]) for part in PARTS])
    for row, name in enumerate(NAMES):
        if name in EYES:
            ball = neutral[slice(*PARTS[row].vertices), 2].astype(np.float64)
            back = (ball.min() + ball.max()) / 2 - _EYE_BACK * np.ptp(ball) / 2
            seen = (neutral[faces[polygons], 2] > back).all(1)
            polygons, part = (values[seen | (part != row)] for values in (polygons, part))
    kept = faces[polygons]
    vertices = np.unique(kept[kept >= 0])
    number = np.full(len(neutral), -1, np.int32)
    number[vertices] = np.arange(len(vertices))
    starts = np.array([part.vertices[0] for part in PARTS])
    return Selection(
        vertices=vertices,
        polygons=polygons,
        part=np.searchsorted(starts, vertices, side="right") - 1,
        polygon_part=part,
        faces=np.where(kept >= 0, number[kept], -1),
    )


def ball_centre(ball: np.ndarray) -> np.ndarray:
    """(3,) the middle of an eyeball whose back is missing; ``ball`` (n, 3) are its vertices."""
    low, high = ball.min(0), ball.max(0)
    centre = (low + high) / 2
    centre[2] = high[2] - (high - low)[:2].max() / 2
    return centre


def triangulated(polygons: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of polygons (P, 4) whose fourth corner is -1 where there are three.

    Quads are split along corners 0 and 2, or along 1 and 3 where the first way turns one half over in the chart;
    ``places`` (P, 4, 2) are the corners' texture coordinates.

    Returns:
        corners (T, 3), numbers from 0 to 3 into the polygon, and polygon (T,), the row that each comes from; the
        two halves of a quad follow each other.
    """
    quad = polygons[:, 3] >= 0
    rows = np.repeat(np.arange(len(polygons)), np.where(quad, 2, 1))
    second = np.diff(rows, prepend=-1) == 0
    corners = np.where(second[:, None], [0, 2, 3], [0, 1, 2])
    halves = [_area(places[:, 0], places[:, k], places[:, k + 1]) for k in (1, 2)]
    other = (quad & (halves[0] * halves[1] <= 0))[rows]
    return np.where(other[:, None], np.where(second[:, None], [1, 2, 3], [0, 1, 3]), corners), rows


def _area(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]


def twins(neutral: np.ndarray, selection: Selection) -> np.ndarray:
    """(N,) for each kept vertex the one on the other side; ``neutral`` (N, 3) holds the kept vertices.

    The mesh is symmetric but for 0.03 units in the gums, so that nearest points pair up; the few that do not are
    paired among themselves.
    """
    mirrored = neutral * [-1.0, 1.0, 1.0]
    twin = np.empty(len(neutral), np.int64)
    for name in NAMES:
        other = EYES[1 - EYES.index(name)] if name in EYES else name
        here, there = (np.flatnonzero(selection.of(n)) for n in (name, other))
        twin[here] = there[cKDTree(neutral[there]).query(mirrored[here])[1]]
    alone = np.flatnonzero(twin[twin] != np.arange(len(twin)))
    if len(alone):
        twin[alone] = alone[cKDTree(neutral[alone]).query(mirrored[alone])[1]]
    return twin
