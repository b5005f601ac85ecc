"""Axis-aligned boxes: arrays (..., 4) of x1, y1, x2, y2 in image px, continuous (area = (x2 - x1)(y2 - y1))."""

import numpy as np


def landmark_box(landmarks: np.ndarray) -> np.ndarray:
    """Tight box (..., 4) float64 of points (..., K, 2|3)."""
    points = np.asarray(landmarks, np.float64)[..., :2]
    return np.concatenate([points.min(axis=-2), points.max(axis=-2)], axis=-1)


def box_centre(boxes: np.ndarray) -> np.ndarray:
    """Centres (..., 2)."""
    b = np.asarray(boxes, np.float64)
    return (b[..., :2] + b[..., 2:]) / 2


def box_size(boxes: np.ndarray) -> np.ndarray:
    """Widths and heights (..., 2)."""
    b = np.asarray(boxes, np.float64)
    return b[..., 2:] - b[..., :2]


def box_area(boxes: np.ndarray, plus_one: bool = False) -> np.ndarray:
    """Areas (...); an inverted box has none. `plus_one` counts whole pixels, as the Fast R-CNN family does."""
    size = np.maximum(box_size(boxes) + float(plus_one), 0.0)
    return size[..., 0] * size[..., 1]


def square_box(centre: np.ndarray, side) -> np.ndarray:
    """Squares (..., 4) about centres (..., 2) with sides (...)."""
    centre = np.asarray(centre, np.float64)
    half = np.asarray(side, np.float64)[..., None] / 2
    return np.concatenate([centre - half, centre + half], axis=-1)


def clip_box(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Boxes cut at the picture's outermost pixel edges (-0.5 and width - 0.5 or height - 0.5)."""
    limit = np.array([width, height, width, height], np.float64) - 0.5
    return np.clip(np.asarray(boxes, np.float64), -0.5, limit)


def intersection(first: np.ndarray, second: np.ndarray, plus_one: bool = False) -> np.ndarray:
    """Pairwise intersection areas (N, M) of boxes (N, 4) and (M, 4)."""
    a, b = np.asarray(first, np.float64)[:, None], np.asarray(second, np.float64)[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    return box_area(np.concatenate([low, high], axis=-1), plus_one)


def iou(first: np.ndarray, second: np.ndarray, plus_one: bool = False) -> np.ndarray:
    """Pairwise intersection over union (N, M), 0 where both boxes have no area."""
    common = intersection(first, second, plus_one)
    union = box_area(first, plus_one)[:, None] + box_area(second, plus_one)[None] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def inside_share(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Share (...) of each box's area that lies within the picture; 0 for a box without area."""
    area = box_area(boxes)
    return np.divide(box_area(clip_box(boxes, height, width)), area, out=np.zeros_like(area), where=area > 0)
