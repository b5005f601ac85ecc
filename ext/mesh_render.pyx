# cython: language_level=3
"""Position maps by table, and volumes.

Checked wrappers: pipeline.geometry.posmap and pipeline.geometry.volume; slow twins: pipeline.geometry.reference.
"""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, uint8_t, uint16_t
from libc.stdlib cimport free, malloc

cdef extern from *:
    const char* FACEMILL_SOURCE_DIGEST

cdef extern from "gather.h" nogil:
    void fm_gather(const int32_t*, const float*, ptrdiff_t, ptrdiff_t, const float*, ptrdiff_t, float*) noexcept
    void fm_gather3(const int32_t*, const float*, ptrdiff_t, const int32_t*, const float*, float*) noexcept
    ptrdiff_t fm_gather3_codes(const int32_t*, const float*, ptrdiff_t, const int32_t*, const float*, float,
                               int32_t, uint16_t*) noexcept

cdef extern from "nearest.h" nogil:
    void fm_nearest(const double*, ptrdiff_t, const double*, ptrdiff_t, int32_t*, double*) noexcept

cdef extern from "backfill.h" nogil:
    ctypedef struct fm_pose:
        double turn[9]
        double centre[3]
        double stretch
    ctypedef struct fm_cell:
        double low
        double high
    void fm_cells(const double*, ptrdiff_t, ptrdiff_t, fm_cell*) noexcept
    int fm_solid(const double*, const int32_t*, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t,
                 uint8_t*) noexcept
    void fm_front(const double*, const int32_t*, ptrdiff_t, double*, ptrdiff_t, ptrdiff_t) noexcept
    void fm_backfill(const double*, const fm_cell*, ptrdiff_t, ptrdiff_t, const double*, const fm_pose*, double,
                     const ptrdiff_t*, const ptrdiff_t*, ptrdiff_t, ptrdiff_t, uint8_t*) noexcept
    ptrdiff_t fm_columns(const uint8_t*, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, uint8_t*, uint8_t*) noexcept
    void fm_expand_columns(const uint8_t*, ptrdiff_t, ptrdiff_t, uint8_t*) noexcept

SOURCE_DIGEST = FACEMILL_SOURCE_DIGEST.decode()


def gather(const int32_t[:, ::1] corners, const float[:, ::1] weights, const int32_t[::1] slow,
           const float[:, ::1] values, float[:, ::1] out):
    """out (texels, c) = values (n, c) blended by corners (texels, 3) and the weights (texels, 2) of corners 1, 2.

    slow: ascending numbers of the texels that name the last row of values, and the last texel.
    """
    with nogil:
        if out.shape[1] == 3:
            fm_gather3(&corners[0, 0], &weights[0, 0], corners.shape[0], &slow[0], &values[0, 0], &out[0, 0])
        else:
            fm_gather(&corners[0, 0], &weights[0, 0], 0, corners.shape[0], &values[0, 0], out.shape[1], &out[0, 0])


def gather_codes(const int32_t[:, ::1] corners, const float[:, ::1] weights, const int32_t[::1] slow,
                 const float[:, ::1] values, float scale, int32_t offset, uint16_t[:, ::1] out):
    """Like gather for three channels, as 16-bit codes round(value * scale) + offset; returns how many values do not fit."""
    cdef ptrdiff_t outside
    with nogil:
        outside = fm_gather3_codes(&corners[0, 0], &weights[0, 0], corners.shape[0], &slow[0], &values[0, 0],
                                   scale, offset, &out[0, 0])
    return outside


def nearest(const double[:, ::1] points, const double[:, ::1] segments, int32_t[::1] which, double[::1] where):
    """For each point (n, 2) the nearest segment (m, 4), m > 0: its number and where on it, 0 to 1."""
    if points.shape[0] == 0:
        return
    with nogil:
        fm_nearest(&points[0, 0], points.shape[0], &segments[0, 0], segments.shape[0], &which[0], &where[0])


def solid(const double[:, ::1] vertices, const int32_t[:, ::1] triangles, ptrdiff_t width, uint8_t[:, :, ::1] bits):
    """Fills bits (depth + 1, height, pitch), zero on entry, with the inside of a closed mesh in voxel coordinates."""
    cdef int status
    if triangles.shape[0] == 0:
        return
    with nogil:
        status = fm_solid(&vertices[0, 0], &triangles[0, 0], triangles.shape[0], bits.shape[0] - 1, bits.shape[1],
                          width, bits.shape[2], &bits[0, 0, 0])
    if status:
        raise MemoryError("voxel columns")


def front(const double[:, ::1] vertices, const int32_t[:, ::1] triangles, double[:, ::1] depth):
    """depth (h, w), -inf on entry, becomes the nearest z of the mesh at each grid point (x = column, y = row)."""
    if triangles.shape[0] == 0:
        return
    with nogil:
        fm_front(&vertices[0, 0], &triangles[0, 0], triangles.shape[0], &depth[0, 0], depth.shape[0], depth.shape[1])


def backfill(const double[:, ::1] front, const double[::1] origin, const double[:, ::1] turn,
             const double[::1] centre, double stretch, double back, const ptrdiff_t[:, ::1] box,
             uint8_t[:, :, ::1] bits):
    """Sets in bits (d, h, pitch) the voxels of box (2, 3: first and end z, y, x) between back and the front surface.

    turn (3, 3) takes ((x, y) - centre, (z - centre) / stretch) to the frontal frame, where front (rows, cols) gives
    the surface from origin (x, y) on in steps of 1.
    """
    cdef fm_pose pose
    cdef int i
    for i in range(9):
        pose.turn[i] = turn[i // 3, i % 3]
    for i in range(3):
        pose.centre[i] = centre[i]
    pose.stretch = stretch
    cdef fm_cell* cells = <fm_cell*> malloc((front.shape[0] + 1) * (front.shape[1] + 1) * sizeof(fm_cell))
    if not cells:
        raise MemoryError("grid cells")
    with nogil:
        fm_cells(&front[0, 0], front.shape[0], front.shape[1], cells)
        fm_backfill(&front[0, 0], cells, front.shape[0], front.shape[1], &origin[0], &pose, back, &box[0, 0],
                    &box[1, 0], bits.shape[1], bits.shape[2], &bits[0, 0, 0])
        free(cells)


def columns(const uint8_t[:, :, ::1] bits, ptrdiff_t width, uint8_t[:, :, ::1] out, uint8_t[::1] several):
    """out (h, w, 2), zero on entry, becomes each column's first run; returns how many columns have a second."""
    cdef ptrdiff_t count
    with nogil:
        count = fm_columns(&bits[0, 0, 0], bits.shape[0], bits.shape[1], width, bits.shape[2], &out[0, 0, 0],
                           &several[0])
    return count


def expand_columns(const uint8_t[:, :, ::1] columns, uint8_t[:, :, ::1] volume):
    """volume (d, h, w) of 0 and 1 from columns (h, w, 2) of [first, end)."""
    with nogil:
        fm_expand_columns(&columns[0, 0, 0], volume.shape[1] * volume.shape[2], volume.shape[0], &volume[0, 0, 0])
