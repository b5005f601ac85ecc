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
    for (ptrdiff_t n = 0; n < count; ++n) {
        const fm_triangle t = fm_place(vertices, triangles + 3 * n, height, width);
        if (fm_empty(t))
            continue;
        const double area = fm_area(t.p, t.q, t.r);
        if (!(area < 0 || area > 0) || (cull && area > 0))
            continue;
        fm_edges edges = fm_edges_of(vertices, t);
        if (area < 0)
            edges = (fm_edges){fm_opposite(edges.p), fm_opposite(edges.q), fm_opposite(edges.r)};
        for (ptrdiff_t y = t.y0; y <= t.y1; ++y) {
            for (ptrdiff_t x = t.x0; x <= t.x1; ++x) {
                const fm_weights w = fm_weights_at(edges, x, y);
                if (!(w.p >= 0 && w.q >= 0 && w.r >= 0))
                    continue;
                const double sum = w.p + w.q + w.r;
                if (!(sum > 0))
                    continue;
                const double b0 = w.p / sum, b1 = w.q / sum, b2 = w.r / sum;
                const float z = (float)(b0 * t.p[2] + b1 * t.q[2] + b2 * t.r[2]);
                const ptrdiff_t at = y * width + x;
                if (!(z > depth[at]))
                    continue;
                depth[at] = z;
                id[at] = (int32_t)n;
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
        const double area = fm_area(p, q, r);
        const double b1 = ((x - p[0]) * (r[1] - p[1]) - (y - p[1]) * (r[0] - p[0])) / area;
        const double b2 = ((q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])) / area;
        double plane = p[2] + b1 * (q[2] - p[2]) + b2 * (r[2] - p[2]);
        const double low = fm_min3(p[2], q[2], r[2]), high = fm_max3(p[2], q[2], r[2]);
        plane = plane < low ? low : plane > high ? high : plane;
        seen[v] = z + tolerance >= plane;
    }
}

#endif
