"""Light: a sky and a floor colour, one to three distant lamps, highlights, and shadows by a map from the main lamp.

All directions are unit vectors towards the light in the camera's y-up frame (x right, y up, z to the viewer). Colours
are linear. Diffuse light wraps a little round the terminator, reddish as through skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.geometry.mesh import rasterize

_SHADOW_SIDE = 224
_WRAP = np.array([0.22, 0.12, 0.09])


@dataclass(frozen=True)
class Lighting:
    """sky, floor (3,): ambient from above and below. directions (L, 3), colours (L, 3): lamps, the main one first.

    shadow: how much of the main lamp an occluder takes, 0 to 1.
    """

    sky: np.ndarray
    floor: np.ndarray
    directions: np.ndarray
    colours: np.ndarray
    shadow: float


def _warmth(rng: np.random.Generator, spread: float) -> np.ndarray:
    t = rng.normal(0, spread)
    return np.exp([0.55 * t, 0.05 * t, -0.6 * t]) * np.exp(rng.normal(0, 0.03, 3))


def sample_lighting(rng: np.random.Generator, shadows: float) -> Lighting:
    """A light for one picture; ``shadows`` is the share of pictures whose main lamp is hard."""
    ambient = rng.uniform(0.25, 0.75)
    count = int(rng.integers(1, 4))
    azimuth = rng.normal(0, 0.75, count)
    azimuth[1:] = rng.uniform(-np.pi, np.pi, count - 1)
    elevation = np.clip(rng.normal(0.45, 0.35, count), -0.5, 1.35)
    directions = np.stack(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], -1
    )
    power = np.concatenate([[1.0], rng.uniform(0.1, 0.6, count - 1)]) * rng.uniform(0.5, 1.25)
    colours = np.stack([_warmth(rng, 0.22) for _ in range(count)]) * power[:, None]
    if rng.random() < 0.04:
        colours *= rng.uniform(0.2, 1.3, (count, 3))
    sky = _warmth(rng, 0.18) * ambient
    floor = sky * rng.uniform(0.3, 0.9) * _warmth(rng, 0.12)
    hard = rng.random() < shadows
    return Lighting(sky, floor, directions, colours, float(rng.uniform(0.45, 0.95)) if hard else 0.0)


def shadow_factor(
    points: np.ndarray, triangles: np.ndarray, normals: np.ndarray, direction: np.ndarray, reach: float
) -> np.ndarray:
    """(N,) share of the lamp in ``direction`` that reaches each point (N, 3), camera frame, in [0, 1].

    ``reach`` is the height of a head in px; it sets the bias against a surface shading itself.
    """
    side = np.cross([0.0, 1.0, 0.0], direction)
    side /= max(np.linalg.norm(side), 1e-9)
    frame = np.stack([side, np.cross(direction, side), direction])
    seen = points @ frame.T
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    centre, half = (low + high) / 2, min(float((high - low).max()) / 2, 1.6 * reach)
    scale = (_SHADOW_SIDE - 2) / (2 * half)
    placed = np.column_stack([(seen[:, :2] - centre) * scale + (_SHADOW_SIDE - 1) / 2, seen[:, 2]])
    depth = rasterize(placed, triangles, _SHADOW_SIDE, _SHADOW_SIDE).depth
    slope = 1.0 / np.clip(normals @ direction, 0.25, 1.0)
    nearness = placed[:, 2] + (0.012 * reach + 1.6 / scale) * slope
    lit = np.zeros(len(points), np.float32)
    for dx, dy in ((-0.9, -0.4), (0.4, -0.9), (0.9, 0.4), (-0.4, 0.9)):
        x = np.clip(np.rint(placed[:, 0] + dx), 0, _SHADOW_SIDE - 1).astype(np.intp)
        y = np.clip(np.rint(placed[:, 1] + dy), 0, _SHADOW_SIDE - 1).astype(np.intp)
        lit += depth[y, x] <= nearness
    inside = (np.abs(placed[:, :2] - (_SHADOW_SIDE - 1) / 2) < _SHADOW_SIDE / 2).all(1)
    return np.where(inside, lit / 4, np.float32(1.0))


def shade(
    normals: np.ndarray,
    albedo: np.ndarray,
    gloss: np.ndarray,
    shine: np.ndarray,
    occlusion: np.ndarray,
    lighting: Lighting,
    lit: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB (N, 3) float32 that leaves each vertex towards the viewer, and the light (N, 3) that arrived.

    normals (N, 3) in the camera frame, gloss/shine/occlusion (N,), ``lit`` (N,) share of the main lamp or None.
    """
    normals = normals.astype(np.float32)
    wrap, sky, floor = (a.astype(np.float32) for a in (_WRAP, lighting.sky, lighting.floor))
    arrived = (floor + (sky - floor) * (0.5 + 0.5 * normals[:, 1:2])) * occlusion[:, None]
    mirrored = np.zeros_like(arrived)
    lamps = zip(lighting.directions.astype(np.float32), lighting.colours.astype(np.float32), strict=True)
    for number, (direction, colour) in enumerate(lamps):
        facing = normals @ direction
        share = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, None) * (0.4 + 0.6 * occlusion[:, None])
        half = direction + np.array([0.0, 0.0, 1.0], np.float32)
        half /= max(np.linalg.norm(half), 1e-9)
        glint = np.exp(np.minimum(shine * (normals @ half - 1) * 1.1, 0)) * (facing > 0) * (shine + 8) / 25
        if number == 0 and lit is not None:
            through = 1 - np.float32(lighting.shadow) * (1 - lit)
            share, glint = share * through[:, None], glint * through
        arrived += share * colour
        mirrored += (glint * gloss)[:, None] * colour
    return (albedo * arrived + mirrored).astype(np.float32), arrived
