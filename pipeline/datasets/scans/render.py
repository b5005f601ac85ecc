"""A placed scan as a picture, and which of its vertices that picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pipeline.datasets.scans.place import in_picture
from pipeline.datasets.synthetic import backgrounds
from pipeline.geometry.mesh import Raster, interpolate, rasterize, shade, vertex_normals, visible_vertices
from pipeline.io.images import read_picture
from pipeline.records import FacemillError

if TYPE_CHECKING:
    from pipeline.config import ScanSettings
    from pipeline.datasets.scans.place import Placed

SAMPLES = 2
"""Raster rows for each row of the picture."""
TOLERANCE = 1 / 192
"""Depth by which a surface must be nearer to hide a vertex, share of the picture's side."""
_GAMMA = 2.2


@dataclass(frozen=True, eq=False)
class Look:
    """The colours of a scan in linear light, float32: texture (h, w, 3), or colours (N, 3) of the vertices."""

    texture: np.ndarray | None
    colours: np.ndarray | None


def look_of(placed: Placed, settings: ScanSettings, name: str) -> Look:
    """A scan's colours: its texture, else its vertices' colours, else white under the lamp.

    The texture is shrunk once to about a texel a raster pixel, so that pictures do not alias. FacemillError when a
    texture cannot be read, and for a scan without colours where no lamp would show its form.
    """
    mesh = placed.mesh
    if mesh.uv is not None and mesh.texture is not None:
        texture = read_picture(mesh.texture)
        share = _texels_per_pixel(placed, texture.shape[:2])
        if share > 1:
            size = [max(round(side / share), 1) for side in texture.shape[1::-1]]
            texture = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
        return Look(_linear(texture), None)
    if mesh.colours is not None:
        return Look(None, _linear(mesh.colours))
    if settings.lamp == 0:
        raise FacemillError(
            f"{name}: found neither a texture nor colours, and a scan without them needs light to be seen: set "
            "scans.ambient to 0.3 and scans.lamp to 0.7"
        )
    return Look(None, np.ones((len(mesh.vertices), 3), np.float32))


def draw(
    placed: Placed, look: Look, camera: np.ndarray, settings: ScanSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The picture (size, size, 3) uint8 RGB under a camera (3, 4) of Matlab's frame, and the vertices (N,) bool that
    are seen in it: in the picture, on a side that faces the viewer, with no surface before them.

    Surfaces seen from behind are not drawn: a scan has no inside.
    """
    points = in_picture(placed.mesh.vertices, camera, settings.size)
    side = settings.size * SAMPLES
    fine = points * SAMPLES + np.array([(SAMPLES - 1) / 2, (SAMPLES - 1) / 2, 0.0])
    raster = rasterize(fine, placed.triangles, side, side, cull=True)
    normals = vertex_normals(points, placed.triangles, image_frame=True)
    colour = _colours(placed, look, raster) * _light(normals, placed, raster, settings)
    colour[~raster.mask] = 0.0
    shown = cv2.resize(colour, (settings.size, settings.size), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(
        raster.mask.astype(np.float32), (settings.size, settings.size), interpolation=cv2.INTER_AREA
    )
    picture = shown + (1 - cover)[..., None] * _background(settings, rng)
    seen = visible_vertices(raster, fine, placed.triangles, TOLERANCE * side) & (normals[:, 2] > 0)
    return np.rint(255 * np.clip(picture, 0, 1) ** (1 / _GAMMA)).astype(np.uint8), seen


def _colours(placed: Placed, look: Look, raster: Raster) -> np.ndarray:
    """(H, W, 3) float32 linear colours of the raster."""
    if look.texture is None:
        return interpolate(raster, placed.triangles, look.colours)
    height, width = look.texture.shape[:2]
    uv = interpolate(raster, placed.uv_triangles, placed.mesh.uv)
    x, y = uv[..., 0] * width - 0.5, (1 - uv[..., 1]) * height - 0.5
    return cv2.remap(look.texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _light(normals: np.ndarray, placed: Placed, raster: Raster, settings: ScanSettings) -> np.ndarray:
    """(H, W, 3) or one number: what the surface's own colour is multiplied by."""
    if settings.lamp == 0:
        return np.float32(settings.ambient)
    right, up, near = settings.lamp_from
    lamps = [((right, -up, near), settings.lamp)]
    return interpolate(
        raster, placed.triangles, shade(normals, np.ones_like(normals), settings.ambient, lamps)
    )


def _background(settings: ScanSettings, rng: np.random.Generator) -> np.ndarray:
    if settings.background == "clutter":
        return backgrounds.background(rng, settings.size)
    return _linear(np.full((1, 1, 3), settings.grey, np.uint8))


def _linear(colours: np.ndarray) -> np.ndarray:
    return (((np.arange(256) / 255) ** _GAMMA).astype(np.float32))[colours]


def _texels_per_pixel(placed: Placed, shape: tuple[int, int]) -> float:
    """Texels along one raster pixel, from the areas of the whole surface in the texture and, face on, in the raster."""
    pixels = placed.mesh.vertices * (placed.scale * SAMPLES)
    a, b, c = (pixels[corner] for corner in placed.triangles.T)
    drawn = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    chart = placed.mesh.uv * np.array(shape[::-1], np.float64)
    a, b, c = (chart[corner] for corner in placed.uv_triangles.T)
    texels = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum()
    return float(np.sqrt(texels / drawn)) if drawn > 0 else 0.0
