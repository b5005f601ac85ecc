# cython: language_level=3
"""Greedy and soft non-maximum suppression. Checked wrappers: pipeline.geometry.nms; twins: geometry.reference."""

from libc.math cimport exp
from libc.stddef cimport ptrdiff_t

cdef extern from *:
    const char* FACEMILL_SOURCE_DIGEST

cdef extern from "suppress.h" nogil:
    void fm_suppress(const double*, const double*, const double*, const double*, const double*, unsigned char*,
                     ptrdiff_t, ptrdiff_t, ptrdiff_t, double, double, int) noexcept
    void fm_overlaps(const double*, const double*, const double*, const double*, const double*, double*,
                     ptrdiff_t, ptrdiff_t, ptrdiff_t, double) noexcept

SOURCE_DIGEST = FACEMILL_SOURCE_DIGEST.decode()

HARD, LINEAR, GAUSSIAN = 0, 1, 2


def suppress(const double[:, ::1] columns, unsigned char[::1] alive, double threshold, bint plus_one):
    """Greedy suppression of boxes already sorted best first.

    columns (5, n): x1, y1, x2, y2, area. alive (n,) of ones is cleared where a box is dropped. With plus_one a
    box covers x2 - x1 + 1 pixels and an overlap equal to the threshold is dropped too.
    """
    cdef ptrdiff_t n = columns.shape[1], i
    cdef double extra = 1.0 if plus_one else 0.0
    if n == 0:
        return
    with nogil:
        for i in range(n - 1):
            if alive[i]:
                fm_suppress(&columns[0, 0], &columns[1, 0], &columns[2, 0], &columns[3, 0], &columns[4, 0],
                            &alive[0], i, i + 1, n, threshold, extra, plus_one)


def soften(double[:, ::1] columns, double[::1] scores, long long[::1] order, double[::1] iou, int method,
           double threshold, double sigma, double least, bint plus_one):
    """Soft suppression in place; returns how many boxes stand, best first, at the head of the arrays.

    columns (5, n), scores (n,) and order (n,) (box numbers) are permuted together; iou (n,) is scratch. In each
    round the best remaining score (the lowest box number among equals) is taken, and the others are decayed by
    1 - overlap where the overlap is above threshold (LINEAR), by exp(-overlap^2 / sigma) (GAUSSIAN), or to 0
    (HARD); boxes below least are dropped.
    """
    cdef ptrdiff_t n = columns.shape[1], i = 0, j, best, row
    cdef double extra = 1.0 if plus_one else 0.0, swap, weight
    cdef long long label
    with nogil:
        while i < n:
            best = i
            for j in range(i + 1, n):
                if scores[j] > scores[best] or (scores[j] == scores[best] and order[j] < order[best]):
                    best = j
            if not scores[best] >= least:
                break
            if best != i:
                for row in range(5):
                    swap = columns[row, i]
                    columns[row, i] = columns[row, best]
                    columns[row, best] = swap
                swap = scores[i]
                scores[i] = scores[best]
                scores[best] = swap
                label = order[i]
                order[i] = order[best]
                order[best] = label
            fm_overlaps(&columns[0, 0], &columns[1, 0], &columns[2, 0], &columns[3, 0], &columns[4, 0], &iou[0],
                        i, i + 1, n, extra)
            for j in range(i + 1, n):
                weight = 1.0
                if method == 2:
                    weight = exp(-(iou[j] * iou[j]) / sigma)
                elif iou[j] > threshold:
                    weight = 1.0 - iou[j] if method == 1 else 0.0
                scores[j] *= weight
            i += 1
    return i
