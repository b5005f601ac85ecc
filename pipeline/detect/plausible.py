"""Whether 68 landmarks can be a face: how sure the network is, whether they lie in their box, whether a head has
such a shape."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.boxes import box_size, inside_share, iou, landmark_box

BOX_OVERLAP = 0.35
RESIDUAL = 0.12
TWICE = 0.5
LARGEST = 3.0


def box_doubt(box: np.ndarray, height: int, width: int) -> tuple[float, str] | None:
    """Why a box (4,) can hold no face of a picture of that size, as (value, words): its longer side against the
    picture's, or the share of it inside; None when it can."""
    sides = box_size(box)
    if not (np.isfinite(box).all() and (sides > 0).all()):
        return 0.0, f"expected a box x1 y1 x2 y2 with an area, found {np.asarray(box).tolist()}"
    size = float(sides.max() / max(height, width))
    if size > LARGEST:
        return size, f"the box is {size:.3g} times as long as the picture, expected at most {LARGEST:g}"
    if not inside_share(box, height, width) > 0:
        return 0.0, "the box lies outside the picture"
    return None


def doubt(
    landmarks: np.ndarray,
    peaks: np.ndarray,
    box: np.ndarray,
    least_peak: float,
    mean_shape: np.ndarray | None = None,
) -> tuple[float, str] | None:
    """Why landmarks (68, 2) with heat-map peaks (68,), found in a box (4,), are no face, as (value, words); None
    when nothing speaks against them.

    `least_peak` is the least mean peak; `mean_shape` (68, 3) are the landmarks of a mean face in any frame.
    """
    peak = float(np.mean(peaks))
    if not peak >= least_peak:
        return peak, f"mean heat-map peak {peak:.3f}, expected at least {least_peak:g}"
    overlap = float(iou(landmark_box(landmarks)[None], np.asarray(box)[None])[0, 0])
    if overlap < BOX_OVERLAP:
        return (
            overlap,
            f"the landmarks' box overlaps the detector's by {overlap:.2f}, expected {BOX_OVERLAP:g}",
        )
    if mean_shape is not None:
        residual = shape_residual(landmarks, mean_shape)
        if residual > RESIDUAL:
            return (
                residual,
                f"distance to a mean head {residual:.3f} of the face's size, expected {RESIDUAL:g}",
            )
    return None


def shape_residual(landmarks: np.ndarray, mean_shape: np.ndarray) -> float:
    """Root mean square distance of landmarks (68, 2) from the best affine view of a mean face (68, 3), divided by
    sqrt(w h) of the landmarks' box; infinite for landmarks without extent."""
    points = np.asarray(landmarks, np.float64)
    size = np.sqrt(np.prod(np.ptp(points, axis=0)))
    if not size > 0:
        return np.inf
    design = np.column_stack([mean_shape, np.ones(len(mean_shape))])
    view, *_ = np.linalg.lstsq(design, points, rcond=None)
    return float(np.sqrt(((design @ view - points) ** 2).sum(axis=1).mean()) / size)


def found_twice(landmarks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(n,) bool: faces (n, 68, 2) whose landmarks lie on those of a face with a better score (n,)."""
    boxes = landmark_box(landmarks)
    overlap = iou(boxes, boxes)
    better = (scores[None] > scores[:, None]) | (
        (scores[None] == scores[:, None]) & np.tri(len(scores), k=-1, dtype=bool)
    )
    twice = np.zeros(len(scores), bool)
    for k in np.argsort(-scores, kind="stable"):
        twice[k] = bool((better[k] & ~twice & (overlap[k] > TWICE)).any())
    return twice
