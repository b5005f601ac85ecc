"""Weights of the position-map loss: 16 at landmarks, 4 at eyes, nose and mouth, 3 on the face, 0 elsewhere.

PRN ships its mask as a picture for its own chart (spec prn_vrn_3ddfa B.5); here it is made from whatever chart is in
use, at any size, and a user's own picture can be read instead.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.spatial import ConvexHull

from pipeline.geometry.arrays import check_shape
from pipeline.geometry.posmap import nearest_texels, texel_coordinates
from pipeline.io.images import read_picture
from pipeline.morphable import MorphableModel
from pipeline.records import FacemillError
from pipeline.targets.posmap import uv_table

LANDMARK, BLOCK, FACE = 16.0, 4.0, 3.0
PARTS = (tuple(range(17, 27)) + tuple(range(36, 48)), tuple(range(27, 36)), tuple(range(48, 68)))
"""Landmarks (0-based) around brows and eyes, along the nose, around the mouth."""
MARGIN = 0.08
"""How far the block reaches beyond each part's hull, as a share of the distance between the brows' outer ends."""


@lru_cache(maxsize=8)
def weight_mask(model: MorphableModel, size: int) -> np.ndarray:
    """(S, S) float32 weights 16:4:3:0 on the chart of a face model; read-only, made once.

    16: the texel nearest to each of the 68 landmarks. 4: texels within a margin of the convex hulls of brows and
    eyes, nose, and mouth in the chart. 3: the rest of the face. 0: ears, neck, scalp, and texels off the chart, where
    no landmark is.
    """
    landmarks = keypoint_uv(model)
    mask = np.where(face_texels(model, size), FACE, 0.0)
    places = texel_coordinates(landmarks, size)
    margin = MARGIN * float(np.linalg.norm(places[26] - places[17]))
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2).astype(np.float64)
    block = np.zeros(size * size, bool)
    for part in PARTS:
        block |= _hull_distance(places[list(part)], grid) <= margin
    mask[(mask > 0) & block.reshape(size, size)] = BLOCK
    columns, rows = nearest_texels(landmarks, size).T
    mask[rows, columns] = LANDMARK
    mask = mask.astype(np.float32)
    mask.flags.writeable = False
    return mask


def face_texels(model: MorphableModel, size: int) -> np.ndarray:
    """(S, S) bool: texels of the chart on the face without ears, neck and scalp (PRN's uv_face_mask)."""
    table = uv_table(model, size)
    share = table.gather(model.face_mask.astype(np.float32)[:, None])[..., 0]
    return table.inside & (share >= 0.5)


def keypoint_uv(model: MorphableModel) -> np.ndarray:
    """(68, 2) chart coordinates of the landmarks: those of the first triangle that names the vertex."""
    row = np.full(len(model.mean), -1, np.int64)
    row[model.triangles.ravel()[::-1]] = model.uv_triangles.ravel()[::-1]
    bare = np.flatnonzero(row[model.keypoints] < 0)
    if len(bare):
        raise FacemillError(f"face model {model.name}: landmark {bare[0]} lies on no triangle of the chart")
    return model.uv[row[model.keypoints]]


def read_weights(path: str | Path, size: int, face: str | Path | None = None) -> np.ndarray:
    """(S, S) float32 weights from a grey picture as PRN ships it: grey / 16, so that 255 stands for 16.

    Args:
        path: the picture, square.
        size: S. A picture of another side is resampled: a texel takes the largest of the pixels that fall on it,
            so that single landmark pixels survive.
        face: picture of the same side whose black pixels get the weight 0 (PRN's uv_face_mask.png), if any.

    Raises:
        FacemillError: a picture that cannot be read, is not square, is black, or does not fit the face's.
    """
    grey = read_grey(path)
    if face is not None:
        mask = read_grey(face)
        check_shape(f"{face}", mask, grey.shape)
        grey = np.where(mask > 0, grey, 0)
    if not grey.any():
        raise FacemillError(f"{path}: expected a weight mask, found a black picture")
    weights = np.where(grey == 255, 256.0, grey) / 16
    return _resampled(weights, size).astype(np.float32)


def read_grey(path: str | Path) -> np.ndarray:
    """(P, P) uint8 of a square picture; of a coloured one the red channel."""
    grey = read_picture(path)[..., 0]
    if grey.shape[0] != grey.shape[1]:
        raise FacemillError(f"{path}: expected a square picture, found {grey.shape[1]} x {grey.shape[0]}")
    return grey


def _resampled(weights: np.ndarray, size: int) -> np.ndarray:
    side = len(weights)
    if side == size:
        return weights
    if side < 2 or size < 2:
        raise FacemillError(f"weights: cannot bring a side of {side} to {size}")
    back = np.rint(np.arange(size) * (side - 1) / (size - 1)).astype(int)
    out = weights[np.ix_(back, back)]
    there = np.rint(np.arange(side) * (size - 1) / (side - 1)).astype(int)
    np.maximum.at(out, (there[:, None], there[None, :]), weights)
    return out


def _hull_distance(points: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(K,) distance of points (K, 2) from the convex hull of points (M, 2); 0 inside."""
    hull = points[ConvexHull(points).vertices]
    start, along = hull, np.roll(hull, -1, axis=0) - hull
    offset = at[:, None] - start
    inside = (along[:, 0] * offset[..., 1] - along[:, 1] * offset[..., 0] >= 0).all(axis=1)
    share = np.clip((offset * along).sum(axis=-1) / (along**2).sum(axis=-1), 0, 1)
    distance = np.linalg.norm(offset - share[..., None] * along, axis=-1).min(axis=1)
    return np.where(inside, 0.0, distance)
