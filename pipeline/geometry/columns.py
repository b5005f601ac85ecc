"""Volumes as runs: where each column is inside, as intervals along z, and what a similarity of the crop makes of them.

Runs are (R, h, w, 2): first and end of R intervals a column, measured in slices from the volume's lower face, so that
slice k reaches from k to k + 1 (its voxels' centres lie at z = k). A run that ends where it begins is none.
"""

from __future__ import annotations

import numpy as np

from pipeline.geometry.arrays import check_shape, numbers
from pipeline.geometry.volume import CENTRE, SHAPE, Volume
from pipeline.records import FacemillError

TIE = 1e-6
"""px by which two columns count as equally near."""


def runs_of(columns, bits: np.ndarray | None = None) -> np.ndarray:
    """All runs (R, h, w, 2) float32 of a volume, R as many as its fullest column has.

    Args:
        columns: (h, w, 2) uint8, the first run of each column (`Volume.columns`).
        bits: (d, h, w / 8) uint8 of the volume where some column has more than one run; None where none has.
    """
    columns = np.asarray(columns)
    check_shape("columns", columns, (None, None, 2))
    first = columns.astype(np.float32)[None]
    if bits is None:
        return first
    several = Volume(bits, columns.shape[1]).columns()[1]
    rows, places = np.nonzero(several)
    inside = bits[:, rows, places // 8] >> (7 - places % 8) & 1
    steps = np.diff(np.pad(inside.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    number, starts = np.nonzero(steps.T > 0)
    ends = np.nonzero(steps.T < 0)[1]
    rank = np.arange(len(number)) - np.searchsorted(number, number)
    out = np.zeros((int(rank.max(initial=0)) + 1, *first.shape[1:]), np.float32)
    out[0] = first[0]
    out[rank, rows[number], places[number]] = np.column_stack([starts, ends])
    return out


def moved_runs(runs, matrix, scale: float, side: int) -> np.ndarray:
    """The runs (R, S, S, 2) float32 of a moved volume on a grid of another side, in slices of that grid.

    Each column of the new grid is the nearest of the old one, empty where that lies outside; of two as near one row
    takes the left and the next the right, one column the upper and the next the lower, so that nothing moves on the
    whole. The new voxels share their outer edges with the old, so h / S of the old slices make one of the new.

    Args:
        runs: (R, h, h, 2), of a volume (d, h, h) with the slices of the paper's, d = 200 h / 192.
        matrix: (2, 3) that takes px of the h x h crop to px of the changed h x h crop.
        scale: of the similarity, along z about the volume's centre.
        side: S.

    Raises:
        FacemillError: wrong shapes, or a matrix without an inverse.
    """
    runs = numbers("runs", runs, (None, None, None, 2))
    matrix = numbers("matrix", matrix, (2, 3))
    if abs(np.linalg.det(matrix[:, :2])) < 1e-12:
        raise FacemillError("moved_runs: expected a matrix with an inverse, found a singular one")
    height = runs.shape[1]
    step = height / side
    centres = (np.arange(side) + 0.5) * step - 0.5
    grid = np.stack(np.broadcast_arrays(centres, centres[:, None]), axis=-1)
    place = (grid - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    turn = TIE * (1 - 2 * (np.arange(side) % 2))
    place = np.rint(place + np.stack(np.broadcast_arrays(turn[:, None], turn), axis=-1)).astype(np.intp)
    inside = ((place >= 0) & (place < height)).all(axis=-1)
    column, row = np.where(inside[..., None], place, 0).transpose(2, 0, 1)
    found = runs[:, row, column]
    unit = height / SHAPE[1]
    middle, depth = (CENTRE + 0.5) * unit, SHAPE[0] * unit
    moved = np.clip(scale * (found - middle) + middle, 0, depth)
    full = inside & (found[..., 1] > found[..., 0])
    return np.where(full[..., None], moved / step, 0).astype(np.float32)
