"""The surface of a volume by marching cubes (Lorensen and Cline 1987, in Lewiner's form, which leaves no holes)."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.surface import in_crop, outward, step_of
from pipeline.records import FacemillError

LEVEL = 0.5


def isosurface(volume: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) float64 x, y, z in voxels, whose centres lie at whole numbers, and triangles (T, 3) int32, turned
    outward, of the surface where a volume (D, H, W) passes ``level``.

    Take probabilities, or 0 and 1: between two voxels of these the surface stands in the middle. What reaches the ends
    of the block is closed there. `FacemillError` where nothing, or everything, is inside.
    """
    from skimage.measure import marching_cubes

    inside = np.asarray(volume) > level
    if not inside.any() or inside.all():
        found = "none" if not inside.any() else "all"
        raise FacemillError(f"volume: expected some voxels above {level:g} and some not, found {found}")
    reach = [np.flatnonzero(inside.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    block = tuple(slice(max(found[0] - 1, 0), found[-1] + 2) for found in reach)
    origin = [part.start for part in block]
    padded = np.pad(np.asarray(volume[block], np.float32), 1)
    vertices, triangles, _, _ = marching_cubes(padded, level)
    vertices = (vertices.astype(np.float64) + origin - 1)[:, ::-1]
    return np.ascontiguousarray(vertices), outward(vertices, triangles.astype(np.int32))


def crop_surface(
    volume: np.ndarray, depth_scale: float, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """The surface of a volume (D, S, S) of any side in px of the 192 crop (y down, z nearer is larger, 0 at the face's
    mean depth), its triangles turned outward as `isosurface` does: counter-clockwise in these numbers."""
    vertices, triangles = isosurface(volume, level)
    return in_crop(vertices, step_of(np.asarray(volume)), depth_scale), triangles
