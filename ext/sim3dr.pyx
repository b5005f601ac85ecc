# cython: language_level=3
"""Z-buffer rasteriser, attribute lookup, visibility, normals and shading.

Checked wrappers: pipeline.geometry.mesh; slow twins: pipeline.geometry.reference.
"""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t

cdef extern from *:
    const char* FACEMILL_SOURCE_DIGEST

cdef extern from "raster.h" nogil:
    ptrdiff_t fm_bad_triangle(const int32_t*, ptrdiff_t, ptrdiff_t) noexcept
    void fm_rasterize(const double*, const int32_t*, ptrdiff_t, int32_t*, float*, float*, ptrdiff_t, ptrdiff_t,
                      int) noexcept
    void fm_interpolate(const int32_t*, const float*, ptrdiff_t, const int32_t*, const float*, ptrdiff_t, float,
                        float*) noexcept
    void fm_visible(const double*, ptrdiff_t, const int32_t*, const int32_t*, ptrdiff_t, ptrdiff_t, double,
                    unsigned char*) noexcept

cdef extern from "shading.h" nogil:
    void fm_normals(const double*, ptrdiff_t, const int32_t*, ptrdiff_t, double*) noexcept
    void fm_shade(const double*, const double*, const double*, ptrdiff_t, const double*, const double*, ptrdiff_t,
                  const double*, double, float*) noexcept

SOURCE_DIGEST = FACEMILL_SOURCE_DIGEST.decode()


def bad_triangle(const int32_t[:, ::1] triangles, ptrdiff_t vertices):
    """Row of the first triangle that names a vertex outside 0 .. vertices - 1, or -1."""
    cdef ptrdiff_t row
    if triangles.shape[0] == 0:
        return -1
    with nogil:
        row = fm_bad_triangle(&triangles[0, 0], triangles.shape[0], vertices)
    return row


def rasterize(const double[:, ::1] vertices, const int32_t[:, ::1] triangles, int32_t[:, ::1] id,
              float[:, :, ::1] barycentric, float[:, ::1] depth, bint cull):
    """Fills id (-1), barycentric and depth (-inf), all (h, w[, 3]), with the nearest surface."""
    if triangles.shape[0] == 0 or id.shape[0] == 0 or id.shape[1] == 0:
        return
    with nogil:
        fm_rasterize(&vertices[0, 0], &triangles[0, 0], triangles.shape[0], &id[0, 0], &barycentric[0, 0, 0],
                     &depth[0, 0], id.shape[0], id.shape[1], cull)


def interpolate(const int32_t[:, ::1] id, const float[:, :, ::1] barycentric, const int32_t[:, ::1] triangles,
                const float[:, ::1] attributes, float background, float[:, :, ::1] out):
    """out (h, w, c) = attributes (n, c) over the triangles of id; background where id is -1."""
    cdef const int32_t* corners = NULL
    cdef const float* values = NULL
    if out.shape[0] == 0 or out.shape[1] == 0 or out.shape[2] == 0:
        return
    if triangles.shape[0] and attributes.shape[0]:
        corners = &triangles[0, 0]
        values = &attributes[0, 0]
    with nogil:
        fm_interpolate(&id[0, 0], &barycentric[0, 0, 0], id.shape[0] * id.shape[1], corners, values, out.shape[2],
                       background, &out[0, 0, 0])


def visible(const double[:, ::1] vertices, const int32_t[:, ::1] triangles, const int32_t[:, ::1] id,
            double tolerance, unsigned char[::1] seen):
    """seen (n,) = 1 for vertices inside the picture with no surface nearer by more than tolerance."""
    cdef const int32_t* corners = NULL
    if vertices.shape[0] == 0 or id.shape[0] == 0 or id.shape[1] == 0:
        return
    if triangles.shape[0]:
        corners = &triangles[0, 0]
    with nogil:
        fm_visible(&vertices[0, 0], vertices.shape[0], corners, &id[0, 0], id.shape[0], id.shape[1], tolerance,
                   &seen[0])


def normals(const double[:, ::1] vertices, const int32_t[:, ::1] triangles, double[:, ::1] out):
    """out (n, 3), zeros on entry, becomes the unit vertex normals."""
    if vertices.shape[0] == 0 or triangles.shape[0] == 0:
        return
    with nogil:
        fm_normals(&vertices[0, 0], vertices.shape[0], &triangles[0, 0], triangles.shape[0], &out[0, 0])


def shade(const double[:, ::1] normals, const double[:, ::1] albedo, const double[::1] specular,
          const double[::1] ambient, const double[:, ::1] lights, const double[::1] view, double shininess,
          float[:, ::1] out):
    """out (n, 3) = Phong colours; lights (l, 6) hold a unit direction towards the light and its rgb."""
    cdef const double* rays = NULL
    if normals.shape[0] == 0:
        return
    if lights.shape[0]:
        rays = &lights[0, 0]
    with nogil:
        fm_shade(&normals[0, 0], &albedo[0, 0], &specular[0], normals.shape[0], &ambient[0], rays, lights.shape[0],
                 &view[0], shininess, &out[0, 0])
