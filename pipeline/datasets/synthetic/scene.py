"""Drawing a scene: all parts in one finer rasterisation, lit at the vertices, patterned at the pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.datasets.synthetic import textures
from pipeline.datasets.synthetic.anatomy import Head
from pipeline.datasets.synthetic.lights import Lighting, shade, shadow_factor
from pipeline.datasets.synthetic.meshes import Part
from pipeline.geometry.mesh import Raster, interpolate, rasterize, vertex_normals, visible_vertices

SAMPLES = 1.5
_UP = np.array([1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Drawn:
    """A drawn scene.

    colour (h, w, 3): linear RGB times coverage. cover (h, w): share of each pixel that some part covers. raster: at
    SAMPLES times the size. vertices (N, 3): of all parts, px of that raster; starts: first vertex of each part.
    """

    colour: np.ndarray
    cover: np.ndarray
    raster: Raster
    vertices: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    starts: list[int]
    light: float


def _finer(points: np.ndarray, scale: float) -> np.ndarray:
    """Picture px as px of a raster ``scale`` times as fine: pixel edges coincide."""
    return points * scale + np.array([(scale - 1) / 2, (scale - 1) / 2, 0.0])


def _spread(parts: list[Part], name: str, columns: int | None = None) -> np.ndarray:
    shape = (lambda n: (n,)) if columns is None else (lambda n: (n, columns))
    return np.concatenate([np.broadcast_to(getattr(p, name), shape(len(p.vertices))) for p in parts]).astype(
        np.float32
    )


def draw(parts: list[Part], lighting: Lighting, size: int, reach: float) -> Drawn:
    """Draw ``parts`` into a picture of size x size px under ``lighting``.

    ``reach`` is the height of a head in px, for shadows. ``light`` of the result is the mean light on the parts that
    belong to a face, before any exposure.
    """
    starts = np.cumsum([0] + [len(part.vertices) for part in parts])
    vertices = np.concatenate([part.vertices for part in parts])
    triangles = np.concatenate([p.triangles + s for p, s in zip(parts, starts, strict=False)]).astype(
        np.int32
    )
    upright = vertices * _UP
    normals = vertex_normals(upright, triangles)
    sheet = np.concatenate([np.full(len(part.vertices), part.sheet) for part in parts])
    normals[sheet & (normals[:, 2] < 0)] *= -1
    lit = None
    if lighting.shadow:
        lit = shadow_factor(upright, triangles, normals, lighting.directions[0], reach)
    colour, arrived = shade(
        normals,
        _spread(parts, "albedo", 3),
        _spread(parts, "gloss"),
        _spread(parts, "shine"),
        _spread(parts, "occlusion"),
        lighting,
        lit,
    )
    patterned = [_coordinates(part) for part in parts]
    side = round(size * SAMPLES)
    finer = _finer(vertices, side / size)
    shown = np.concatenate([_towards(p) + s for p, s in zip(parts, starts, strict=False)]).astype(np.int32)
    raster = rasterize(finer, shown, side, side)
    picture = interpolate(raster, shown, colour)
    places = interpolate(raster, shown, np.concatenate(patterned)).reshape(-1, 2)
    mask = raster.triangle >= 0
    covered = np.flatnonzero(mask)
    gain = np.zeros(side * side, np.float32)
    gain[covered] = textures.sample(*places[covered].T)
    picture = cv2.multiply(picture, cv2.merge([gain.reshape(side, side)] * 3))
    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    faces = np.concatenate([np.full(len(part.vertices), part.face >= 0) for part in parts])
    front = faces & (normals[:, 2] > 0.1)
    light = float(arrived[front].mean()) if front.any() else float(arrived.mean())
    return Drawn(small, cover, raster, finer, shown, normals, list(starts[:-1]), light)


def _towards(part: Part) -> np.ndarray:
    """The triangles of a part that can be seen: of a face those that turn to the viewer, of all else every one."""
    if part.face < 0:
        return part.triangles
    x, y = np.ascontiguousarray(part.vertices[:, :2].astype(np.float32).T)
    (xa, xb, xc), (ya, yb, yc) = x[part.triangles.T], y[part.triangles.T]
    return part.triangles[(xb - xa) * (yc - ya) <= (xc - xa) * (yb - ya)]


def _coordinates(part: Part) -> np.ndarray:
    """(N, 2) texel coordinates, the first with the pattern's number folded in."""
    count = len(part.vertices)
    given = np.zeros((count, 2)) if part.coordinates is None else part.coordinates
    return textures.fold(part.texture, given)


def nearest(drawn: Drawn) -> np.ndarray:
    """(h, w) depth at the picture's own pixels, in its px."""
    size, side = drawn.cover.shape[0], drawn.raster.depth.shape[0]
    place = ((np.arange(size) + 0.5) * (side / size)).astype(np.intp)
    return drawn.raster.depth[np.ix_(place, place)] * np.float32(size / side)


def visibility(drawn: Drawn, head: Head, part: int) -> tuple[np.ndarray, float]:
    """(68,) bool, the landmarks that are seen; and the share of the face's front that something hides.

    ``part`` is the number of the face's part in the scene. Points outside the picture are not seen.
    """
    tolerance = 6.0 * head.pixels_per_mm * SAMPLES
    seen = visible_vertices(drawn.raster, drawn.vertices, drawn.triangles, tolerance)
    model = head.traits.model
    own = slice(drawn.starts[part], drawn.starts[part] + len(head.vertices))
    front = model.face_mask & (drawn.normals[own, 2] > 0.15)
    hidden = 1.0 - float(seen[own][front].mean()) if front.any() else 1.0
    return seen[own][model.keypoints], hidden
