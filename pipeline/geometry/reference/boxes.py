"""Twins of hard and soft non-maximum suppression."""

import numpy as np


def overlap(first, second, plus_one: bool) -> float:
    """Intersection over union of two boxes x1, y1, x2, y2."""
    more = float(plus_one)
    width = min(first[2], second[2]) - max(first[0], second[0]) + more
    height = min(first[3], second[3]) - max(first[1], second[1]) + more
    common = max(width, 0.0) * max(height, 0.0)
    areas = [max(b[2] - b[0] + more, 0.0) * max(b[3] - b[1] + more, 0.0) for b in (first, second)]
    union = sum(areas) - common
    return common / union if union > 0 else 0.0


def nms(boxes, scores, threshold: float, plus_one: bool = False) -> np.ndarray:
    """Twin of geometry.nms.nms: numbers of the boxes that stand, best first."""
    waiting = sorted(range(len(boxes)), key=lambda i: (-scores[i], i))
    kept = []
    while waiting:
        best, *rest = waiting
        kept.append(best)
        waiting = []
        for i in rest:
            iou = overlap(boxes[best], boxes[i], plus_one)
            falls = iou >= threshold and iou > 0 if plus_one else iou > threshold
            if not falls:
                waiting.append(i)
    return np.array(kept, np.int64)


def soft_nms(boxes, scores, threshold, method, sigma, least, plus_one: bool = False):
    """Twin of geometry.nms.soft_nms: numbers and scores of the boxes that stand, best first."""
    left = {i: float(score) for i, score in enumerate(scores)}
    kept, values = [], []
    while left:
        best = min(left, key=lambda i: (-left[i], i))
        if left[best] < least:
            break
        kept.append(best)
        values.append(left.pop(best))
        for i in left:
            iou = overlap(boxes[best], boxes[i], plus_one)
            if method == "gaussian":
                left[i] *= np.exp(-iou * iou / sigma)
            elif iou > threshold:
                left[i] *= 1.0 - iou if method == "linear" else 0.0
    return np.array(kept, np.int64), np.array(values)
