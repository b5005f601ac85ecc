/* Z-buffer rasteriser that keeps, per pixel, which triangle is in front and where in it the pixel centre lies.
 * Attributes are looked up afterwards for visible pixels only. */
#ifndef FACEMILL_RASTER_H
#define FACEMILL_RASTER_H

#include "dispatch.h"
#include "edges.h"

/* Row number of the first triangle with a vertex number outside 0 .. n - 1, or -1. */
FM_WIDE static ptrdiff_t fm_bad_triangle(const int32_t *triangles, ptrdiff_t count, ptrdiff_t n)
{
    uint32_t most = 0;
    for (ptrdiff_t i = 0; i < 3 * count; ++i) {
        const uint32_t v = (uint32_t)triangles[i];
        most = v > most ? v : most;
    }
    if (count == 0 || (ptrdiff_t)most < n)
        return -1;
    for (ptrdiff_t i = 0; i < 3 * count; ++i)
        if (triangles[i] < 0 || triangles[i] >= n)
            return i / 3;
    return -1;
}

/* Draws all triangles. vertices (n, 3) x, y, z in pixels, larger z is nearer; id (h, w) starts at -1, depth (h, w)
 * at -infinity. A pixel centre on an edge is inside; where two surfaces are equally near the earlier triangle
 * stays. cull leaves out triangles whose signed area in the y-down image is positive (they face away). */
FM_WIDE static void fm_rasterize(const double *vertices, const int32_t *triangles, ptrdiff_t count, int32_t *id,
                         float *barycentric, float *depth, ptrdiff_t height, ptrdiff_t width, int cull)
{
    for (ptrdiff_t t = 0; t < count; ++t) {
        const int32_t i = triangles[3 * t], j = triangles[3 * t + 1], k = triangles[3 * t + 2];
        const double *p = vertices + 3 * (ptrdiff_t)i, *q = vertices + 3 * (ptrdiff_t)j,
                     *r = vertices + 3 * (ptrdiff_t)k;
        ptrdiff_t x0, x1, y0, y1;
        fm_span(fm_min3(p[1], q[1], r[1]), fm_max3(p[1], q[1], r[1]), height, &y0, &y1);
        if (y0 > y1)
            continue;
        fm_span(fm_min3(p[0], q[0], r[0]), fm_max3(p[0], q[0], r[0]), width, &x0, &x1);
        if (x0 > x1)
            continue;
        const double area = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
        if (!(area < 0 || area > 0) || (cull && area > 0))
            continue;
        fm_edge e0 = fm_make_edge(vertices, 3, j, k), e1 = fm_make_edge(vertices, 3, k, i),
                e2 = fm_make_edge(vertices, 3, i, j);
        if (area < 0) {
            e0.a = -e0.a, e0.b = -e0.b, e0.c = -e0.c;
            e1.a = -e1.a, e1.b = -e1.b, e1.c = -e1.c;
            e2.a = -e2.a, e2.b = -e2.b, e2.c = -e2.c;
        }
        for (ptrdiff_t y = y0; y <= y1; ++y) {
            for (ptrdiff_t x = x0; x <= x1; ++x) {
                const double w0 = fm_edge_at(e0, (double)x, (double)y), w1 = fm_edge_at(e1, (double)x, (double)y),
                             w2 = fm_edge_at(e2, (double)x, (double)y);
                if (!(w0 >= 0 && w1 >= 0 && w2 >= 0))
                    continue;
                const double sum = w0 + w1 + w2;
                if (!(sum > 0))
                    continue;
                const double b0 = w0 / sum, b1 = w1 / sum, b2 = w2 / sum;
                const float z = (float)(b0 * p[2] + b1 * q[2] + b2 * r[2]);
                const ptrdiff_t at = y * width + x;
                if (!(z > depth[at]))
                    continue;
                depth[at] = z;
                id[at] = (int32_t)t;
                barycentric[3 * at] = (float)b0;
                barycentric[3 * at + 1] = (float)b1;
                barycentric[3 * at + 2] = (float)b2;
            }
        }
    }
}

/* out (pixels, channels) = attributes (n, channels) blended over the visible triangle; background elsewhere. */
FM_WIDE static void fm_interpolate(const int32_t *id, const float *barycentric, ptrdiff_t pixels, const int32_t *triangles,
                           const float *attributes, ptrdiff_t channels, float background, float *out)
{
    for (ptrdiff_t at = 0; at < pixels; ++at) {
        float *to = out + channels * at;
        if (id[at] < 0) {
            for (ptrdiff_t c = 0; c < channels; ++c)
                to[c] = background;
            continue;
        }
        const int32_t *v = triangles + 3 * (ptrdiff_t)id[at];
        const float *a0 = attributes + channels * (ptrdiff_t)v[0], *a1 = attributes + channels * (ptrdiff_t)v[1],
                    *a2 = attributes + channels * (ptrdiff_t)v[2];
        const float b0 = barycentric[3 * at], b1 = barycentric[3 * at + 1], b2 = barycentric[3 * at + 2];
        for (ptrdiff_t c = 0; c < channels; ++c)
            to[c] = b0 * a0[c] + b1 * a1[c] + b2 * a2[c];
    }
}

/* seen[v] = 1 where vertex v lies inside the picture and no surface is nearer than it by more than tolerance. The
 * surface at its nearest pixel is continued along its triangle's plane to the vertex, within the triangle's z. */
FM_WIDE static void fm_visible(const double *vertices, ptrdiff_t n, const int32_t *triangles, const int32_t *id,
                       ptrdiff_t height, ptrdiff_t width, double tolerance, unsigned char *seen)
{
    for (ptrdiff_t v = 0; v < n; ++v) {
        const double x = vertices[3 * v], y = vertices[3 * v + 1], z = vertices[3 * v + 2];
        seen[v] = 0;
        if (!(x >= -0.5 && x < (double)width - 0.5 && y >= -0.5 && y < (double)height - 0.5))
            continue;
        const ptrdiff_t at = (ptrdiff_t)floor(y + 0.5) * width + (ptrdiff_t)floor(x + 0.5);
        if (id[at] < 0) {
            seen[v] = 1;
            continue;
        }
        const int32_t *t = triangles + 3 * (ptrdiff_t)id[at];
        if (t[0] == v || t[1] == v || t[2] == v) {
            seen[v] = 1;
            continue;
        }
        const double *p = vertices + 3 * (ptrdiff_t)t[0], *q = vertices + 3 * (ptrdiff_t)t[1],
                     *r = vertices + 3 * (ptrdiff_t)t[2];
        const double area = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
        const double b1 = ((x - p[0]) * (r[1] - p[1]) - (y - p[1]) * (r[0] - p[0])) / area;
        const double b2 = ((q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])) / area;
        double plane = p[2] + b1 * (q[2] - p[2]) + b2 * (r[2] - p[2]);
        const double low = fm_min3(p[2], q[2], r[2]), high = fm_max3(p[2], q[2], r[2]);
        plane = plane < low ? low : plane > high ? high : plane;
        seen[v] = z + tolerance >= plane;
    }
}

#endif
