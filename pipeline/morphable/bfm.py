"""What the adapters of the Basel Face Model 2009 share: its licence, its winding, its parts, its colours, its chart."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pipeline.io.arrays import read_mat, read_npy
from pipeline.morphable.model import Region
from pipeline.records import FacemillError

LICENCE = "Basel Face Model 2009: research only, not to be passed on"
SEGMENTS = (Region.NOSE, Region.EYE, Region.LIPS)
"""BFM's own coarse parts: nose, the region about the eyes, the region about the mouth; the fourth is the rest."""
BEHIND_JAW, BELOW_JAW = 0.02, 0.05
"""How far the face reaches beyond the jaw line in profile, shares of the jaw's width: against the published vertex
list of the mesh without ears and neck the rule below has an intersection over union of 0.985."""


def beside(path: Path, name: str, *folders: str) -> Path | None:
    """The file ``name`` in the folder ``path`` or in one of its neighbouring ``folders``; None where it is in none."""
    for folder in (path, *(path / other for other in folders)):
        if (folder / name).is_file():
            return folder / name
    return None


def vertices_of(values: np.ndarray, where: str) -> np.ndarray:
    """(3N,) or (3N, 1) numbers with x, y, z of a vertex together, as (N, 3); the type stays."""
    if values.size == 0 or values.size % 3 or values.dtype.kind not in "fiu":
        raise FacemillError(
            f"{where}: expected 3 numbers a vertex, found {values.dtype} of shape {values.shape}"
        )
    return values.reshape(-1, 3)


def basis_of(values: np.ndarray, count: int, where: str) -> np.ndarray:
    """(3N, K) modes as (N, 3, K) float32, N = ``count``."""
    if values.ndim != 2 or values.dtype.kind not in "fiu" or len(values) != 3 * count:
        raise FacemillError(
            f"{where}: expected modes of shape ({3 * count}, K) for {count} vertices, found {values.shape}"
        )
    return np.ascontiguousarray(values, np.float32).reshape(count, 3, -1)


def shaped(values: np.ndarray, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Numbers of this shape as float64."""
    if values.shape != shape or values.dtype.kind not in "fiu":
        raise FacemillError(
            f"{where}: expected numbers of shape {shape}, found {values.dtype} of shape {values.shape}"
        )
    return values.astype(np.float64)


def numbers_of(values: np.ndarray, where: str, *, first: int, below: int) -> np.ndarray:
    """Vertex numbers that count from ``first`` as int32 that count from 0; each must be below ``below`` then."""
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise FacemillError(f"{where}: expected vertex numbers, found {values.dtype} that are none")
    rows = np.asarray(values, np.int64) - first
    if rows.size and (rows.min() < 0 or rows.max() >= below):
        raise FacemillError(
            f"{where}: expected numbers from {first} to {below - 1 + first}, "
            f"found {rows.min() + first} to {rows.max() + first}"
        )
    return rows.astype(np.int32)


def triangles_of(values: np.ndarray, where: str, *, first: int, below: int) -> np.ndarray:
    """Triangles (3, T) or (T, 3), whose numbers count from ``first``, as (T, 3) int32 that count from 0."""
    if values.ndim != 2 or 3 not in values.shape:
        raise FacemillError(f"{where}: expected triangles of shape (3, T), found {values.shape}")
    rows = values.T if values.shape[0] == 3 else values
    return np.ascontiguousarray(numbers_of(rows, where, first=first, below=below))


def keypoints_of(values: np.ndarray, where: str, *, first: int, below: int) -> np.ndarray:
    """68 vertex numbers, or 3DDFA's 204 numbers of their x, y and z, as (68,) int32 that count from 0."""
    flat = np.ravel(values)
    if flat.size == 204:
        flat = flat[::3] // 3
    if flat.size != 68:
        raise FacemillError(f"{where}: expected 68 keypoints, found {flat.size}")
    return numbers_of(flat, where, first=first, below=below)


def outward(mean: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The triangles (T, 3) counter-clockwise seen from outside: as they are, or all of them turned.

    A face is open at its back, so that its triangles together face the camera where they are outward.
    """
    a, b, c = (mean[triangles[:, k]].astype(np.float64) for k in range(3))
    facing = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return triangles if facing.sum() >= 0 else np.ascontiguousarray(triangles[:, ::-1])


def face_mask(mean: np.ndarray, keypoints: np.ndarray, folder: Path, *neighbours: str) -> np.ndarray:
    """(N,) bool, the face without ears and neck.

    Where 3DDFA_V2's indices.npy lies in the folder or its ``neighbours``, these are its vertices. Else they are those
    that lie in front of the jaw line, seen in profile on the mean face: the 17 contour landmarks, both sides taken
    together, moved `BEHIND_JAW` back and `BELOW_JAW` down, and straight up from its upper end.
    """
    listed = beside(folder, "indices.npy", *neighbours)
    if listed is not None:
        mask = np.zeros(len(mean), bool)
        mask[numbers_of(read_npy(listed), str(listed), first=0, below=len(mean))] = True
        return mask
    jaw = mean[keypoints[:17]].astype(np.float64)
    width = np.linalg.norm(jaw[16] - jaw[0])
    line = (jaw[:9] + jaw[16:7:-1])[::-1] / 2
    rising = np.maximum.accumulate(line[:, 1])
    back = np.interp(mean[:, 1] + BELOW_JAW * width, rising, line[:, 2], left=np.inf)
    return mean[:, 2] >= back - BEHIND_JAW * width


def regions_of(segments: np.ndarray | None, count: int, where: str) -> np.ndarray:
    """(N,) uint8 regions of BFM's segments (N, 4) or (4, N): nose, eyes, mouth, rest; all skin without them."""
    regions = np.full(count, Region.SKIN, np.uint8)
    if segments is not None:
        rows = segments.T if segments.shape == (4, count) else segments
        if rows.shape != (count, 4) or rows.dtype.kind not in "fiub":
            raise FacemillError(
                f"{where}: expected segments of shape ({count}, 4), found {segments.dtype} of shape {segments.shape}"
            )
        for column, region in enumerate(SEGMENTS):
            regions[rows[:, column] > 0] = region
    return regions


def linear_light(srgb: np.ndarray) -> np.ndarray:
    """sRGB values in 0..1 as linear ones (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)


def albedo_of(mean: np.ndarray, modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """BFM's texture, mean (N, 3) and modes (N, 3, K) in sRGB 0..255, as albedo in linear light 0..1.

    The model's colours are linear in sRGB; the modes are carried over with the slope of the transfer curve at the
    mean, so Tex_Para keeps its numbers and small coefficients their colours.
    """
    srgb = np.clip(mean.astype(np.float64) / 255, 0, 1)
    slope = np.where(srgb <= 0.04045, 1 / 12.92, 2.4 / 1.055 * ((srgb + 0.055) / 1.055) ** 1.4) / 255
    return linear_light(srgb).astype(np.float32), modes * slope[..., None].astype(np.float32)


def require_equal(found: np.ndarray, expected: np.ndarray, tolerance: float, where: str, what: str) -> None:
    """FacemillError when two arrays that the publishers made of one another disagree: files of two models are mixed."""
    if found.shape != expected.shape or np.abs(found - expected).max() > tolerance:
        raise FacemillError(f"{where}: does not fit {what}; use the files of one and the same model together")


def chart_beside(folder: Path, count: int, *neighbours: str, kept: np.ndarray | None = None) -> np.ndarray:
    """BFM_UV.mat's chart points (N, 2) float32, or (0, 2) where the file lies in none of the folders.

    kept: the vertices of the whole mesh that the model has, where it has not all.
    """
    path = beside(folder, "BFM_UV.mat", *neighbours)
    if path is None:
        return np.zeros((0, 2), np.float32)
    uv = read_mat(path, ("UV",))["UV"]
    if kept is not None and uv.ndim == 2 and len(uv) > kept.max():
        uv = uv[kept]
    if uv.shape != (count, 2):
        raise FacemillError(f"{path}: expected UV of shape ({count}, 2), found {uv.shape}")
    return np.ascontiguousarray(uv, np.float32)


def first_existing(folder: Path, names: Iterable[str], what: str, *neighbours: str) -> Path:
    """The first of these files that lies in the folder or its neighbours; FacemillError names all of them."""
    names = list(names)
    for name in names:
        found = beside(folder, name, *neighbours)
        if found is not None:
            return found
    where = " or ".join(str(folder / other) if other else str(folder) for other in ("", *neighbours))
    raise FacemillError(f"no {what}: expected {' or '.join(names)} in {where}")
