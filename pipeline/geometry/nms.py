"""Non-maximum suppression of scored boxes (N, 4) x1, y1, x2, y2 in px: hard and soft, with and without the + 1."""

import numpy as np

from pipeline._kernels import nms as kernel
from pipeline.geometry.arrays import numbers
from pipeline.records import FacemillError

METHODS = {"hard": kernel.HARD, "linear": kernel.LINEAR, "gaussian": kernel.GAUSSIAN}


def nms(boxes, scores, threshold: float, plus_one: bool = False) -> np.ndarray:
    """Numbers (int64) of the boxes that stand, best first.

    A box falls when its intersection over union with a better one that stands is above ``threshold``. Equal scores
    go by box number. ``plus_one`` is the convention of Fast R-CNN, FaceBoxes and 3DDFA_V2 (`cpu_nms`): a box
    covers x2 - x1 + 1 pixels, and an overlap equal to the threshold falls too.

    Raises FacemillError for wrong shapes, a threshold outside 0..1, or a value that is not finite.
    """
    boxes, scores = _boxes(boxes, scores, threshold)
    order = np.argsort(-scores, kind="stable")
    alive = np.ones(len(order), np.uint8)
    kernel.suppress(_columns(boxes[order], plus_one), alive, float(threshold), bool(plus_one))
    return order[alive.view(bool)]


def soft_nms(
    boxes,
    scores,
    threshold: float = 0.3,
    *,
    method: str = "gaussian",
    sigma: float = 0.5,
    least: float = 0.001,
    plus_one: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Soft suppression (Bodla et al. 2017): numbers (int64) of the boxes that stand, best first, and their scores.

    Each round takes the best remaining box and lowers the scores of those it overlaps: by 1 - iou where iou is
    above ``threshold`` (``linear``), by exp(-iou^2 / sigma) (``gaussian``, no threshold), or to 0 above
    ``threshold`` (``hard``). Boxes whose score falls below ``least`` are dropped.
    """
    boxes, scores = _boxes(boxes, scores, threshold)
    if method not in METHODS:
        raise FacemillError(f"method: expected one of {', '.join(METHODS)}, found {method!r}")
    if not sigma > 0:
        raise FacemillError(f"sigma: expected a number above 0, found {sigma}")
    columns, order, scores = _columns(boxes, plus_one), np.arange(len(boxes)), scores.copy()
    count = kernel.soften(
        columns,
        scores,
        order,
        np.empty(len(boxes)),
        METHODS[method],
        float(threshold),
        float(sigma),
        float(least),
        bool(plus_one),
    )
    return order[:count], scores[:count]


def _boxes(boxes, scores, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    boxes = numbers("boxes", boxes, (None, 4))
    scores = numbers("scores", scores, (len(boxes),))
    if not 0 <= threshold <= 1:
        raise FacemillError(f"threshold: expected 0 to 1, found {threshold}")
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise FacemillError("boxes and scores: expected finite numbers, found nan or infinity")
    return boxes, scores


def _columns(boxes: np.ndarray, plus_one: bool) -> np.ndarray:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2] + float(plus_one), 0)
    columns = np.empty((5, len(boxes)))
    columns[:4] = boxes.T
    columns[4] = sides[:, 0] * sides[:, 1]
    return columns
