"""How alike two pictures are: a hash to find pairs by, and a correlation of detail to judge them by.

Both are made from one grey thumbnail of 32 x 32. The hash is the sign of each of the 255 lowest terms (16 x 16 without
the mean) of its discrete cosine transform; re-encoding, scaling and a change of brightness turn few of them. Mirroring
a picture changes the sign of the terms with an odd horizontal number, so the hash of the mirrored picture needs no
picture. Portraits share their layout, and of millions of pairs some have hashes as near as copies have. Such a pair is
judged by what the hash sees least: the thumbnails with their local mean and contrast taken out, laid upon each other by
an affine map (enhanced correlation coefficient, Evangelidis and Psarakis 2008) and correlated.

A face is compared in its own square, which a copy shares whatever was cut around it. Two detections of one face do not
give the same square, so one side is looked at through 27: three sizes, and three places along each axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.geometry.resample import crop_image, to_gray

cv2.setNumThreads(1)

SIDE = 32
"""Of a thumbnail, px."""
MARGIN = 4
"""What a face's patch has on each side beyond the face's square, px of a thumbnail."""
PATCH = SIDE + 2 * MARGIN
TERMS = 16
BITS = TERMS * TERMS - 1
SIZES = (0.88, 1.0, 1.14)
PLACES = (-0.05, 0.0, 0.05)
VIEWS = len(SIZES) * len(PLACES) ** 2
SIGMA = 2.5
"""Of the window of local mean and contrast, px of a thumbnail."""
FLOOR = 2.0
"""Contrast in grey levels that counts as none."""
STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-4)
LEAST_AREA, LEAST_OVERLAP = 0.5, 0.5
"""A map that shrinks or enlarges an area by more, or leaves less to compare, lays nothing upon each other."""
BLOCK = 1 << 12
"""Hashes of one side that are compared at once; bounds the memory."""


@dataclass(frozen=True)
class Match:
    """Sample `first` of one side is sample `second` of the other: bits that differ, correlation, mirrored or not."""

    first: int
    second: int
    distance: int
    correlation: float
    mirrored: bool


def thumbnail(picture: np.ndarray) -> np.ndarray:
    """The whole of an (h, w, 3) uint8 RGB picture as (32, 32) uint8 grey, its sides' ratio given up."""
    return cv2.resize(to_gray(picture)[:, :, 0], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def face_patch(picture: np.ndarray, square: CropTransform) -> np.ndarray:
    """A face's square of an (h, w, 3) uint8 RGB picture as 32 x 32 with a margin of 4: (40, 40) uint8 grey."""
    wide = square.resized(SIDE)
    crop = crop_image(picture, CropTransform(wide.scale, wide.cx, wide.cy, PATCH), "edge")
    return to_gray(crop)[:, :, 0]


def middle(patches: np.ndarray) -> np.ndarray:
    """The faces' own squares (n, 32, 32) of their patches (n, 40, 40)."""
    return patches[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def views(patches: np.ndarray) -> np.ndarray:
    """Patches (n, 40, 40) uint8 through 27 squares each, (27 n, 32, 32) uint8: face k from row 27 k on."""
    out = np.empty((len(patches), VIEWS, SIDE, SIDE), np.uint8)
    squares = [(size, x, y) for size in SIZES for y in PLACES for x in PLACES]
    for k, patch in enumerate(patches):
        for v, (size, x, y) in enumerate(squares):
            centre = (PATCH - 1) / 2
            square = CropTransform(1 / size, centre + x * SIDE, centre + y * SIDE, SIDE)
            out[k, v] = crop_image(patch, square, "edge")[:, :, 0]
    return out.reshape(-1, SIDE, SIDE)


def hashes(thumbnails: np.ndarray) -> np.ndarray:
    """(n, 255) float32 of +1 and -1: the signs of the lowest terms of the cosine transform, without the mean."""
    terms = np.arange(TERMS)[:, None]
    basis = np.cos(np.pi * terms * (np.arange(SIDE) + 0.5) / SIDE)
    out = np.empty((len(thumbnails), BITS), np.float32)
    for start in range(0, len(thumbnails), BLOCK):
        block = thumbnails[start : start + BLOCK].astype(np.float64)
        found = (basis @ block @ basis.T).reshape(len(block), -1)[:, 1:]
        out[start : start + BLOCK] = np.where(found >= 0, 1.0, -1.0)
    return out


def mirrored(found: np.ndarray) -> np.ndarray:
    """The hashes (n, 255) that the mirrored pictures have."""
    odd = np.tile(np.arange(TERMS) % 2, TERMS)[1:]
    return found * np.where(odd == 1, -1.0, 1.0).astype(np.float32)


def detail(thumb: np.ndarray) -> np.ndarray:
    """(32, 32) float32: a thumbnail without its local mean, over its local contrast."""
    grey = thumb.astype(np.float32)
    away = grey - cv2.GaussianBlur(grey, (0, 0), SIGMA)
    return away / np.sqrt(cv2.GaussianBlur(away * away, (0, 0), SIGMA) + FLOOR**2)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Of two details (32, 32) as they are and after an affine map laid them upon each other, the larger correlation."""
    plain = _correlation(first.ravel(), second.ravel())
    try:
        _, found = cv2.findTransformECC(
            first, second, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, STEPS, None, 3
        )
    except cv2.error:
        return plain
    there = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(np.ones_like(second), found, (SIDE, SIDE), flags=there) > 0.99
    area = abs(float(np.linalg.det(found[:, :2])))
    if seen.mean() < LEAST_OVERLAP or not LEAST_AREA < area < 1 / LEAST_AREA:
        return plain
    return max(
        plain, _correlation(first[seen], cv2.warpAffine(second, found, (SIDE, SIDE), flags=there)[seen])
    )


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's, 0 where one side is plain."""
    a, b = (values.astype(np.float64) - values.mean(dtype=np.float64) for values in (first, second))
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norm) if norm > 1e-6 else 0.0


def near(
    first: np.ndarray, second: np.ndarray, limit: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Pairs of hashes (n, 255) and (m, 255) that differ in `limit` bits or fewer, block by block: their numbers on both
    sides and the bits (k,) each. Of +1 and -1 the dot product is 255 - 2 x bits, exact in float32 in any order."""
    least = BITS - 2 * limit
    for i in range(0, len(first), BLOCK):
        for j in range(0, len(second), BLOCK):
            dots = first[i : i + BLOCK] @ second[j : j + BLOCK].T
            places = np.flatnonzero(dots.ravel() >= least)
            rows, columns = np.divmod(places, dots.shape[1])
            yield rows + i, columns + j, ((BITS - dots[rows, columns]) / 2).astype(np.int64)


def matches(
    first: np.ndarray,
    second: np.ndarray,
    bits: tuple[int, int],
    least: float,
    groups: tuple[np.ndarray, np.ndarray] | None = None,
) -> Iterator[Match]:
    """Pairs of thumbnails (n, 32, 32) and (m, 32, 32) uint8 that are one picture.

    Hashes that are `bits[0]` apart or less say so alone; up to `bits[1]` the correlation of detail has to be `least` or
    more. A plain picture is like no other. A pair may come twice, mirrored and not.

    groups: numbers (n,) and (m,); pairs with equal ones are left out.
    """
    ours, theirs = hashes(first), hashes(second)
    shown, other_shown = _shown(first), _shown(second)
    for flip in (False, True):
        for rows, columns, apart in near(ours, mirrored(theirs) if flip else theirs, bits[1]):
            wanted = shown[rows] & other_shown[columns]
            if groups is not None:
                wanted &= groups[0][rows] != groups[1][columns]
            rows, columns, apart = rows[wanted], columns[wanted], apart[wanted]
            for row, column, bit in zip(rows.tolist(), columns.tolist(), apart.tolist(), strict=True):
                other = second[column][:, ::-1] if flip else second[column]
                found = correlation(detail(first[row]), detail(other))
                if bit <= bits[0] or found >= least:
                    yield Match(row, column, bit, found, flip)


def _shown(thumbnails: np.ndarray) -> np.ndarray:
    """Which of the thumbnails (n, 32, 32) are more than plain: (n,) bool."""
    blocks = (thumbnails[start : start + BLOCK] for start in range(0, len(thumbnails), BLOCK))
    return np.concatenate([np.zeros(0, bool), *(block.std(axis=(1, 2)) > FLOOR for block in blocks)])
