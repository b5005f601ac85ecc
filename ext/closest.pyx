# cython: language_level=3
"""Exact search for the nearest point of a cloud or of a triangle mesh.

Checked wrappers: pipeline.geometry.closest; slow twins: pipeline.geometry.reference.
"""

import numpy as np

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t

cdef extern from *:
    const char* FACEMILL_SOURCE_DIGEST

cdef extern from "box_tree.h" nogil:
    ctypedef struct fm_centre:
        double at[3]
        int64_t item
    ctypedef struct fm_tree:
        double* boxes
        int32_t* order
        double* corners
        ptrdiff_t items, leaves
        int sides
    void fm_plant(fm_tree*, const double*, fm_centre*) noexcept
    void fm_closest(const fm_tree*, const double*, const double*, ptrdiff_t, int32_t*, double*, double*) noexcept

SOURCE_DIGEST = FACEMILL_SOURCE_DIGEST.decode()


cdef class Tree:
    """Boxes over items (n >= 1, 3 or 9): rows of one corner, or of a triangle's three. `crowd`: most items of a leaf."""

    cdef fm_tree tree
    cdef const double[:, ::1] items
    cdef double[:, ::1] boxes, corners
    cdef readonly object order

    def __init__(self, const double[:, ::1] items, ptrdiff_t crowd):
        cdef ptrdiff_t n = items.shape[0], sides = items.shape[1] // 3, leaves = 1, i, k
        while leaves * crowd < n:
            leaves *= 2
        self.items = items
        self.boxes = np.empty((2 * leaves - 1, 6))
        self.corners = np.empty((n, 3 * sides))
        self.order = np.empty(n, np.int32)
        cdef int32_t[::1] order = self.order
        cdef double[:, ::1] rows = np.empty((n, sizeof(fm_centre) // sizeof(double)))
        cdef fm_centre* centres = <fm_centre*>&rows[0, 0]
        self.tree = fm_tree(&self.boxes[0, 0], &order[0], &self.corners[0, 0], n, leaves, <int>sides)
        with nogil:
            for i in range(n):
                centres[i].item = i
                for k in range(3):
                    centres[i].at[k] = items[i, k]
                    if sides == 3:
                        centres[i].at[k] = (items[i, k] + items[i, 3 + k] + items[i, 6 + k]) / 3
            fm_plant(&self.tree, &items[0, 0], centres)

    def closest(self, const double[:, ::1] queries, int32_t[::1] item, double[::1] squared, double[:, ::1] at):
        """Fills item, squared (n,) and at (n, 3), which may be None over points, for queries (n, 3). On entry item holds
        where to begin, -1 for where the queries before ended."""
        cdef double* points = NULL
        if queries.shape[0] == 0:
            return
        if at is not None:
            points = &at[0, 0]
        with nogil:
            fm_closest(&self.tree, &self.items[0, 0], &queries[0, 0], queries.shape[0], &item[0], &squared[0], points)
