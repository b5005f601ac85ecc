"""Surfaces of volumes: finer grids, the way from voxels to the pixels of a crop, orientation, and colours.

A volume (D, S, S) of any side lies on the paper's (200, 192, 192) with its outer edges: the centre of voxel i stands at
(i + 1/2) 192 / S - 1/2 of the paper's. A crop of side F lies on the 192 crop in the same way.
"""

from __future__ import annotations

import numpy as np

from pipeline.geometry.arrays import indices, numbers
from pipeline.geometry.volume import CENTRE, SHAPE
from pipeline.records import FacemillError

SIDE = SHAPE[1]


def step_of(volume: np.ndarray) -> float:
    """How many pixels of the 192 crop a voxel of a volume (D, S, S) is wide.

    `FacemillError` where D is not 200 S / 192.
    """
    shape = volume.shape
    if volume.ndim != 3 or shape[1] != shape[2] or shape[0] * SIDE != SHAPE[0] * shape[1]:
        raise FacemillError(
            f"volume: expected shape (D, S, S) with D = 200 S / 192, found {shape}; a volume of (x, y, z) is turned by "
            "transpose(2, 1, 0)"
        )
    return SIDE / shape[1]


def enlarged(volume: np.ndarray) -> np.ndarray:
    """A coarse volume (D, S, S) on the paper's grid, (200, 192, 192) float32, trilinear between voxel centres."""
    step_of(volume)
    volume = np.asarray(volume, np.float32)
    for axis, length in enumerate(SHAPE):
        if volume.shape[axis] != length:
            weights = _interpolation(volume.shape[axis], length)
            volume = np.moveaxis(np.tensordot(weights, volume, (1, axis)), 0, axis)
    return np.ascontiguousarray(volume)


def _interpolation(coarse: int, fine: int) -> np.ndarray:
    """(fine, coarse) weights of the coarse cells in the fine ones."""
    place = np.clip((np.arange(fine) + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
    return np.maximum(1 - np.abs(place[:, None] - np.arange(coarse)), 0).astype(np.float32)


def pooled(volume: np.ndarray) -> np.ndarray:
    """A volume (D, S, S) at half its side, float32: the means of blocks of eight voxels."""
    step_of(volume)
    depth, height, width = volume.shape
    if depth % 2 or height % 2:
        raise FacemillError(f"volume: expected even sides to halve, found {volume.shape}")
    blocks = volume.reshape(depth // 2, 2, height // 2, 2, width // 2, 2)
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32)


def in_crop(points, step: float, depth_scale: float) -> np.ndarray:
    """Points (N, 3) float64 in px of the 192 crop from points x, y, z in voxels of a volume, whose centres lie at whole
    numbers.

    step: of the volume (`step_of`). depth_scale: by which its depth was stretched (`place_depth`); z is nearer where it
    is larger and 0 at the mean depth of the face.
    """
    points = (numbers("points", points, (None, 3)) + 0.5) * step - 0.5
    points[:, 2] = (points[:, 2] - CENTRE) / depth_scale
    return points


def upright(points) -> np.ndarray:
    """Points (N, 3) of the 192 crop, y down, as mesh viewers want them: y up, its zero at the crop's last row."""
    return numbers("points", points, (None, 3)) * [1.0, -1.0, 1.0] + [0.0, SIDE - 1.0, 0.0]


def enclosed(vertices, triangles) -> float:
    """The signed volume within a closed surface: positive where its triangles turn counter-clockwise seen from outside,
    in a right-handed frame."""
    vertices = numbers("vertices", vertices, (None, 3))
    corners = (vertices - vertices.mean(axis=0))[indices("triangles", triangles, 3, len(vertices))]
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)


def outward(vertices, triangles) -> np.ndarray:
    """Triangles (T, 3) int32 of a closed surface, all turned round where it encloses a negative volume."""
    triangles = indices("triangles", triangles, 3, len(vertices))
    return np.ascontiguousarray(triangles[:, ::-1]) if enclosed(vertices, triangles) < 0 else triangles


def crop_colours(points, image: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 RGB of a crop (F, F, 3) at points (N, 2 or 3) px of the 192 crop, bilinear, beyond it its border."""
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[0] != image.shape[1] or image.shape[2] != 3:
        raise FacemillError(f"image: expected a crop (F, F, 3), found {image.shape}")
    side = len(image)
    place = np.clip((np.asarray(points, np.float64)[:, :2] + 0.5) * (side / SIDE) - 0.5, 0, side - 1)
    low = np.minimum(place.astype(np.intp), side - 2)
    share = place - low
    column, row = low.T
    values = 0.0
    for dy, wy in ((0, 1 - share[:, 1]), (1, share[:, 1])):
        for dx, wx in ((0, 1 - share[:, 0]), (1, share[:, 0])):
            values = values + (wy * wx)[:, None] * image[row + dy, column + dx]
    return np.rint(values).astype(np.uint8)
