"""Glasses: rims, bridge and temples as tubes placed from the landmarks; lenses dark, tinted or clear with a gleam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.datasets.synthetic.anatomy import Head
from pipeline.datasets.synthetic.lights import Lighting
from pipeline.datasets.synthetic.meshes import Part, Shape, fan, joined, tube
from pipeline.geometry.mesh import rasterize


@dataclass(frozen=True)
class Lens:
    """A see-through sheet: vertices (N, 3) image px; tint (3,) passes, shine is the strength of the reflection."""

    vertices: np.ndarray
    triangles: np.ndarray
    tint: np.ndarray
    shine: float
    angle: float

    def over(self, linear: np.ndarray, depth: np.ndarray, lighting: Lighting) -> np.ndarray:
        """The picture (h, w, 3) seen through the lens where nothing of depth (h, w) is nearer."""
        height, width = depth.shape
        raster = rasterize(self.vertices, self.triangles, height, width)
        rows, columns = np.nonzero(raster.depth > depth)
        if not len(rows):
            return linear
        along = columns * np.cos(self.angle) + rows * np.sin(self.angle)
        along = (along - along.min()) / max(float(np.ptp(along)), 1.0)
        streak = np.exp(-(((along - 0.35) / 0.16) ** 2)) + 0.6 * np.exp(-(((along - 0.72) / 0.06) ** 2))
        mirrored = (lighting.sky * self.shine) * (0.15 + streak)[:, None]
        out = linear.copy()
        out[rows, columns] = linear[rows, columns] * self.tint + mirrored
        return out


def _rim(rng: np.random.Generator) -> np.ndarray:
    """A lens' outline (32, 2) mm about its centre."""
    half = np.array([rng.uniform(22, 29), rng.uniform(15, 25)])
    power = 2 / rng.uniform(2.0, 4.5)
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    outline = np.stack([np.sign(c) * np.abs(c) ** power, np.sign(s) * np.abs(s) ** power], 1) * half
    outline[:, 0] *= 1 + rng.uniform(-0.1, 0.2) * outline[:, 1] / half[1]
    return outline


def make(rng: np.random.Generator, head: Head) -> tuple[list[Part], list[Lens], str]:
    """Glasses on a head: opaque parts, see-through lenses, and their name."""
    points = head.points
    outline, thick = _rim(rng), rng.uniform(0.7, 3.0)
    drop = rng.uniform(-5, 1)
    plane = max(points[27, 2] + 1.0, points[36:48, 2].max() + 13.0)
    rims, shapes = [], []
    for side, eye in ((-1.0, points[36:42].mean(0)), (1.0, points[42:48].mean(0))):
        x = eye[0] + side * 1.5 + outline[:, 0] * side
        y = eye[1] + drop + outline[:, 1]
        rim = np.stack([x, y, plane - 0.0022 * x**2], 1)
        rims.append(rim)
        shapes.append(tube(rim, thick, sides=8, closed=True))
    inner = [rim[np.argmin(np.abs(rim[:, 0]) - 0.15 * rim[:, 1])] for rim in rims]
    bow = np.linspace(0, 1, 7)[:, None]
    bridge = inner[0] * (1 - bow) + inner[1] * bow + [0, 3.5, 2.0] * np.sin(np.pi * bow)
    shapes.append(tube(bridge, thick, sides=8))
    for side, rim, jaw in zip((-1.0, 1.0), rims, (points[0], points[16]), strict=True):
        outer = rim[np.argmax(side * rim[:, 0] + 0.3 * rim[:, 1])]
        reach = max(side * jaw[0] + 4.0, side * outer[0])
        path = [outer, [side * reach, outer[1] + 1, outer[2] - 22], [side * (reach + 2), outer[1] - 1, -62]]
        path += [[side * reach, outer[1] - 5, -92], [side * (reach - 3), outer[1] - 30, -104]]
        shapes.append(tube(_smooth(np.array(path, np.float64)), max(0.8 * thick, 0.9), sides=8))
    frame: Shape = joined(shapes)
    metal = rng.random() < 0.4
    colour = np.full(3, rng.uniform(0.1, 0.5)) if metal else rng.uniform(0.004, 0.25, 3) ** 1.5
    parts = [
        Part(head.place(frame.vertices), frame.triangles, colour, gloss=0.25 if metal else 0.08, shine=40.0)
    ]
    sheets = [fan(rim) for rim in rims]
    if rng.random() < 0.28:
        dark = rng.uniform(0.004, 0.03, 3)
        lens = joined(sheets)
        parts.append(
            Part(head.place(lens.vertices), lens.triangles, dark, gloss=0.10, shine=14.0, sheet=True)
        )
        return parts, [], "sunglasses"
    tint = np.full(3, 0.93) if rng.random() < 0.7 else rng.uniform(0.35, 0.95, 3)
    shine = float(rng.exponential(0.12))
    angle = float(rng.uniform(0.3, 1.2))
    lenses = [Lens(head.place(s.vertices), s.triangles, tint, shine, angle) for s in sheets]
    return parts, lenses, "glasses"


def _smooth(path: np.ndarray) -> np.ndarray:
    """A path (K, 3) refined by cutting its corners twice (Chaikin 1974), ends kept."""
    for _ in range(2):
        low, high = 0.75 * path[:-1] + 0.25 * path[1:], 0.25 * path[:-1] + 0.75 * path[1:]
        path = np.concatenate([path[:1], np.stack([low, high], 1).reshape(-1, 3), path[-1:]])
    return path
